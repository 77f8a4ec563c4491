"""What interactive figures share: a custom element with static content, data, and a script that needs nothing else."""

from paperlib.plotting.explorers.page import Explorer, explorer, table

__all__ = ["Explorer", "explorer", "table"]
