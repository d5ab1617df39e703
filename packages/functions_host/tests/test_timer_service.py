from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import azure.functions as func
import pytest
from functions_host.clock import Clock
from functions_host.functions import index
from functions_host.timers.service import TimerService
from in_process import LocalInvoker
from moved_clock import MovedClock

EIGHT = 1_800_000_000_500_000
NOW = datetime(2027, 1, 15, 8, 0, 0, 500_000, tzinfo=timezone.utc)


class Timer:
    """The function ``nightly``, its service and the clock, which stands at 08:00:00.5 until ``pass_by`` moves it."""

    def __init__(
        self,
        folder: Path,
        schedule: str = "0 0 3 * * *",
        *,
        run_on_startup: bool = False,
        use_monitor: bool | None = None,
        work: Callable[[Clock], Awaitable[None]] | None = None,
    ) -> None:
        self.clock, self.ticks, self.at = MovedClock(EIGHT), list[func.TimerRequest](), list[datetime]()
        app = func.FunctionApp()

        @app.timer_trigger(arg_name="tick", schedule=schedule, run_on_startup=run_on_startup, use_monitor=use_monitor)
        async def nightly(tick: func.TimerRequest) -> None:
            self.ticks.append(tick)
            self.at.append(self.clock.moment())
            if work is not None:
                await work(self.clock)

        self._invoker = LocalInvoker()
        self._service = TimerService(index(app.get_functions()), self._invoker, folder, self.clock)

    async def __aenter__(self) -> Timer:
        self._service.start()
        await self.pass_by(0.001)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._service.stop_firing()
        await self._service.close()
        self._invoker.close()

    async def pass_by(self, seconds: float) -> None:
        """So many seconds; what a run then still has to do in threads and tasks, it does."""
        await self.clock.advance(seconds)
        for _ in range(50):
            await asyncio.sleep(0)


def status_file(folder: Path) -> Path:
    return folder / "timers" / "nightly.json"


def write_status(folder: Path, last: datetime, due: datetime) -> None:
    status_file(folder).parent.mkdir(parents=True)
    document = {"Last": last.isoformat(), "Next": due.isoformat(), "LastUpdated": last.isoformat()}
    status_file(folder).write_text(json.dumps(document))


async def test_a_missed_occurrence_is_run_at_start_as_past_due(tmp_path: Path) -> None:
    write_status(tmp_path, NOW - timedelta(days=2), NOW - timedelta(days=1))
    async with Timer(tmp_path) as timer:
        assert [tick.past_due for tick in timer.ticks] == [True]
    assert timer.ticks[0].schedule_status["Next"] == (NOW - timedelta(days=1)).isoformat()
    after = json.loads(status_file(tmp_path).read_text())
    assert datetime.fromisoformat(after["Next"]) == datetime(2027, 1, 16, 3, tzinfo=timezone.utc)
    assert datetime.fromisoformat(after["Last"]) >= NOW


async def test_an_occurrence_to_come_is_waited_for(tmp_path: Path) -> None:
    write_status(tmp_path, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    async with Timer(tmp_path) as timer:
        await timer.pass_by(3_599)
        assert timer.ticks == []
        await timer.pass_by(1)
        assert [tick.past_due for tick in timer.ticks] == [False]


async def test_nothing_is_past_due_without_a_monitor(tmp_path: Path) -> None:
    write_status(tmp_path, NOW - timedelta(days=2), NOW - timedelta(days=1))
    async with Timer(tmp_path, use_monitor=False) as timer:
        await timer.pass_by(3_600)
    assert timer.ticks == []


async def test_the_first_start_writes_when_the_timer_is_due(tmp_path: Path) -> None:
    async with Timer(tmp_path):
        document = json.loads(status_file(tmp_path).read_text())
    assert datetime.fromisoformat(document["Next"]).hour == 3
    assert document["Last"].startswith("0001")


async def test_run_on_startup_fires_once_at_once(tmp_path: Path) -> None:
    async with Timer(tmp_path, run_on_startup=True) as timer:
        await timer.pass_by(3_600)
    assert [tick.past_due for tick in timer.ticks] == [False]


async def test_a_status_that_cannot_be_read_does_not_stop_the_timer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status_file(tmp_path).parent.mkdir(parents=True)
    status_file(tmp_path).write_text("{")
    async with Timer(tmp_path, run_on_startup=True) as timer:
        assert len(timer.ticks) == 1
    assert "cannot be read" in caplog.text


async def test_each_second_means_each_second_once(tmp_path: Path) -> None:
    async with Timer(tmp_path, "* * * * * *") as timer:
        await timer.pass_by(3)
    assert [moment.second for moment in timer.at] == [1, 2, 3]


async def test_a_run_never_overlaps_the_next(tmp_path: Path) -> None:
    running, most, ended = 0, 0, 0

    async def work(clock: Clock) -> None:
        nonlocal running, most, ended
        running += 1
        most = max(most, running)
        await clock.sleep(1.2)
        running -= 1
        ended += 1

    async with Timer(tmp_path, "* * * * * *", work=work) as timer:
        await timer.pass_by(8)
    assert most == 1
    assert ended >= 3
    # The second that passes while it runs is left out, and no run is made up for.
    assert [moment.second for moment in timer.at] == [1, 3, 5, 7]


async def test_a_failing_timer_goes_on(tmp_path: Path) -> None:
    async def work(_: Clock) -> None:
        raise ValueError("now and then")

    async with Timer(tmp_path, "* * * * * *", work=work) as timer:
        await timer.pass_by(2)
        assert len(timer.ticks) == 2


async def test_a_week_of_nights_passes_in_a_moment(tmp_path: Path) -> None:
    async with Timer(tmp_path) as timer:
        for _ in range(7 * 24):
            await timer.pass_by(3_600)
    assert [(moment.hour, moment.minute, moment.second) for moment in timer.at] == [(3, 0, 0)] * 7
