"""Whether the log can be written: the last failure, until a write succeeds."""

from __future__ import annotations

import logging

# Its lines are read by programs that run the hub, such as the local Functions host.
_LOGGER = logging.getLogger(__name__)


class WriteHealth:
    """Says in the log when writes begin to fail and when they succeed again; each refused send is logged anyway."""

    def __init__(self) -> None:
        self.failure: str | None = None

    def failed(self, what: str) -> None:
        """A write failed: `what` says where and why."""
        if self.failure is None:
            _LOGGER.error("writes fail: %s", what)
        self.failure = what

    def succeeded(self) -> None:
        """A write succeeded. Worth a call only while `failure` is set."""
        if self.failure is not None:
            self.failure = None
            _LOGGER.warning("writes succeed again")
