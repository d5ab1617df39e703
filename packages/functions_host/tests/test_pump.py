"""One partition: how events become batches, and when the checkpoint moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, List  # noqa: UP035

import azure.functions as func
import pytest
from event_data import received
from functions_host.eventhubs import pump
from functions_host.eventhubs.checkpoints import BROKEN, Checkpoint, CheckpointStore
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.pump import PartitionPump, Step
from functions_host.eventhubs.wire import wired
from functions_host.functions import FunctionInfo, index
from functions_host.host_json import EventHubsOptions
from functions_host.retry import RetryPolicy
from in_process import LocalInvoker


@dataclass
class Bench:
    """A pump over a function that records its batches; `hold` makes it wait, `fail` makes it raise."""

    pump: PartitionPump
    store: CheckpointStore
    stopping: asyncio.Event
    batches: list[list[int]] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    running: int = 0
    most: int = 0

    async def put(self, *numbers: int) -> None:
        await self.pump.put([received(b"x", number) for number in numbers])

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5) if hasattr(asyncio, "timeout") else _no_limit():
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.002)

    @property
    def checkpoint(self) -> Checkpoint | None:
        return self.store.load("0")


@asynccontextmanager
async def _no_limit() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def bench(
    folder: Path,
    options: EventHubsOptions,
    *,
    retry: RetryPolicy | None = None,
    cardinality: str | None = "many",
    step: Step | None = None,
) -> AsyncIterator[Bench]:
    app = func.FunctionApp()
    made: list[Bench] = []

    async def work(numbers: list[int]) -> None:
        self = made[0]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.hold.wait()
            self.batches.append(numbers)
            if self.failures:
                self.failures -= 1
                raise ValueError("broken")
        finally:
            self.running -= 1

    if cardinality == "many":

        @app.event_hub_message_trigger(arg_name="events", event_hub_name="h", connection="C", cardinality="many")
        async def many(events: List[func.EventHubEvent]) -> None:  # noqa: UP006
            await work([event.sequence_number or 0 for event in events])
    else:

        @app.event_hub_message_trigger(arg_name="event", event_hub_name="h", connection="C", cardinality=cardinality)
        async def one(event: func.EventHubEvent) -> None:
            await work([event.sequence_number or 0])

    function: FunctionInfo = replace(index(app.get_functions())[0], retry=retry)
    invoker = LocalInvoker()
    store, stopping = CheckpointStore(folder, "local/h", "g"), asyncio.Event()
    step = step or Step(options.max_wait)
    pump = PartitionPump(function, "0", {"PartitionId": "0"}, options, invoker, store, stopping, step)
    made.append(Bench(pump, store, stopping))
    made[0].hold.set()
    task = asyncio.create_task(pump.run())
    try:
        yield made[0]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        invoker.close()


class MovedLoop:
    """The running loop's clock, which tests set forward."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ahead = 0.0
        time = self._loop.time
        self._loop.time = lambda: time() + self._ahead  # type: ignore[method-assign]

    def move(self, seconds: float) -> None:
        self._ahead += seconds


async def test_what_is_there_is_delivered_at_once_up_to_the_maximum(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=3)) as it:
        await it.put(0, 1, 2, 3, 4, 5, 6)
        await it.until(lambda: sum(map(len, it.batches)) == 7)
        assert it.batches == [[0, 1, 2], [3, 4, 5], [6]]


async def test_a_batch_waits_for_its_minimum(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=10, min_batch=4, max_wait=30)) as it:
        await it.put(0, 1)
        await it.put(2)
        await asyncio.sleep(0.05)
        assert it.batches == []
        await it.put(3, 4)
        await it.until(lambda: bool(it.batches))
        assert it.batches == [[0, 1, 2, 3, 4]]


async def test_a_batch_below_its_minimum_goes_when_the_wait_is_over(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=10, min_batch=10, max_wait=0.15)) as it:
        started = asyncio.get_running_loop().time()
        await it.put(0)
        await it.put(1)
        await it.until(lambda: bool(it.batches))
        assert it.batches == [[0, 1]]
        assert asyncio.get_running_loop().time() - started >= 0.15


@pytest.mark.parametrize(("apart", "together"), [(0.05, True), (0.3, False)])
async def test_a_batch_goes_along_with_that_of_another_partition_when_its_own_time_is_near(
    tmp_path: Path, apart: float, together: bool
) -> None:
    loop = MovedLoop()
    options = EventHubsOptions(max_batch=10, min_batch=10, max_wait=0.6)
    step = Step(options.max_wait)
    async with bench(tmp_path / "1", options, step=step) as one, bench(tmp_path / "2", options, step=step) as two:
        await one.put(0)
        await asyncio.sleep(0.01)
        loop.move(apart)
        await two.put(1)
        await asyncio.sleep(0.01)
        loop.move(0.58 - apart)
        await one.until(lambda: bool(one.batches))
        assert bool(two.batches) is together
        loop.move(apart + 0.01)
        await two.until(lambda: bool(two.batches))
        assert (one.batches, two.batches) == ([[0]], [[1]])


