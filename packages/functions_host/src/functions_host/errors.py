"""Errors that a person is meant to read."""

from __future__ import annotations


class StartError(Exception):
    """The host cannot start. The message says what is wrong and where; it is shown without a stack trace."""


class FunctionFailed(Exception):
    """An invocation ended with an exception. `cause` is what the function raised."""

    def __init__(self, function: str, invocation_id: str, cause: BaseException) -> None:
        super().__init__(f"{function} failed: {type(cause).__name__}: {cause}")
        self.function = function
        self.invocation_id = invocation_id
        self.cause = cause


class RetryInterrupted(FunctionFailed):
    """The host stops while a retry policy still held the work: it is unfinished, not failed."""


class FunctionTimeout(Exception):
    """The function ran longer than host.json's functionTimeout."""
