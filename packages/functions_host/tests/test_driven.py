"""What is driven goes on in the moment in which what it waits for is there, and ends like a task in all else."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable
from typing import Any

import pytest
from functions_host.driven import Drive, Driven, Later

who = contextvars.ContextVar("who", default="nobody")


async def test_it_runs_to_its_first_wait_at_once_and_goes_on_within_give() -> None:
    drive, later = Drive(), Later[int]()
    seen: list[Any] = []

    async def work() -> None:
        seen.append("begun")
        seen.append(await later)
        seen.append("over")

    drive.start(work())
    assert seen == ["begun"]
    later.give(7)
    assert seen == ["begun", 7, "over"]


async def test_a_failure_is_raised_where_it_waits_and_only_the_first_result_counts() -> None:
    drive, later, seen = Drive(), Later[int](), []

    async def work() -> None:
        try:
            await later
        except ValueError as error:
            seen.append(str(error))

    drive.start(work())
    later.fail(ValueError("no"))
    later.give(1)
    assert seen == ["no"]
    assert later.done()
    assert isinstance(later.exception(), ValueError)


async def test_many_wait_for_the_same_driven_or_in_tasks_before_it_is_done_or_after() -> None:
    drive, later, seen = Drive(), Later[str](), []

    async def work(name: str) -> None:
        seen.append((name, await later))

    for name in "ab":
        drive.start(work(name))
    tasks = [asyncio.create_task(work(name)) for name in "cd"]
    await asyncio.sleep(0)
    later.give("x")
    assert seen == [("a", "x"), ("b", "x")], "what is driven waits for no turn of the loop"
    await asyncio.gather(*tasks)
    drive.start(work("e"))
    await work("f")
    assert seen == [(name, "x") for name in "abcdef"]


async def test_a_task_that_waits_may_be_cancelled_and_others_go_on() -> None:
    later = Later[int]()
    given_up, patient = (asyncio.create_task(_value(later)) for _ in range(2))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    assert given_up.cancelled()
    later.give(3)
    assert await patient == 3


async def _value(later: Later[int]) -> int:
    return await later


async def test_one_that_ends_another_in_its_step_leaves_tasks_and_driven_apart() -> None:
    """Within a driven step others go on; what they and a task await afterwards is each one's own."""
    drive, first, second, third, seen = Drive(), Later[int](), Later[int](), Later[int](), []

    async def inner() -> None:
        seen.append(await first)
        seen.append(await second)

    async def outer() -> None:
        first.give(1)
        seen.append(await third)

    drive.start(inner())
    drive.start(outer())
    task = asyncio.create_task(_value(third))
    await asyncio.sleep(0)
    second.give(2)
    third.give(3)
    assert await task == 3
    assert seen == [1, 2, 3]


@pytest.mark.parametrize(
    "wait", [lambda: asyncio.sleep(0), lambda: asyncio.sleep(0.001), lambda: asyncio.to_thread(int)]
)
async def test_it_may_wait_for_what_asyncio_has(wait: Any) -> None:
    drive, over = Drive(), Later[None]()

    async def work() -> None:
        await wait()
        over.give(None)

    drive.start(work())
    await asyncio.wait_for(over.wait(), 5)


async def test_each_has_a_context_of_its_own() -> None:
    drive, later, seen = Drive(), Later[None](), []

    async def work(name: str) -> None:
        who.set(name)
        await later
        seen.append(who.get())

    for name in ("a", "b"):
        drive.start(work(name))
    who.set("the test")
    later.give(None)
    assert seen == ["a", "b"]
    assert who.get() == "the test"


async def test_who_is_late_is_cancelled_wherever_it_waits_and_waited_for() -> None:
    drive, never, seen = Drive(), Later[None](), []

    async def work(what: Awaitable[Any]) -> None:
        try:
            await what
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            seen.append("cancelled")
            raise

    drive.start(work(never))
    drive.start(work(asyncio.Event().wait()))
    drive.start(work(asyncio.sleep(0)))
    await asyncio.wait_for(drive.finish_within(0.05), 5)
    assert seen == ["cancelled"] * 2, "the third one had ended"
    never.give(None)
    await asyncio.wait_for(drive.finish_within(0.05), 5)


async def test_one_that_waits_for_the_next_turn_is_cancelled_in_it() -> None:
    seen: list[str] = []
    ended: list[BaseException | None] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            seen.append("cancelled")

    driven = Driven(work(), lambda _, error: ended.append(error))
    driven.start()
    driven.cancel()
    await asyncio.sleep(0)
    assert seen == ["cancelled"]
    assert ended == [None]


async def test_who_ends_in_time_is_left_alone() -> None:
    drive, later, seen = Drive(), Later[None](), []

    async def work() -> None:
        await later
        seen.append("over")

    drive.start(work())
    asyncio.get_running_loop().call_later(0.01, later.give, None)
    await asyncio.wait_for(drive.finish_within(5), 4)
    assert seen == ["over"]


async def test_an_unexpected_end_is_told_and_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    drive, later, seen = Drive(), Later[None](), []

    async def breaks() -> None:
        await later
        raise ValueError("broken")

    async def goes_on() -> None:
        await later
        seen.append("over")

    drive.start(breaks())
    drive.start(goes_on())
    with caplog.at_level(logging.CRITICAL):
        later.give(None)
    assert seen == ["over"]
    assert "ended unexpectedly" in caplog.text
    assert "ValueError: broken" in caplog.text
