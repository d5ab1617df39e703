"""The host's own tasks: one that ends unexpectedly is told of, and started again."""

from __future__ import annotations

import asyncio

import pytest
from functions_host import tasks
from functions_host.tasks import supervise


@pytest.fixture(autouse=True)
def _no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_DELAYS", (0.0,))


@pytest.mark.parametrize("error", [ValueError("broken"), asyncio.CancelledError(), GeneratorExit()])
async def test_a_task_that_breaks_off_is_said_and_started_again(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    runs, done = 0, asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise error
        done.set()
        await asyncio.sleep(60)

    task = supervise(work, "the watch")
    await asyncio.wait_for(done.wait(), 5)
    assert caplog.text.count("the watch ended unexpectedly; it is started again") == 2
    await task.stop()
    assert task.done()
    assert runs == 3


async def test_one_that_returns_is_over(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        return

    task = supervise(work, "the watch")
    await asyncio.sleep(0.01)
    assert task.done()
    assert not caplog.records


async def test_a_stop_gives_it_time(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        ended.append(True)

    task = supervise(work, "the watch")
    await task.stop(5)
    assert ended == [True]
    assert not caplog.records


async def test_one_that_is_cancelled_takes_its_work_along() -> None:
    cut = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cut.append(True)
            raise

    task = supervise(work, "the watch")
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.01)
    assert cut == [True]
    assert task.done()
