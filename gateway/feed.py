"""What every way in has in common: it feeds the forwarder until it is stopped or at its end."""

from __future__ import annotations

from typing import Protocol


class Feed(Protocol):
    """One way in."""

    @property
    def messages(self) -> int:
        """How many messages it has made."""
        ...

    @property
    def finite(self) -> bool:
        """Whether it comes to an end by itself."""
        ...

    async def run(self) -> None:
        """Feed until the end, or until cancelled. Raises StoppedFeed."""
        ...

    async def flush(self) -> None:
        """Pass on what was heard and not yet said; called once, after ``run`` has ended or was cancelled."""
        ...

    def describe(self) -> str:
        """A few words about what comes in, for the line every ten seconds."""
        ...


class StoppedFeed(Exception):
    """It cannot go on, or never could; the text says why."""
