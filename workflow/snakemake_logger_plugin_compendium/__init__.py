"""Snakemake's messages as a progress display for people: which notebook, how many are left, how long it has taken.

On a terminal a live line stands below the messages; in a log there are the messages alone. Snakemake's own account of
a run stays in ``.snakemake/log``.
"""

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

COUNTED = ("notebook", "run", "book")
LINES_OF_LOG = 40


@dataclass(frozen=True)
class Job:
    """A running job: its name for people, what Snakemake says of it, and when it started (monotonic seconds)."""

    name: str
    message: str
    started: float


def duration(seconds: float) -> str:
    """Whole seconds as m:ss or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def tail(log: str) -> str:
    """Last lines of a log file without colours, or why there are none."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return f"(no log: {error})"
    # Sphinx colours its warnings even in a file.
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines[-LINES_OF_LOG:]))


class LogHandler(LogHandlerBase):
    """Prints one line where a job starts, ends or fails, the log of a failed one, and at the end who failed."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.console = Console(stderr=not self.common_settings.stdout, soft_wrap=True, highlight=False)
        self.began = time.monotonic()
        self.counts: dict[str, int] = {}
        self.done = 0
        self.jobs: dict[int, Job] = {}
        self.failed: dict[str, str] = {}
        self.live = Progress(
            SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"), console=self.console,
            transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        self.task = self.live.add_task("")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = getattr(record, "event", None)
            action = {
                LogEvent.RUN_INFO: self.planned,
                LogEvent.JOB_INFO: self.started,
                LogEvent.JOB_FINISHED: self.finished,
                LogEvent.JOB_ERROR: self.broken,
            }.get(event)
            if action:
                action(record)
            elif record.levelno >= logging.WARNING and not self.is_echo(record):
                self.show(record.getMessage(), style="red")
        except Exception:
            self.handleError(record)

    def planned(self, record: logging.LogRecord) -> None:
        self.counts = {rule: record.stats.get(rule, 0) for rule in COUNTED}
        parts = [f"{self.counts['notebook']} notebooks"] if self.counts["notebook"] or not self.counts["run"] else []
        parts += [f"{self.counts['run']} runs of a sweep"] if self.counts["run"] else []
        parts += ["the book"] if self.counts["book"] else []
        self.say(f"to run: {' and '.join(parts)}")
        self.live.start()

    def started(self, record: logging.LogRecord) -> None:
        if record.rule_name in COUNTED:
            name = record.wildcards.get("id") or record.wildcards.get("key", record.rule_name)
            self.jobs[record.jobid] = Job(name, record.rule_msg or name, time.monotonic())
            self.say(f"started   {record.rule_msg or name}")

    def finished(self, record: logging.LogRecord) -> None:
        job = self.jobs.pop(record.job_id, None)
        if job:
            self.done += 1
            self.say(f"finished  {job.name} in {duration(time.monotonic() - job.started)}, {self.left()} left", "green")

    def broken(self, record: logging.LogRecord) -> None:
        job = self.jobs.pop(record.jobid, None)
        name = job.name if job else record.rule_name
        log = str(record.log[0]) if record.log else ""
        self.failed[name] = log
        self.say(f"FAILED    {name}; the end of its log:", "bold red")
        if log:
            self.show(tail(log))

    def is_echo(self, record: logging.LogRecord) -> bool:
        """Whether Snakemake repeats that a job failed, which ``broken`` tells better."""
        if getattr(record, "exception", "") == "RuleException":
            return bool(self.jobs)
        return bool(self.failed)

    def left(self) -> int:
        return sum(self.counts.values()) - self.done - len(self.failed)

    def say(self, message: str, style: str = "") -> None:
        running = ", ".join(job.name for job in self.jobs.values())
        self.live.update(self.task, description=f"{self.left()} left; running: {running}" if running else "")
        self.show(f"{duration(time.monotonic() - self.began):>8}  {message}", style)

    def show(self, text: str, style: str = "") -> None:
        self.console.print(text, style=style, markup=False)

    def close(self) -> None:
        self.live.stop()
        if self.failed:
            self.show(f"\n{len(self.failed)} failed:", "bold red")
            for name, log in self.failed.items():
                self.show(f"  {name}    log: {log}", "red")
            waiting = self.left()
            if waiting:
                why = "they wait for what failed or the run was interrupted"
                self.show(f"Not run, since {why}: {waiting}. The rest was kept.", "red")
            self.failed.clear()  # Snakemake closes its handlers twice
        super().close()
