"""How the engine can fail, and the exit code of the command line for each way."""

from pathlib import Path


class EngineError(Exception):
    """Any failure that the engine explains; the message says what was wrong, where, and what to do."""

    exit_code = 1


class UsageError(EngineError):
    """The caller asked for something that does not exist: an unknown notebook, profile, paper or file ending."""

    exit_code = 2


class ParameterError(UsageError):
    """A parameter is misspelt, of the wrong type or out of range; the message lists the right ones."""


class SourceError(EngineError):
    """A file of the compendium (a notebook, a catalogue) is missing or malformed."""

    exit_code = 3


class ClaimsError(SourceError):
    """A claims file is malformed, or a claim cannot be compared with the value that was measured."""


class ResultError(EngineError):
    """A result cannot be recorded or read."""

    exit_code = 3


class MissingResultError(ResultError):
    """No result of this notebook in this profile; ``command`` is the command that makes it."""

    def __init__(self, message: str, command: str):
        super().__init__(message)
        self.command = command


class RunError(EngineError):
    """A notebook did not run to its end.

    ``notebook`` is its id, ``cell`` the number of the failing cell in the notebook (from 1, None where no cell was
    at fault), ``exception`` the name of the exception's class, ``traceback`` plain text, and ``kept`` the path of the
    partly executed notebook (None where it could not be kept).
    """

    def __init__(
        self,
        message: str,
        *,
        notebook: str,
        cell: int | None = None,
        exception: str = "",
        traceback: str = "",
        kept: Path | None = None,
    ):
        super().__init__(message)
        self.notebook = notebook
        self.cell = cell
        self.exception = exception
        self.traceback = traceback
        self.kept = kept
        if exception in ("DataError", "MissingResultError"):
            self.exit_code = 3
