"""What every test runs under."""

import pytest
import torch
from hypothesis import settings

# The same examples in every run, and no failure because a machine is busy.
settings.register_profile("paperlib", deadline=None, derandomize=True)
settings.load_profile("paperlib")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """One torch thread for each worker: the tests' tensors are small, and more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def same_weights_every_time():
    """Layers draw their weights from torch's global generator: no test may hang on which ran before it."""
    torch.manual_seed(0)
