"""Errors that a person is meant to read."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

_PACKAGE = str(Path(__file__).parent)


class StartError(Exception):
    """The host cannot start. The message says what is wrong and where; it is shown without a stack trace."""


class FunctionFailed(Exception):
    """An invocation ended badly. `cause`: a UserError, FunctionTimeout, WorkerLost, or what broke in the host."""

    def __init__(self, function: str, invocation_id: str, cause: BaseException) -> None:
        super().__init__(f"{function} failed: {described(cause)}")
        self.function = function
        self.invocation_id = invocation_id
        self.cause = cause


class RetryInterrupted(FunctionFailed):
    """The host stops while a retry policy still held the work: it is unfinished, not failed."""


class FunctionTimeout(Exception):
    """The function ran longer than host.json's functionTimeout."""


class WorkerLost(Exception):
    """The worker process that ran the function ended before the function did.

    `blamed` False: another function was why.
    """

    def __init__(self, reason: str, *, blamed: bool = True) -> None:
        super().__init__(reason)
        self.blamed = blamed


class UserError(Exception):
    """What a function raised in its worker: class name, text, the stack of its own frames, the whole traceback."""

    def __init__(self, type_name: str, message: str, stack: str, trace: str) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.message = message
        self.stack = stack
        self.trace = trace


def described(cause: BaseException) -> str:
    """``ValueError: text``, by the name the function's own exception has."""
    name = cause.type_name if isinstance(cause, UserError) else type(cause).__name__
    return f"{name}: {cause}"


def user_traceback(error: BaseException) -> TracebackType | None:
    """The traceback from the first frame of the function on; the whole of it when the host itself failed."""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith(_PACKAGE) and not name.replace("\\", "/").endswith("concurrent/futures/thread.py"):
            return trace
        trace = trace.tb_next
    return error.__traceback__