async def test_one_batch_at_a_time_and_in_order(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=2)) as it:
        it.hold.clear()
        await it.put(0, 1, 2, 3, 4)
        await it.until(lambda: it.running == 1)
        it.hold.set()
        await it.until(lambda: len(it.batches) == 3)
        assert (it.batches, it.most) == ([[0, 1], [2, 3], [4]], 1)


@pytest.mark.parametrize("cardinality", ["one", None])
async def test_single_events_of_a_batch_run_side_by_side(tmp_path: Path, cardinality: str | None) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=3), cardinality=cardinality) as it:
        it.hold.clear()
        await it.put(0, 1, 2, 3)
        await it.until(lambda: it.running == 3)
        assert it.checkpoint is None
        it.hold.set()
        await it.until(lambda: len(it.batches) == 4)
        assert sorted(it.batches[:3]) == [[0], [1], [2]]
        assert it.batches[3] == [3]


async def test_the_checkpoint_moves_after_the_function_returned(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions()) as it:
        it.hold.clear()
        await it.put(4, 5)
        await it.until(lambda: it.running == 1)
        assert it.checkpoint is None
        it.hold.set()
        await it.until(lambda: it.checkpoint is not None)
        assert it.checkpoint == Checkpoint("500", 5)


async def test_a_failed_batch_is_checkpointed_all_the_same_and_said_to_be_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(tmp_path, EventHubsOptions()) as it:
        it.failures = 1
        await it.put(7)
        await it.until(lambda: it.checkpoint == Checkpoint("700", 7))
        assert it.batches == [[7]]
    assert "partition 0 goes on after sequence numbers 7 to 7" in caplog.text


async def test_a_retry_policy_holds_the_partition(tmp_path: Path) -> None:
    policy = RetryPolicy("fixed_delay", -1, 0.01, 0.01)
    async with bench(tmp_path, EventHubsOptions(max_batch=1), retry=policy) as it:
        it.failures = 3
        await it.put(7, 8)
        await it.until(lambda: it.checkpoint == Checkpoint("800", 8))
        assert it.batches == [[7], [7], [7], [7], [8]]


async def test_a_retry_policy_that_is_exhausted_lets_go(tmp_path: Path) -> None:
    policy = RetryPolicy("fixed_delay", 2, 0.0, 0.0)
    async with bench(tmp_path, EventHubsOptions(max_batch=1), retry=policy) as it:
        it.failures = 3
        await it.put(7, 8)
        await it.until(lambda: it.checkpoint == Checkpoint("800", 8))
        assert it.batches == [[7], [7], [7], [8]]


async def test_stopping_amid_retries_leaves_the_checkpoint(tmp_path: Path) -> None:
    policy = RetryPolicy("fixed_delay", -1, 60.0, 60.0)
    async with bench(tmp_path, EventHubsOptions(max_batch=1), retry=policy) as it:
        it.failures = 1
        await it.put(7, 8)
        await it.until(lambda: len(it.batches) == 1)
        it.stopping.set()
        it.pump.wake()
        await asyncio.sleep(0.05)
        assert (it.batches, it.checkpoint) == ([[7]], None)


async def test_stopping_delivers_nothing_more(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=1)) as it:
        it.hold.clear()
        await it.put(1, 2)
        await it.until(lambda: it.running == 1)
        it.stopping.set()
        it.hold.set()
        await it.until(lambda: it.checkpoint == Checkpoint("100", 1))
        await asyncio.sleep(0.05)
        assert it.batches == [[1]]


async def test_the_checkpoint_frequency_counts_batches(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=1, checkpoint_frequency=3)) as it:
        await it.put(1, 2)
        await it.until(lambda: len(it.batches) == 2)
        assert it.checkpoint is None
        await it.put(3, 4)
        await it.until(lambda: len(it.batches) == 4)
        assert it.checkpoint == Checkpoint("300", 3)


async def test_a_full_pump_makes_the_receiver_wait(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions(max_batch=2, prefetch=2)) as it:
        it.hold.clear()
        await asyncio.wait_for(it.put(0), 1)
        await it.until(lambda: it.running == 1)
        waiting = asyncio.create_task(it.put(1, 2, 3))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        it.hold.set()
        await asyncio.wait_for(waiting, 1)
        await it.until(lambda: sum(map(len, it.batches)) == 4)


