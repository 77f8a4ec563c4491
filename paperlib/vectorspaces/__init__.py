"""What belongs to the paper `vectorspaces` alone: its networks, its statements and its mistakes."""
