"""Reading under a time limit gives up the loop only when there is something to wait for."""

from __future__ import annotations

import asyncio
import importlib

import pytest
from functions_host.eventhubs.quick_frames import install_quick_frames, wait_for


async def test_what_is_there_already_takes_no_turn_of_the_loop() -> None:
    turns: list[str] = []
    asyncio.get_running_loop().call_soon(turns.append, "turn")

    async def at_once() -> int:
        return 7

    assert await wait_for(at_once(), 1) == 7
    assert turns == []


async def test_time_over_cancels_and_says_so() -> None:
    cancelled = []

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(asyncio.TimeoutError):
        await wait_for(never(), 0.001)
    assert cancelled == [True]


async def test_several_waits_one_after_another_and_an_error_of_its_own() -> None:
    async def waits_twice_then_fails() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        await wait_for(waits_twice_then_fails(), 5)


async def test_a_cancelled_caller_cancels_what_it_waits_for() -> None:
    gone = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            gone.set()

    task = asyncio.ensure_future(wait_for(waits(), 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone.is_set()


async def test_no_limit_waits() -> None:
    assert await wait_for(asyncio.sleep(0.001, "done"), None) == "done"


def test_the_sdk_reads_frames_with_it_and_nothing_else_changes() -> None:
    install_quick_frames()
    transport = importlib.import_module("azure.eventhub._pyamqp.aio._transport_async")
    assert transport.asyncio.wait_for is wait_for
    assert transport.asyncio.TimeoutError is asyncio.TimeoutError
    assert asyncio.wait_for is not wait_for
