"""What stops a training."""


class TrainingError(Exception):
    """Training cannot go on; the message says why."""
