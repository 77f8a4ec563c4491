"""What belongs to the paper `generalizability` alone: its networks, its tables, its statements, its printed errors."""
