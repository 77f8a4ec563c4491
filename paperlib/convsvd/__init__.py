"""What belongs to the paper `convsvd` alone: its networks, its families of networks, its statements."""
