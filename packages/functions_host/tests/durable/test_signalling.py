"""Many signals at once: the same as one by one, in one transaction, and what is refused fails alone."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import azure.durable_functions as df
import pytest
from azure.durable_functions import EntityId
from functions_host.durable import DurableOptions
from functions_host.durable.acceleration import install_signalling, uninstall_signalling
from functions_host.durable.entity_calls import EntityAnswer, EntityCall
from functions_host.durable.messages import Message, Operation

from .durable_support import Host

HostMaker = Callable[..., Any]
CLIENT = importlib.import_module("azure.durable_functions.models.DurableOrchestrationClient").DurableOrchestrationClient
SIGNAL_ENTITY = CLIENT.signal_entity


def build() -> df.DFApp:
    app = df.DFApp()

    @app.entity_trigger(context_name="context")
    def log(context: df.DurableEntityContext) -> None:
        entries = context.get_state(list)
        entries.append([context.operation_name, context.get_input()])
        context.set_state(entries)

    @app.orchestration_trigger(context_name="context")
    def waits(context: df.DurableOrchestrationContext) -> str:
        return "done"

    return app


class Signals:
    """The worker's end and the pool's: what is asked in one turn of the loop goes to the engine together."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._asked: dict[int, asyncio.Future[int]] = {}
        self._waiting: list[tuple[int, str, str, str, str]] = []
        self.taken = 0

    def signal(self, name: str, key: str, operation: str, text: str) -> asyncio.Future[int]:
        number = self.taken = self.taken + 1
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append((number, name, key, operation, text))
        self._asked[number] = asyncio.get_running_loop().create_future()
        return self._asked[number]

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for number, *_ in self._host.engine.signal_all(waiting, self._stored):
            self._asked[number].set_result(400)

    def _stored(self, numbers: list[int], error: BaseException | None) -> None:
        for number in numbers:
            self._asked[number].set_result(202 if error is None else 500)


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    yield
    uninstall_signalling(CLIENT_URL)
    assert CLIENT.signal_entity is SIGNAL_ENTITY


CLIENT_URL = "http://127.0.0.1:7071/runtime/webhooks/durabletask/"

INPUTS: list[Any] = [
    None, 0, 3, "", "text", "é \"quoted\" \\ \n", "\U0001f600", {"ä": [1, 2.5, None]}, [], [[]], "\ud800",
]  # fmt: skip
KEYS = ["plain", "with.dots:and-~_", "a key", "100%", "é", "x" * 300, "a#b", ".."]


async def outcome(call: Any) -> str | None:
    try:
        await call
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


async def told(one: Host) -> list[Any]:
    """What came of signals of all kinds, and what the entities know then."""
    client = df.DurableOrchestrationClient(one.engine.client_binding(None, None))
    calls = [
        *(client.signal_entity(EntityId("log", "inputs"), "note", given) for given in INPUTS),
        *(client.signal_entity(EntityId("LOG", key), "note", 1) for key in KEYS),
        *(client.signal_entity(EntityId("log", "names"), name, 1) for name in ("plain", "two words", "a&b=c", "ü", "")),
        client.signal_entity(EntityId(["log"], "k"), "note", 1),
        client.signal_entity(EntityId("log", "k"), ["note"], 1),
        client.signal_entity(EntityId("log", "hub"), "note", 1, task_hub_name="Other"),
        client.signal_entity(EntityId("log", "hub"), "note", 1, connection_name="Other"),
        client.signal_entity(EntityId("nosuch", "k"), "note", 1),
    ]
    outcomes = [await outcome(call) for call in calls]
    await one.quiet()
    return [outcomes, one.engine.store.read("SELECT instance_id, entity_state FROM instances ORDER BY 1")]


async def test_a_client_tells_entities_the_same_by_either_way(host: HostMaker, tmp_path: Any) -> None:
    one = await host(build(), accelerate=True)
    by_requests = await told(one)
    await one.stop()
    (tmp_path / "durable.db").unlink()
    two = await host(build(), accelerate=True)
    signals = Signals(two)
    install_signalling(CLIENT_URL, signals.signal)
    directly = await told(two)
    assert directly[1] == by_requests[1]
    # Which functions there are is said by whoever answers; here that is the status alone.
    assert [one and one[:50] for one in directly[0]] == [one and one[:50] for one in by_requests[0]]
    assert signals.taken == len(INPUTS) + 2 + 1 + 1


