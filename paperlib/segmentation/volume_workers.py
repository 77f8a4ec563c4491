"""A list of tasks shared among processes, of which each does one at a time on one thread."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

Task = TypeVar("Task", bound=Hashable)
Done = TypeVar("Done")


class WorkerError(Exception):
    """A process that shared the work was ended from outside."""


def shared(work: Callable[[Task], Done], tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Done]]:
    """Yields each task with what ``work`` gives for it, as they get done.

    One worker is this process. More are new processes, each with a copy of ``work``, which is pickled. Where this
    process fails or is interrupted, tasks that were not begun are dropped and those under way are finished; where it is
    killed, they end too. Raises what ``work`` raises, and ``WorkerError`` where a process was killed.
    """
    if workers == 1 or len(tasks) < 2:
        yield from ((task, work(task)) for task in tasks)
        return
    # As bytes, because tensors that are pickled for another process otherwise move into shared memory, of which
    # containers have little.
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), multiprocessing.get_context("spawn"), _start, (pickle.dumps(work),)
    )
    try:
        begun = {pool.submit(_do, task): task for task in tasks}
        for future in as_completed(begun):
            yield begun[future], future.result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "one of the processes was killed, perhaps for want of memory; start again, with fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


# What a process of the pool does with its tasks; set once, when it starts.
_work: Callable | None = None


def _start(work: bytes) -> None:
    global _work
    # An interruption goes to all processes of a terminal: this one finishes its task, and the first one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_first_process, daemon=True).start()
    torch.set_num_threads(1)
    _work = pickle.loads(work)


def _end_with_the_first_process() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _do(task):
    return _work(task)
