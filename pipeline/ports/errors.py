"""What a port raises."""

from __future__ import annotations

from typing import Any


class StoreUnavailable(Exception):
    """The store did not do what was asked (down, throttled, disk full, read-only, injected fault): ask again later.

    ``shown`` is the reason in words fit for everybody: no path, no address.
    """

    def __init__(self, message: str, *, shown: str | None = None) -> None:
        super().__init__(message)
        self.shown = message if shown is None else shown


class InvalidContinuation(ValueError):
    """A continuation token that this store did not hand out for this query."""


class Conflict(Exception):
    """A conditional change found another state than it expects; ``record`` is what stands there."""

    def __init__(self, message: str, record: Any = None) -> None:
        super().__init__(message)
        self.record = record
