"""Fires timer functions: one run at a time each, status on disk, missed occurrences reported as past due."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from functions_host.clock import Clock
from functions_host.errors import FunctionFailed
from functions_host.files import safe_name, write_atomically
from functions_host.functions import FunctionInfo
from functions_host.invoker import Invoker
from functions_host.payloads import plain
from functions_host.tasks import Supervised, supervise
from functions_host.timers.schedule import Schedule, parse_schedule

logger = logging.getLogger("functions_host.timers")

_MONITORED_FROM = timedelta(minutes=1)
# The clock may be set while a timer sleeps: no sleep is longer than this.
_LONGEST_SLEEP = 30.0


@dataclass(slots=True)
class Status:
    """ScheduleStatus of the real host. None: never."""

    last: datetime | None = None
    next: datetime | None = None
    updated: datetime | None = None

    def as_json(self) -> dict[str, str]:
        return {"Last": _text(self.last), "LastUpdated": _text(self.updated), "Next": _text(self.next)}


class TimerService:
    """All timer functions of an app."""

    def __init__(
        self, functions: Sequence[FunctionInfo], invoker: Invoker, data_dir: Path, clock: Clock | None = None
    ) -> None:
        self._invoker = invoker
        self._clock = clock or Clock()
        self._now = self._clock.moment
        self._dir = data_dir / "timers"
        self._schedules = [
            (function, parse_schedule(function.trigger["schedule"], function.name)) for function in functions
        ]
        self._stopping = asyncio.Event()
        self._tasks: list[Supervised] = []

    def start(self) -> None:
        if self._schedules:
            self._dir.mkdir(parents=True, exist_ok=True)
        for function, schedule in self._schedules:
            self._tasks.append(supervise(partial(self._run, function, schedule), f"timer {function.name}"))

    def stop_firing(self) -> None:
        self._stopping.set()

    async def close(self) -> None:
        await asyncio.gather(*(task.stop() for task in self._tasks))

    async def fire_now(self, function: FunctionInfo) -> None:
        """What POST /admin/functions does: a run outside of the schedule."""
        await self._invoke(function, Status(), past_due=False)

    async def _run(self, function: FunctionInfo, schedule: Schedule) -> None:
        monitored = function.trigger.get("useMonitor") is not False
        monitored = monitored and not schedule.is_shorter_than(_MONITORED_FROM, self._now())
        path = self._dir / f"{safe_name(function.name)}.json"
        status = _load(path) if monitored else Status()
        past_due = status.next is not None and status.next < self._now()
        if past_due or function.trigger.get("runOnStartup") is True:
            if past_due:
                logger.info("timer %s is past due (it was due at %s)", function.name, _text(status.next))
            await self._fire(function, schedule, status, path if monitored else None, past_due=past_due)
        while not self._stopping.is_set():
            due = status.next if status.next is not None and status.next > self._now() else schedule.after(self._now())
            if status.next != due:
                status.next = due
                if monitored:
                    _save(path, status)
            logger.debug("timer %s: next at %s", function.name, _text(due))
            if not await self._sleep_until(due):
                return
            await self._fire(function, schedule, status, path if monitored else None, past_due=False)

    async def _fire(
        self, function: FunctionInfo, schedule: Schedule, status: Status, path: Path | None, *, past_due: bool
    ) -> None:
        due = status.next
        await self._invoke(function, status, past_due=past_due)
        moment = self._now()
        # Counted from the occurrence that was due, so that a clock that is a little behind cannot fire it twice.
        status.last = moment
        status.next = schedule.after(max(moment, due) if due is not None and schedule.interval is None else moment)
        status.updated = moment
        if path is not None:
            _save(path, status)

    async def _invoke(self, function: FunctionInfo, status: Status, *, past_due: bool) -> None:
        info: dict[str, Any] = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.as_json(),
            "IsPastDue": past_due,
        }
        try:
            payload = plain("json", json.dumps(info))
            await self._invoker.invoke_with_retries(function, payload, stopping=self._stopping)
        except FunctionFailed:
            pass  # logged where it happened; the schedule goes on

    async def _sleep_until(self, due: datetime) -> bool:
        while (left := (due - self._now()).total_seconds()) > 0:
            if await self._clock.wait_for(self._stopping, min(left, _LONGEST_SLEEP)):
                return False
        return not self._stopping.is_set()


def _text(moment: datetime | None) -> str:
    return "0001-01-01T00:00:00+00:00" if moment is None else moment.isoformat()


def _load(path: Path) -> Status:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Status(*(_read(document[key]) for key in ("Last", "Next", "LastUpdated")))
    except FileNotFoundError:
        return Status()
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, OSError):
        logger.warning("the timer status in %s cannot be read; starting afresh", path)
        return Status()


def _read(text: str) -> datetime | None:
    moment = datetime.fromisoformat(text)
    return None if moment.year == 1 else moment


def _save(path: Path, status: Status) -> None:
    try:
        write_atomically(path, json.dumps(status.as_json()))
    except OSError as error:
        logger.error("the timer status %s cannot be written: %s", path, error)
