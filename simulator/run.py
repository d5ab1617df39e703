"""One run of the fleet: messages when they are due, a progress line, and the sum at the end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TextIO

from simulator.fleet import Fleet
from simulator.sender import Sender

_TICK_SECONDS = 0.05
_TURNS_AT_A_TIME = 500
_CONNECT_SECONDS = 60.0
_LAST_SECONDS = 60.0
_STOP_SECONDS = 5.0
_BACKLOG_SECONDS = 10.0
_LEAST_BACKLOG = 10_000

Summary = dict[str, float]
"""sent, events, bytes, seconds, rate, corrupted, duplicated."""


async def run(
    fleet: Fleet, sender: Sender, seconds: float, stop: asyncio.Event, *, progress: TextIO = sys.stderr
) -> tuple[Summary, bool]:
    """Fly for so long (0: until ``stop``); the sum of what was acknowledged, and whether that is all of it.

    Raises HubUnavailable when the hub was never reached, HubRefused when it does not want us.
    """
    started = time.monotonic()
    reporting = asyncio.create_task(_report(sender, progress, lambda: time.monotonic() - started))
    try:
        if not await _unless(stop, sender.open(_CONNECT_SECONDS)):
            return _summary(sender, 0.0), True
        started = time.monotonic()
        await _fly(fleet, sender, seconds, stop)
        for outgoing in fleet.rest():
            sender.put(outgoing)
        complete = await sender.drain(_STOP_SECONDS if stop.is_set() else _LAST_SECONDS)
        return _summary(sender, time.monotonic() - started), complete
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await sender.close()


async def _fly(fleet: Fleet, sender: Sender, seconds: float, stop: asyncio.Event) -> None:
    """Turns by an absolute schedule: what a slow hub or machine delays is caught up with, and keeps the time at which
    it was due. While the hub is away, the drones go on until ten seconds of their messages wait."""
    total = round(seconds * fleet.drones * fleet.rate) if seconds else None
    limit = max(_LEAST_BACKLOG, int(_BACKLOG_SECONDS * fleet.drones * fleet.rate))
    started, epoch = time.monotonic(), time.time()
    while not stop.is_set() and (total is None or fleet.turn < total):
        sender.raise_if_refused()
        now = time.monotonic() - started
        turns = 0
        while turns < _TURNS_AT_A_TIME and sender.backlog < limit and (total is None or fleet.turn < total):
            due = fleet.due(fleet.turn)
            if due > now:
                break
            for outgoing in fleet.take_turn(epoch + due):
                sender.put(outgoing)
            turns += 1
        if turns == _TURNS_AT_A_TIME:
            await asyncio.sleep(0)  # behind: the lanes get their turn, but no rest
            continue
        pause = max(_TICK_SECONDS, fleet.due(fleet.turn) - now)
        await _wait(stop, min(pause, 1.0))


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


async def _unless(stop: asyncio.Event, work: object) -> bool:
    """Do the work, or leave it when ``stop`` comes first; whether it was done."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return False


def _summary(sender: Sender, seconds: float) -> Summary:
    totals = sender.totals
    return {
        "sent": totals.sent,
        "events": totals.events,
        "bytes": totals.bytes,
        "seconds": round(seconds, 3),
        "rate": round(totals.sent / seconds, 1) if seconds else 0.0,
        "corrupted": totals.corrupted,
        "duplicated": totals.duplicated,
    }


async def _report(sender: Sender, out: TextIO, elapsed: Callable[[], float]) -> None:
    """One line that renews itself every second on a terminal; a line every ten seconds, and at trouble, elsewhere."""
    terminal = out.isatty()
    before, trouble = 0, None
    since = 0
    try:
        while True:
            await asyncio.sleep(1)
            since += 1
            if not terminal and since < 10 and sender.trouble == trouble:
                continue
            sent = sender.totals.sent
            line = (
                f"{elapsed():7.0f} s  {sent:>9,} sent  {(sent - before) / since:>9,.1f}/s  {sender.backlog:,} waiting"
            )
            if sender.trouble:
                line += f"  hub not reached: {sender.trouble[:120]}"
            out.write(f"\r\x1b[K{line[:160]}" if terminal else f"{line}\n")
            out.flush()
            before, trouble, since = sent, sender.trouble, 0
    finally:
        if terminal:
            out.write("\n")
            out.flush()
