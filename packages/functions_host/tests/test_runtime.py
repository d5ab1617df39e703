"""The order in which a worker takes up its calls, with a message after the other in one go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest
from functions_host.channel import DONE, FAILED, REPLY, SIGNALLED, SIGNALS, SKIPPED, TURNED, TURNS, Message
from functions_host.functions import index
from functions_host.payloads import EMPTY, Payload, handle
from functions_host.pool.call import Call
from functions_host.worker.runtime import Runtime

_CONTEXT = {
    "history": [
        {"EventType": 12, "EventId": -1, "IsPlayed": False, "Timestamp": "2026-01-01T00:00:00Z"},
        {
            "EventType": 0,
            "EventId": -1,
            "IsPlayed": False,
            "Timestamp": "2026-01-01T00:00:00Z",
            "Name": "blocks",
            "Version": None,
        },
    ],
    "input": None,
    "instanceId": "a",
    "isReplaying": False,
    "parentInstanceId": None,
    "upperSchemaVersion": 0,
}


class Host:
    """What the worker sees of it: the page, and the socket, of which only what was flushed has come in."""

    def __init__(self, build: Callable[[df.DFApp, Host], Any]) -> None:
        app = df.DFApp()
        build(app, self)
        self.begun = 0
        self.handling = 0
        self.taken_back: set[int] = set()
        self.waiting: list[tuple[int, int]] = []
        self.heard: list[tuple[int, int]] = []
        self.notes: list[Any] = []
        self.posted: list[Any] = []
        self._calls = 0
        functions = {function.name: function for function in index(app.get_functions())}
        self.runtime = Runtime(functions, self, self, threads=1, clients={})

    def is_taken_back(self, number: int) -> bool:
        return number in self.taken_back

    def send(self, message: Message) -> None:
        self.waiting.append((message[0], message[1]))

    def post(self, kind: int, item: Any) -> None:
        self.posted.append((kind, item))
        if kind == TURNED:
            self.waiting.append((DONE, item[0]))

    def flush(self) -> None:
        self.heard += self.waiting
        self.waiting = []

    def call(self, name: str, payload: Payload = EMPTY) -> None:
        self._calls += 1
        call = Call(name, str(self._calls), payload, None, None)
        call.number = self._calls
        self.runtime.received(call.message())


def two_timers(app: df.DFApp, host: Host) -> None:
    @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
    async def one(tick: func.TimerRequest) -> None:
        host.notes.append(("one", host.begun))

    @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
    async def two(tick: func.TimerRequest) -> None:
        host.notes.append(("two", host.begun))

    @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
    async def reads_answers(tick: func.TimerRequest) -> None:
        host.notes.append(("heard", list(host.heard)))

    @app.orchestration_trigger(context_name="context")
    def blocks(context: Any) -> str:
        host.notes.append(("blocks", host.begun, list(host.heard)))
        return "done"

    @app.entity_trigger(context_name="context")
    def notes(context: Any) -> None:
        host.notes.append(("notes", host.begun, host.handling))

    @app.entity_trigger(context_name="context")
    def breaks(context: Any) -> None:
        raise SystemExit(3)


@pytest.fixture
async def host() -> Host:
    return Host(two_timers)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_async_function_has_begun_when_it_runs_and_not_before(host: Host) -> None:
    host.call("one")
    host.call("two")
    assert host.begun == 0
    await settled()
    assert host.notes == [("one", 1), ("two", 2)]


async def test_one_that_is_taken_back_before_it_runs_is_another_workers(host: Host) -> None:
    host.call("one")
    host.call("two")
    host.taken_back = {1, 2}
    await settled()
    host.flush()
    assert host.notes == []
    assert host.heard == [(SKIPPED, 1), (SKIPPED, 2)]


async def test_what_one_answered_is_on_its_way_before_the_next_runs(host: Host) -> None:
    host.call("one")
    host.call("reads_answers")
    await settled()
    assert host.notes == [("one", 1), ("heard", [(DONE, 1)])]


async def test_an_orchestrator_that_blocks_leaves_no_answer_behind_it(host: Host) -> None:
    host.call("one")
    host.call("blocks", handle(json.dumps(_CONTEXT)))
    await settled()
    assert [note[0] for note in host.notes] == ["one", "blocks"]
    assert host.notes[1] == ("blocks", 2, [(DONE, 1)])


async def test_turns_of_entities_are_taken_up_one_after_another_unless_they_are_anothers(host: Host) -> None:
    host.call("one")
    entity = ("entity", "notes", "k", False, None, (("id", "note", '"1"', True),))
    host.taken_back = {3}
    names = ("notes", "notes", "gone", "breaks")
    host.runtime.received((TURNS, [(number, name, "", entity) for number, name in enumerate(names, 2)]))
    assert host.notes == [], "before the task that came first"
    await settled()
    host.flush()
    assert host.notes == [("one", 1), ("notes", 2, 2)]
    assert sorted(host.heard, key=lambda one: one[1]) == [
        (DONE, 1), (DONE, 2), (SKIPPED, 3), (FAILED, 4), (FAILED, 5),
    ]  # fmt: skip
    assert host.handling == 0


async def test_what_many_tell_entities_goes_out_together_and_each_hears_what_came_of_it(host: Host) -> None:
    answers = [host.runtime.signal(("log", f"k{number}", "note", '"1"')) for number in range(3)]
    answers[2].cancel()
    host.runtime.received((SIGNALLED, 202, [1, 3]))
    # One that the engine leaves to the management API is answered by that.
    host.runtime.received((REPLY, 2, 400, b"no such entity"))
    host.runtime.received((SIGNALLED, 202, [9]))
    assert [await answer for answer in answers[:2]] == [202, 400]
    assert host.posted == [(SIGNALS, (number + 1, "log", f"k{number}", "note", '"1"')) for number in range(3)]


async def test_a_task_that_the_app_cancels_before_it_runs_fails_and_the_next_is_taken_up(host: Host) -> None:
    host.call("one")
    before = asyncio.all_tasks()
    host.call("two")
    for task in before - {asyncio.current_task()}:
        task.cancel()
    await settled()
    host.flush()
    assert host.notes == [("two", 2)]
    assert host.heard == [(DONE, 2), (FAILED, 1)]
    assert host.begun == 2
