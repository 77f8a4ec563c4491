"""What belongs to the paper `svr` alone: its networks, and the experiments behind its figures."""
