"""One run of the gateway: feed, forward, say how it goes every ten seconds, and stop without losing anything."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from typing import TextIO

from gateway.feed import Feed
from gateway.forward import Forwarder

_REPORT_SECONDS = 10.0
_LAST_SECONDS = 60.0
_STOP_SECONDS = 5.0

Summary = dict[str, float]
"""messages (made by this run), sent (acknowledged in this run, by whichever made), waiting, dropped, seconds."""


async def run(
    feed: Feed,
    forwarder: Forwarder,
    *,
    stop: asyncio.Event,
    out: TextIO = sys.stderr,
    line: Callable[[str], None] | None = None,
) -> Summary:
    """Until the feed is at its end and all is acknowledged (or nothing was for a minute), or until ``stop``. Raises
    StoppedFeed when the feed cannot go on; what it said before is in the spool then.

    ``line`` takes the report's lines in place of ``out``."""
    started = time.monotonic()
    tell = line or (lambda text: print(text, file=out, flush=True))
    forwarder.start()
    reporting = asyncio.create_task(_report(feed, forwarder, started, tell))
    feeding = asyncio.ensure_future(feed.run())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({feeding, stopping}, return_when=asyncio.FIRST_COMPLETED)
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await feed.flush()
        failed = None if feeding.cancelled() else feeding.exception()
        patience = _LAST_SECONDS if feed.finite and not stop.is_set() and failed is None else _STOP_SECONDS
        await _unless(stop if feed.finite else asyncio.Event(), forwarder.drain(patience))
        if failed is not None:
            raise failed
    finally:
        for task in (reporting, stopping):
            task.cancel()
        await asyncio.gather(reporting, stopping, return_exceptions=True)
        tell(_line(feed, forwarder, started))
        summary = {
            "messages": feed.messages,
            "sent": forwarder.sent,
            "waiting": forwarder.waiting,
            "dropped": forwarder.dropped,
            "seconds": round(time.monotonic() - started, 3),
        }
        await forwarder.close()
    return summary


def stop_on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM set ``stop``; a second one does as it always did."""
    loop = asyncio.get_running_loop()

    def first(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, first)


async def _unless(stop: asyncio.Event, work: object) -> None:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    stopping = asyncio.ensure_future(stop.wait())
    if stop.is_set():
        await task
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for each in (task, stopping):
        each.cancel()
    await asyncio.gather(task, stopping, return_exceptions=True)


async def _report(feed: Feed, forwarder: Forwarder, started: float, tell: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(_REPORT_SECONDS)
        tell(_line(feed, forwarder, started))


def _line(feed: Feed, forwarder: Forwarder, started: float) -> str:
    text = (
        f"gateway: {time.monotonic() - started:,.0f} s; {feed.describe()}; {feed.messages:,} messages, "
        f"{forwarder.sent:,} sent, {forwarder.waiting:,} waiting, {forwarder.dropped:,} dropped"
    )
    if forwarder.too_large:
        text += f" ({forwarder.too_large:,} too large for the hub)"
    if forwarder.trouble:
        text += f"; {forwarder.trouble[:180]}"
    return text
