from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import azure.functions as func
import pytest
from functions_host.functions import index
from functions_host.timers.service import TimerService
from in_process import LocalInvoker
from moved_clock import MovedClock

Ticks = list[func.TimerRequest]


async def run_for(
    folder: Path,
    schedule: str,
    until: Callable[[Ticks], bool],
    *,
    run_on_startup: bool = False,
    use_monitor: bool | None = None,
    work: Callable[[], Awaitable[None]] | None = None,
    seconds: float = 3,
) -> Ticks:
    app, ticks = func.FunctionApp(), Ticks()

    @app.timer_trigger(arg_name="tick", schedule=schedule, run_on_startup=run_on_startup, use_monitor=use_monitor)
    async def nightly(tick: func.TimerRequest) -> None:
        ticks.append(tick)
        if work is not None:
            await work()

    invoker = LocalInvoker()
    service = TimerService(index(app.get_functions()), invoker, folder)
    service.start()
    end = asyncio.get_running_loop().time() + seconds
    try:
        while not until(ticks) and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    finally:
        service.stop_firing()
        await service.close()
        invoker.close()
    return ticks


def status_file(folder: Path) -> Path:
    return folder / "timers" / "nightly.json"


def write_status(folder: Path, last: datetime, due: datetime) -> None:
    status_file(folder).parent.mkdir(parents=True)
    document = {"Last": last.isoformat(), "Next": due.isoformat(), "LastUpdated": last.isoformat()}
    status_file(folder).write_text(json.dumps(document))


async def test_a_missed_occurrence_is_run_at_start_as_past_due(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    write_status(tmp_path, now - timedelta(days=2), now - timedelta(days=1))
    ticks = await run_for(tmp_path, "0 0 3 * * *", lambda ticks: bool(ticks))
    assert [tick.past_due for tick in ticks] == [True]
    assert ticks[0].schedule_status["Next"] == (now - timedelta(days=1)).isoformat()
    after = json.loads(status_file(tmp_path).read_text())
    assert datetime.fromisoformat(after["Next"]) > now
    assert datetime.fromisoformat(after["Last"]) >= now


async def test_an_occurrence_to_come_is_waited_for(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    write_status(tmp_path, now - timedelta(hours=1), now + timedelta(hours=1))
    assert await run_for(tmp_path, "0 0 3 * * *", lambda ticks: bool(ticks), seconds=0.2) == []


async def test_nothing_is_past_due_without_a_monitor(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    write_status(tmp_path, now - timedelta(days=2), now - timedelta(days=1))
    assert await run_for(tmp_path, "0 0 3 * * *", lambda ticks: bool(ticks), use_monitor=False, seconds=0.2) == []


async def test_the_first_start_writes_when_the_timer_is_due(tmp_path: Path) -> None:
    await run_for(tmp_path, "0 0 3 * * *", lambda _: status_file(tmp_path).exists())
    document = json.loads(status_file(tmp_path).read_text())
    assert datetime.fromisoformat(document["Next"]).hour == 3
    assert document["Last"].startswith("0001")


async def test_run_on_startup_fires_once_at_once(tmp_path: Path) -> None:
    ticks = await run_for(tmp_path, "0 0 3 * * *", lambda ticks: bool(ticks), run_on_startup=True)
    assert [tick.past_due for tick in ticks] == [False]


async def test_a_status_that_cannot_be_read_does_not_stop_the_timer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status_file(tmp_path).parent.mkdir(parents=True)
    status_file(tmp_path).write_text("{")
    ticks = await run_for(tmp_path, "0 0 3 * * *", lambda ticks: bool(ticks), run_on_startup=True)
    assert len(ticks) == 1
    assert "cannot be read" in caplog.text


async def test_each_second_means_each_second_once(tmp_path: Path) -> None:
    started = datetime.now(timezone.utc)
    ticks = await run_for(tmp_path, "* * * * * *", lambda ticks: len(ticks) >= 2)
    assert len(ticks) == 2
    assert datetime.now(timezone.utc) - started > timedelta(seconds=1)


async def test_a_run_never_overlaps_the_next(tmp_path: Path) -> None:
    running, most = 0, 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1.2)
        running -= 1

    await run_for(tmp_path, "* * * * * *", lambda ticks: len(ticks) >= 2, work=work, seconds=4)
    assert most == 1


async def test_a_failing_timer_goes_on(tmp_path: Path) -> None:
    async def work() -> None:
        raise ValueError("now and then")

    assert len(await run_for(tmp_path, "* * * * * *", lambda ticks: len(ticks) >= 2, work=work)) == 2


async def test_a_week_of_nights_passes_in_a_moment(tmp_path: Path) -> None:
    app, fired = func.FunctionApp(), list[datetime]()
    clock = MovedClock()

    @app.timer_trigger(arg_name="tick", schedule="0 0 3 * * *")
    async def nightly(tick: func.TimerRequest) -> None:
        fired.append(clock.moment())

    invoker = LocalInvoker()
    service = TimerService(index(app.get_functions()), invoker, tmp_path, clock)
    service.start()
    await asyncio.sleep(0.01)
    for _ in range(7 * 24):
        await clock.advance(3_600)
    service.stop_firing()
    await service.close()
    invoker.close()
    assert [(moment.hour, moment.minute, moment.second) for moment in fired] == [(3, 0, 0)] * 7