async def test_events_received_twice_are_delivered_once(tmp_path: Path) -> None:
    async with bench(tmp_path, EventHubsOptions()) as it:
        await it.put(0, 1)
        await it.put(0, 1, 2)
        await it.until(lambda: sum(map(len, it.batches)) == 3)
        assert [number for batch in it.batches for number in batch] == [0, 1, 2]


@pytest.mark.parametrize("cardinality", ["many", "one"])
async def test_an_event_that_nothing_can_be_made_of_harms_only_itself(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    cardinality: str,
) -> None:
    make = wired

    def unless_two(event: ReceivedEvent, **named: Any) -> Any:
        if event.sequence_number == 2:
            raise ValueError("no such thing")
        return make(event, **named)

    monkeypatch.setattr(pump, "wired", unless_two)
    async with bench(tmp_path, EventHubsOptions(max_batch=4), cardinality=cardinality) as it:
        await it.put(1, 2, 3, 4)
        await it.until(lambda: it.checkpoint == Checkpoint("400", 4))
        assert sorted(number for batch in it.batches for number in batch) == [1, 3, 4]
    assert "the event at offset 200 of partition 0 (sequence number 2) cannot be handed over" in caplog.text


async def test_the_first_event_that_is_no_text_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with bench(tmp_path, EventHubsOptions()) as it:
        await it.pump.put([received(b"x", 1), received(b"\xff", 2), received(b"\xfe", 3)])
        await it.until(lambda: it.batches == [[1, 2, 3]])
    assert caplog.text.count("is not UTF-8 (partition 0, offset 200)") == 1


async def test_a_checkpoint_that_cannot_be_written_does_not_stop_the_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left")

    async with bench(tmp_path, EventHubsOptions(max_batch=1)) as it:
        monkeypatch.setattr(it.store, "save", full)
        await it.put(1, 2)
        await it.until(lambda: len(it.batches) == 2)
        assert it.checkpoint is None


def test_a_checkpoint_is_written_over_the_one_before_and_reads_as_json_alone(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, "h", "g")
    written = []
    for offset in ("99999999999", "5", "1" * 300, "6", "7"):
        store.save("0", Checkpoint(offset, 3))
        assert CheckpointStore(tmp_path, "h", "g").load("0") == Checkpoint(offset, 3)
        (path,) = tmp_path.rglob("*.*")
        written.append((path.stat().st_ino, json.loads(path.read_text())))
    assert written[0][0] == written[1][0]
    assert written[3][0] == written[4][0]
    assert written[4][1] == {"offset": "7", "sequence_number": 3}


def test_a_checkpoint_of_an_earlier_version_is_read_and_replaced(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, "h", "g")
    store.save("0", Checkpoint("1", 1))
    (path,) = tmp_path.rglob("0.json")
    path.write_text('{"offset": "4096", "sequence_number": 5}')
    again = CheckpointStore(tmp_path, "h", "g")
    assert again.load("0") == Checkpoint("4096", 5)
    again.save("0", Checkpoint("1", 6))
    assert again.load("0") == Checkpoint("1", 6)


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_checkpoint_file_that_somebody_has_taken_away_is_written_again(tmp_path: Path, how: str) -> None:
    store = CheckpointStore(tmp_path, "h", "g")
    store.save("0", Checkpoint("1", 1))
    (path,) = tmp_path.rglob("0.json")
    if how == "removed":
        path.unlink()
    else:
        beside = path.with_name("beside")
        beside.write_text("{}")
        beside.rename(path)
    store.save("0", Checkpoint("2", 2))
    assert store.load("0") == Checkpoint("2", 2)
    store.close()
    store.save("0", Checkpoint("3", 3))
    assert store.load("0") == Checkpoint("3", 3)


def test_checkpoints_of_different_hubs_and_groups_do_not_meet(tmp_path: Path) -> None:
    one, two = CheckpointStore(tmp_path, "local/h", "$Default"), CheckpointStore(tmp_path, "local/h", "other")
    one.save("0", Checkpoint("1", 1))
    assert two.load("0") is None
    assert one.load("1") is None
    assert CheckpointStore(tmp_path, "local/h", "$Default").load("0") == Checkpoint("1", 1)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"offset": "1"}', '{"offset": "1", "sequence_number": 1e999}', "[" * 100000]
)
def test_a_broken_checkpoint_is_not_taken_for_none(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    store = CheckpointStore(tmp_path, "h", "g")
    store.save("0", Checkpoint("1", 1))
    next(tmp_path.rglob("0.json")).write_text(text)
    assert store.load("0") is BROKEN
    assert "0.json cannot be read" in caplog.text