async def test_clients_of_other_hosts_and_an_sdk_that_is_not_known_go_their_own_way(
    host: HostMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await host(build(), accelerate=True)
    signals = Signals(one)
    install_signalling("http://127.0.0.1:1/", signals.signal)
    client = df.DurableOrchestrationClient(one.engine.client_binding(None, None))
    await client.signal_entity(EntityId("log", "k"), "note", 1)
    uninstall_signalling("http://127.0.0.1:1/")
    monkeypatch.setattr("functions_host.durable.acceleration.signalling.SIGNAL_ENTITY.digest", "another")
    install_signalling(CLIENT_URL, signals.signal)
    assert CLIENT.signal_entity is SIGNAL_ENTITY
    assert signals.taken == 0


async def test_signals_of_one_turn_share_a_transaction_and_keep_their_order(host: HostMaker) -> None:
    one = await host(build())
    stored: list[tuple[list[int], int]] = []
    before = one.engine.store.commits
    signals = [(number, "log", f"k{number % 3}", "note", json.dumps(json.dumps(number))) for number in range(30)]
    left = one.engine.signal_all(signals, lambda numbers, _: stored.append((numbers, one.engine.store.commits)))
    assert not left
    assert not stored, "told before it is stored"
    await one.until(lambda: stored)
    assert stored == [(list(range(30)), before + 1)]
    await one.quiet()
    assert one.engine.store.commits == before + 2, "what came of three entities' turns is stored together"
    states = one.engine.store.read("SELECT entity_state FROM instances ORDER BY instance_id")
    for key, (state,) in enumerate(states):
        assert json.loads(state) == [["note", number] for number in range(key, 30, 3)]


@pytest.mark.parametrize(
    "operation",
    [
        Operation("id", "note", '"1"'),
        Operation("", "note", '{"lines":"a\\nb"}'),
        Operation("id", "note", "1\n\n"),
        Operation("id", "two\nlines", '"1"'),
        Operation("id", "", '"1"'),
        Operation("id", "ünï", '"é"'),
        Operation("id", "note", None),
        Operation("id", "note", '"1"', "caller", "execution"),
    ],
)
def test_an_operation_is_read_as_it_was_stored(operation: Operation) -> None:
    message = Message(7, "@log@k", operation, 12)
    _, row = message.insert()
    read = Message.from_row(row)
    assert (read.seq, read.instance_id, read.payload, read.due) == (7, "@log@k", operation, 12)


async def test_where_one_step_may_run_four_turns_are_handed_over_and_no_orchestration_beside_them(
    host: HostMaker,
) -> None:
    one = await host(build(), DurableOptions(max_concurrent_orchestrators=1))
    gate, real = asyncio.Event(), one.runner.run_entity
    handed: list[list[str]] = []
    start = one.runner.start_entities

    def noted(name: str, calls: Any, at_once: int) -> None:
        assert at_once == 1
        handed.append([call.key for call, _ in calls])
        start(name, calls, at_once)

    async def held(*call: Any) -> Any:
        await gate.wait()
        return await real(*call)

    one.runner.start_entities, one.runner.run_entity = noted, held
    one.engine.signal_all([(n, "log", str(n), "note", '"1"') for n in range(6)], lambda *_: None)
    await one.until(lambda: handed)
    await one.start_new("waits", "w")
    await asyncio.sleep(0.05)
    assert handed == [["0", "1", "2", "3"]]
    assert not [kind for kind, *_ in one.runner.contexts if kind == "orchestrator"]
    gate.set()
    assert (await one.end_of("w"))["runtimeStatus"] == "Completed"
    await one.quiet()
    assert sorted(key for group in handed for key in group) == [str(n) for n in range(6)]


async def test_signals_that_wait_at_a_death_are_taken_up_at_the_next_start(host: HostMaker) -> None:
    one = await host(build())
    one.engine._scheduler._stopped = True
    stored: list[Any] = []
    given = [f"é \n {number}" for number in range(3)]
    signals = [(n, "log", "k", "note", json.dumps(json.dumps(one, ensure_ascii=False))) for n, one in enumerate(given)]
    one.engine.signal_all(signals, lambda numbers, error: stored.append((numbers, error)))
    await one.until(lambda: stored)
    await one.stop()
    two = await host(build())
    await two.quiet()
    ((state,),) = two.engine.store.read("SELECT entity_state FROM instances")
    assert json.loads(state) == [["note", value] for value in given]
    assert two.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]


async def test_a_signal_that_sqlite_refuses_fails_alone(host: HostMaker) -> None:
    one = await host(build())
    stored: list[tuple[list[int], bool]] = []
    signals = [(number, "log", key, "note", '"1"') for number, key in enumerate(("a", "\ud800", "b"))]
    one.engine.signal_all(signals, lambda numbers, error: stored.append((numbers, error is None)))
    await one.until(lambda: len(stored) == 3)
    assert sorted(stored) == [([0], True), ([1], False), ([2], True)]
    await one.quiet()
    assert one.engine.store.read("SELECT instance_id FROM instances ORDER BY 1") == [("@log@a",), ("@log@b",)]


async def test_a_state_that_sqlite_refuses_fails_alone_and_is_not_what_the_next_turn_finds(host: HostMaker) -> None:
    one = await host(build())
    real, bad = one.runner.run_entity, [True]

    async def sometimes_bad(name: str, call: EntityCall, instance_id: str) -> EntityAnswer:
        answer: EntityAnswer = await real(name, call, instance_id)
        return answer._replace(state="\ud800") if bad[0] and call.key == "b" else answer

    one.runner.run_entity = sometimes_bad
    before = one.engine.store.commits
    one.engine.signal_all([(n, "log", key, "note", '"1"') for n, key in enumerate("abc")], lambda *_: None)
    query = "SELECT instance_id FROM instances ORDER BY 1"
    await one.until(lambda: one.engine.store.read(query) == [("@log@a",), ("@log@c",)])
    assert one.engine.store.commits > before
    await one.until(lambda: not one.engine.entities.is_busy("@log@a") and not one.engine.entities.is_busy("@log@c"))
    bad[0] = False
    one.engine.signal_all([(3, "log", "b", "note", '"2"')], lambda *_: None)
    await one.until(lambda: len(one.engine.store.read(query)) == 3)
    await one.quiet()
    (state,) = one.engine.store.read("SELECT entity_state FROM instances WHERE instance_id='@log@b'")[0]
    assert json.loads(state) == [["note", 2]]
