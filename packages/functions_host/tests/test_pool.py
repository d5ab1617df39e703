"""Calls of entities go to the workers in one message each, as even as single calls would."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from functions_host.channel import CALL, REPLY, SIGNALLED, SIGNALS, TURNED, TURNS, Message
from functions_host.errors import WorkerLost
from functions_host.pool.call import HandedCall
from functions_host.pool.crew import CrewOptions
from functions_host.pool.pool import Signal, WorkerPool
from functions_host.pool.process import State, WorkerProcess


class Worker(WorkerProcess):
    """One that nothing runs in."""

    def __init__(self) -> None:
        super().__init__(lambda worker, message: None)
        self.state = State.READY
        self.got: list[Message] = []

    def send(self, message: Message) -> None:
        if "unsendable" in str(message):
            raise ValueError("unmarshallable object")
        self.got.append(message)


@pytest.fixture
def pool(tmp_path: Path) -> WorkerPool:
    return WorkerPool(CrewOptions(1, tmp_path, {}))


def handed(told: list[Any], key: str) -> HandedCall:
    return HandedCall("drone", f"id of {key}", ("entity", key), lambda value, error: told.append((key, value, error)))


async def test_turns_for_one_worker_are_one_message_and_so_are_their_answers(pool: WorkerPool) -> None:
    worker = Worker()
    told: list[Any] = []
    pool._crew.workers.append(worker)
    calls = [handed(told, key) for key in "abc"]
    worker.sent = 4
    pool.submit_all(calls, 32)
    assert worker.got == [(TURNS, [(5 + n, "drone", f"id of {key}", ("entity", key)) for n, key in enumerate("abc")])]
    assert worker.sent == 7
    assert pool.has_begun(calls[0]) is False
    pool._received(worker, (TURNED, [(6, ("entity", True)), (5, ("entity", False)), (99, None)]))
    assert told == [("b", ("entity", True), None), ("a", ("entity", False), None)]
    assert list(worker.calls) == [7]


async def test_turns_are_spread_over_the_workers_by_what_these_have_to_do(pool: WorkerPool) -> None:
    workers = [Worker(), Worker(), Worker()]
    pool._crew.workers += workers
    workers[2].state = State.STUCK
    pool.submit_all([handed([], key) for key in "ab"], 32)
    assert [len(worker.calls) for worker in workers] == [1, 1, 0]
    workers[1].calls.clear()
    pool.submit_all([handed([], key) for key in "cde"], 2)
    assert [len(worker.calls) for worker in workers] == [2, 2, 0]


async def test_where_fewer_may_run_than_there_are_workers_all_turns_go_to_one(pool: WorkerPool) -> None:
    workers = [Worker(), Worker()]
    pool._crew.workers += workers
    pool.submit_all([handed([], key) for key in "ab"], 1)
    pool.submit_all([handed([], key) for key in "cd"], 1)
    assert [len(worker.calls) for worker in workers] == [4, 0]


async def test_turns_wait_while_there_is_no_worker_and_fail_when_there_will_be_none(pool: WorkerPool) -> None:
    told: list[Any] = []
    pool.submit_all([handed(told, "a")], 32)
    worker = Worker()
    pool._crew.workers.append(worker)
    pool._hand_out()
    assert [message[0] for message in worker.got] == [CALL]
    worker.state = State.LEAVING
    pool._crew.stopping = True
    pool.submit_all([handed(told, "b")], 32)
    assert [(key, type(error)) for key, _, error in told] == [("b", WorkerLost)]


async def test_one_turn_that_cannot_be_sent_fails_alone(pool: WorkerPool) -> None:
    worker = Worker()
    told: list[Any] = []
    pool._crew.workers.append(worker)
    pool.submit_all([handed(told, key) for key in ("a", "unsendable", "b")], 32)
    assert [message[6] for message in worker.got] == [("entity", "a"), ("entity", "b")]
    assert [(key, type(error)) for key, _, error in told] == [("unsendable", ValueError)]
    assert (worker.sent, list(worker.calls)) == (2, [1, 2])


async def test_signals_go_to_the_engine_together_and_those_it_leaves_to_the_management_api(pool: WorkerPool) -> None:
    worker = Worker()
    pool._crew.workers.append(worker)
    asked: list[Any] = []

    class Engine:
        def signal(self, *_: Any) -> bool:
            raise AssertionError

        def signal_all(self, signals: Any, stored: Any) -> list[Signal]:
            taken, left = signals[:2], signals[2:]
            stored([signal[0] for signal in taken[:1]], None)
            stored([signal[0] for signal in taken[1:]], ValueError("refused"))
            return list(left)

    async def ask(*request: Any) -> tuple[int, bytes]:
        asked.append(request)
        return 400, b"no such entity"

    pool._signals, pool._ask = Engine(), ask
    pool._received(worker, (SIGNALS, [(n, "log", key, "note", '"1"') for n, key in enumerate("abc")]))
    while len(worker.got) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert worker.got == [(SIGNALLED, 202, [0]), (SIGNALLED, 500, [1]), (REPLY, 2, 400, b"no such entity")]
    headers = {"content-type": "application/json"}
    assert asked == [("POST", "entities/log/c", [("op", "note")], headers, b'"1"')]
