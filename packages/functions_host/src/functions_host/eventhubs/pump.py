"""One partition of one trigger: what was received waits here, batches go to the function one after another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Protocol

from functions_host.errors import FunctionFailed, RetryInterrupted, WorkerLost
from functions_host.eventhubs.checkpoints import Checkpoint, CheckpointStore
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.wire import wired
from functions_host.functions import FunctionInfo
from functions_host.host_json import EventHubsOptions
from functions_host.invoker import Invoker
from functions_host.payloads import Payload

logger = logging.getLogger("functions_host.eventhubs")

# A batch may go up to so long before its `max_wait` is over if another partition's goes just then.
_EARLIER_SECONDS = 0.1
# A batch that was running at so many deaths of its worker is passed over as one whose function failed.
_MOST_LOSSES = 3


class Waiting(Protocol):
    """A partition with events that wait for more."""

    def time_is_up(self) -> None: ...


class Step:
    """Keeps the partitions of one trigger in step: when the time of one's batch has come, those of the others whose
    time will come soon go along.

    What they do together costs less than apart: one write to the worker, one commit for what their functions store.
    None waits longer for that, and from the second batch on they mostly begin to wait together.
    """

    def __init__(self, max_wait: float) -> None:
        self._earlier = min(max_wait / 2, _EARLIER_SECONDS)
        self._waiting: dict[Waiting, float] = {}

    def wait(self, pump: Waiting, due: float) -> None:
        """`due`: when its batch goes, at the latest."""
        self._waiting[pump] = due

    def leave(self, pump: Waiting) -> None:
        self._waiting.pop(pump, None)

    def go(self, now: float) -> None:
        """The time of one has come."""
        for pump in [pump for pump, due in self._waiting.items() if due - self._earlier <= now]:
            self.leave(pump)
            pump.time_is_up()


class PartitionPump:
    """Collects events until `min_batch` are there or the first of them has waited `max_wait`; delivers, checkpoints.

    `step`, which the pumps of a trigger share, lets some go a little earlier than that.

    The checkpoint is written after the function returned, whether it failed or not, once its retry policy is
    exhausted; never while the host stops in the middle of retries.
    """

    def __init__(
        self,
        function: FunctionInfo,
        partition: str,
        context: Mapping[str, str],
        options: EventHubsOptions,
        invoker: Invoker,
        store: CheckpointStore,
        stopping: asyncio.Event,
        step: Step,
    ) -> None:
        self.partition = partition
        self._function = function
        self._context = context
        self._options = options
        self._invoker = invoker
        self._store = store
        self._stopping = stopping
        self._step = step
        self._many = function.takes_many
        self._binary = str(function.trigger.get("dataType") or "").lower() == "binary"
        self._capacity = max(options.prefetch, options.max_batch)
        self._buffer: deque[ReceivedEvent] = deque()
        self._first_arrival = 0.0
        self._woken: asyncio.Future[None] | None = None
        self._is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._batches = 0
        self._warned_of_text = False
        self.last_received: Checkpoint | None = None

    async def put(self, events: list[ReceivedEvent]) -> None:
        """Take received events; waits while the function is behind, which stops the flow of link credit."""
        newest = -1 if self.last_received is None else self.last_received.sequence_number
        # After the SDK reconnects it repeats what it had in its own buffer.
        fresh = [event for event in events if event.sequence_number > newest]
        if fresh:
            if not self._buffer:
                self._first_arrival = asyncio.get_running_loop().time()
            self._buffer.extend(fresh)
            self.last_received = _position(fresh[-1])
            if self._timer is None or len(self._buffer) >= self._options.min_batch:
                self.wake()
        if len(self._buffer) >= self._capacity:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Deliver batches until the host stops."""
        while True:
            batch = await self._next_batch()
            if batch is None:
                return
            try:
                await self._deliver(batch)
            except RetryInterrupted:
                return
            except Exception:
                # Whatever is wrong with this batch, the next ones must not wait for it.
                logger.exception(
                    "%s: sequence numbers %d to %d of partition %s were given up",
                    self._function.name, batch[0].sequence_number, batch[-1].sequence_number, self.partition,
                )  # fmt: skip
            self._batches += 1
            if self._batches % self._options.checkpoint_frequency == 0:
                self._checkpoint(batch[-1])

    def _checkpoint(self, event: ReceivedEvent) -> None:
        try:
            self._store.save(self.partition, _position(event))
        except OSError as error:
            logger.error(
                "%s: the checkpoint of partition %s stays behind: %s", self._function.name, self.partition, error
            )

    async def _next_batch(self) -> list[ReceivedEvent] | None:
        options, loop = self._options, asyncio.get_running_loop()
        try:
            while not self._stopping.is_set():
                count = len(self._buffer)
                if count >= options.min_batch:
                    return self._take()
                if count:
                    due = self._first_arrival + options.max_wait
                    if self._is_due or due <= loop.time():
                        return self._take()
                    if self._timer is None:
                        self._timer = loop.call_at(due, self._go)
                        self._step.wait(self, due)
                self._woken = loop.create_future()
                await self._woken
            return None
        finally:
            self._woken = None
            self._is_due = False
            self._step.leave(self)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _go(self) -> None:
        self._step.leave(self)
        self.time_is_up()
        self._step.go(asyncio.get_running_loop().time())

    def time_is_up(self) -> None:
        """What is there goes now."""
        self._is_due = True
        self.wake()

    def _take(self) -> list[ReceivedEvent]:
        buffer = self._buffer
        batch = [buffer.popleft() for _ in range(min(len(buffer), self._options.max_batch))]
        # What stays behind has been waiting for as long as this batch's function will take, at least.
        self._first_arrival = asyncio.get_running_loop().time()
        if len(buffer) < self._capacity:
            self._room.set()
        return batch

    def wake(self) -> None:
        """Look now whether there is a batch to deliver, or the end of all."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _deliver(self, batch: list[ReceivedEvent]) -> None:
        if self._many:
            await self._invoke_many(batch)
        else:
            outcomes = await asyncio.gather(*(self._invoke_one(event) for event in batch), return_exceptions=True)
            for event, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, RetryInterrupted):
                    raise outcome
                if isinstance(outcome, BaseException):
                    self._give_up(event, outcome)

    async def _invoke_many(self, batch: list[ReceivedEvent]) -> None:
        given, events = [], []
        for event in batch:
            try:
                given.append(wired(event, binary=self._binary))
                events.append(event)
            except Exception as error:
                # One event that nothing can be made of must not take its batch with it.
                self._give_up(event, error)
        self._warn_of_text(events, (event[0] for event in given))
        if given:
            await self._invoke(("events", dict(self._context), given), events)

    async def _invoke_one(self, event: ReceivedEvent) -> None:
        given = wired(event, binary=self._binary)
        self._warn_of_text([event], [given[0]])
        await self._invoke(("event", dict(self._context), given), [event])

    async def _invoke(self, payload: Payload, events: list[ReceivedEvent]) -> None:
        """Failures end here, a loss of the worker is no failure of the function until it has happened three times."""
        lost = 0
        while True:
            try:
                await self._invoker.invoke_with_retries(self._function, payload, stopping=self._stopping)
                return None
            except RetryInterrupted:
                raise
            except FunctionFailed as failed:
                if not isinstance(failed.cause, WorkerLost):
                    return self._warn_of_loss(events)
                if self._stopping.is_set():
                    raise RetryInterrupted(self._function.name, failed.invocation_id, failed.cause) from failed
                lost += failed.cause.blamed
                if lost >= _MOST_LOSSES:
                    return self._warn_of_loss(events)
                logger.warning("%s: partition %s delivers the same again", self._function.name, self.partition)

    def _give_up(self, event: ReceivedEvent, error: BaseException) -> None:
        logger.error(
            "%s: the event at offset %s of partition %s (sequence number %d) cannot be handed over: %s: %s",
            self._function.name, event.offset, self.partition, event.sequence_number, type(error).__name__, error,
        )  # fmt: skip

    def _warn_of_loss(self, batch: list[ReceivedEvent]) -> None:
        # The checkpoint is written all the same, as on the real host: what the function did not keep is passed over.
        logger.warning(
            "%s failed and its retries, if it has any, are over: partition %s goes on after sequence numbers %d to %d",
            self._function.name, self.partition, batch[0].sequence_number, batch[-1].sequence_number,
        )  # fmt: skip

    def _warn_of_text(self, batch: list[ReceivedEvent], bodies: Iterable[bytes]) -> None:
        if self._binary or self._warned_of_text:
            return
        altered = next((event for event, body in zip(batch, bodies, strict=True) if body is not event.body), None)
        if altered is None:
            return
        self._warned_of_text = True
        logger.warning(
            "%s got an event that is not UTF-8 (partition %s, offset %s), and its trigger has no data_type=BINARY: "
            "its bytes were replaced as on the real host; further ones are not named",
            self._function.name, self.partition, altered.offset,
        )  # fmt: skip


def _position(event: ReceivedEvent) -> Checkpoint:
    return Checkpoint(event.offset, event.sequence_number)
