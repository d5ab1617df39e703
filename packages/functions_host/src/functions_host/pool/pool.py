"""Calls spread over the worker processes, and what comes back from them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from functions_host.channel import (
    ASK,
    CANCEL,
    DONE,
    FAILED,
    HELD,
    INDEX,
    REFUSED,
    REPLY,
    SAY,
    SIGNALLED,
    SIGNALS,
    SKIPPED,
    TURNED,
    TURNS,
    Message,
)
from functions_host.clock import CLOCK
from functions_host.described import App
from functions_host.errors import StartError, UserError, WorkerLost
from functions_host.pool.call import Call, HandedCall
from functions_host.pool.crew import Beginning, Crew, CrewOptions, Duties
from functions_host.pool.process import State, WorkerProcess
from functions_host.tasks import Supervised, supervise

logger = logging.getLogger("functions_host.workers")

Ask = Callable[..., Awaitable[tuple[int, bytes]]]
# Number, entity, key, operation, JSON text of the input.
Signal = tuple[int, str, str, str, str]


class Signals(Protocol):
    """What takes signals to entities: `DurableEngine`."""

    def signal(self, path: str, query: Any, body: bytes, stored: Callable[[BaseException | None], None]) -> bool: ...
    def signal_all(
        self, signals: Sequence[Signal], stored: Callable[[list[int], BaseException | None], None]
    ) -> list[Signal]: ...


_LOOK_SECONDS = 0.5
# A worker that takes up no call for so long is stuck: others get what it has not begun.
STUCK_SECONDS = 2.0
# One that says nothing of a call that it was told to give up is ended.
UNREACHABLE_SECONDS = 2.5


class WorkerPool:
    """``app = await pool.load(); await pool.begin(…); pool.submit(call); …; await pool.stop()``."""

    def __init__(self, options: CrewOptions) -> None:
        self._crew = Crew(options, Duties(self._received, self._send, self._hand_out, self._again))
        self._waiting: deque[Call] = deque()
        self._answering: set[asyncio.Task[None]] = set()
        self._ask: Ask | None = None
        self._signals: Signals | None = None
        self._look: Supervised | None = None

    async def load(self) -> App:
        """Start the workers and load the app in each. StartError if it cannot be loaded."""
        return await self._crew.load()

    async def begin(self, beginning: Beginning, ask: Ask | None, signals: Signals | None = None) -> None:
        """From now on calls are run. `ask` answers the workers' durable clients, `signals` a part of that."""
        self._ask, self._signals = ask, signals
        await self._crew.begin(beginning)
        self._look = supervise(self._look_after, "the watch over the workers")

    def submit_all(self, calls: Sequence[HandedCall], at_once: int) -> None:
        """As `submit` for calls of entities, of which a worker runs one after another: those that go to one worker go
        in one message. If there are more workers than `at_once`, all go to the same.
        """
        ready = self._ready()
        if not ready:
            for call in calls:
                self.submit(call)
        elif len(ready) == 1 or at_once < len(ready):
            self._send_turns(ready[0], calls)
        else:
            shares: dict[WorkerProcess, list[HandedCall]] = {worker: [] for worker in ready}
            for call in calls:
                shares[min(ready, key=lambda worker: len(worker.calls) + len(shares[worker]))].append(call)
            for worker, share in shares.items():
                if share:
                    self._send_turns(worker, share)

    def _ready(self) -> list[WorkerProcess]:
        return [worker for worker in self._crew.workers if worker.state is State.READY]

    def submit(self, call: Call) -> None:
        """Send it to the worker with the least to do; it waits while there is none."""
        ready = self._ready()
        if ready:
            self._send(ready[0] if len(ready) == 1 else min(ready, key=lambda worker: len(worker.calls)), call)
        elif self._crew.stopping:
            call.fail(WorkerLost("the host stops", blamed=False))
        else:
            self._waiting.append(call)

    def has_begun(self, call: Call) -> bool:
        """Whether a worker has taken it up."""
        worker = self._holder(call)
        return worker is not None and call.number <= worker.page.begun

    def give_up(self, call: Call) -> None:
        """Nobody waits for it any more. Its worker is replaced if the function cannot be made to end."""
        worker = self._holder(call)
        if worker is None:
            with contextlib.suppress(ValueError):
                self._waiting.remove(call)
        else:
            later = asyncio.get_running_loop().call_later
            worker.given_up[call.number] = later(UNREACHABLE_SECONDS, self._unreachable, worker, call)
            worker.send((CANCEL, call.number))

    async def stop(self) -> None:
        """End all workers, within 1.5 s."""
        if self._look is not None:
            await self._look.stop()
        await self._crew.stop()
        for call in self._waiting:
            call.fail(WorkerLost("the host stops", blamed=False))

    def kill(self) -> None:
        """At once, without waiting, from any thread."""
        self._crew.kill()

    def _holder(self, call: Call) -> WorkerProcess | None:
        return next((worker for worker in self._crew.workers if worker.calls.get(call.number) is call), None)

    def _hand_out(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        self._again(list(waiting))

    def _again(self, calls: list[Call]) -> None:
        for call in calls:
            self.submit(call)

    def _unreachable(self, worker: WorkerProcess, call: Call) -> None:
        # A call that waits behind another is not what blocks the worker: that one's own time will come.
        if call.number <= worker.page.begun:
            self._crew.end_for(worker, call)

    async def _look_after(self) -> None:
        while True:
            await CLOCK.sleep(_LOOK_SECONDS)
            now = CLOCK.monotonic()
            for worker in list(self._crew.workers):
                begun = worker.page.begun
                if worker.state is State.STUCK and begun >= worker.sent:
                    logger.info("the worker process %d takes up calls again", worker.pid)
                    worker.state = State.READY
                    self._crew.balance()
                elif worker.state is State.READY and begun < worker.sent and begun == worker.seen:
                    first = worker.calls.get(begun + 1)
                    if first is not None and now - first.sent > STUCK_SECONDS:
                        self._stand_in(worker, begun)
                worker.seen = begun

    def _stand_in(self, worker: WorkerProcess, begun: int) -> None:
        """A function blocks the worker: what it has not begun is taken back and given to others."""
        running = sorted({call.function for number, call in worker.calls.items() if number <= begun})
        logger.warning(
            "the worker process %d takes up no calls for %.0f s (it runs: %s); another stands in for it",
            worker.pid, STUCK_SECONDS, ", ".join(running) or "nothing",
        )  # fmt: skip
        worker.state = State.STUCK
        worker.page.take_back(begun, worker.sent)
        # It may have gone on just now: what it has begun meanwhile it either runs or gives back itself.
        begun = worker.page.begun
        taken = [call for number, call in worker.calls.items() if number > begun]
        self._crew.balance()
        for call in taken:
            del worker.calls[call.number]
            self.submit(call)

    def _send(self, worker: WorkerProcess, call: Call) -> None:
        worker.sent += 1
        call.number, call.sent = worker.sent, CLOCK.monotonic()
        worker.calls[call.number] = call
        try:
            worker.send(call.message())
        except ValueError as error:
            # Nothing went out: the number is free again.
            worker.sent -= 1
            del worker.calls[call.number]
            call.fail(ValueError(f"the call cannot be sent to a worker: {error}"))

    def _send_turns(self, worker: WorkerProcess, calls: Sequence[HandedCall]) -> None:
        now, number = CLOCK.monotonic(), worker.sent
        turns = []
        for call in calls:
            number += 1
            call.number, call.sent = number, now
            turns.append((number, call.function, call.invocation_id, call.payload))
        try:
            worker.send((TURNS, turns))
        except ValueError:
            # Nothing went out. Each alone: only one that cannot be sent is to fail.
            for call in calls:
                self._send(worker, call)
            return
        worker.sent = number
        for call in calls:
            worker.calls[call.number] = call

    def _received(self, worker: WorkerProcess, message: Message) -> None:
        kind, number = message[0], message[1]
        if kind == DONE:
            call = self._over(worker, number)
            if call is not None:
                call.succeed((message[2], message[3]))
        elif kind == FAILED:
            call = self._over(worker, number)
            if call is not None:
                call.fail(UserError(*message[2:]))
        elif kind == TURNED:
            for turn, value in number:
                call = self._over(worker, turn)
                if call is not None:
                    call.succeed((value, {}))
        elif kind == SIGNALS:
            self._take_signals(worker, number)
        elif kind == ASK:
            if not self._signalled(worker, *message[1:]):
                self._answer_soon(worker, *message[1:])
        elif kind == SKIPPED:
            call = self._over(worker, number)
            if call is not None and not call.is_over:
                self.submit(call)
        elif kind == HELD:
            call = self._over(worker, number)
            if call is not None:
                self._crew.replace(worker, f"{call.function} goes on beyond its time")
        elif kind == SAY:
            logger.log(number, "%s", message[2])
        elif kind == INDEX and not worker.loaded.done():
            worker.loaded.set_result(number)
        elif kind == REFUSED and not worker.loaded.done():
            worker.loaded.set_exception(StartError(number))

    def _over(self, worker: WorkerProcess, number: int) -> Call | None:
        timer = worker.given_up.pop(number, None) if worker.given_up else None
        if timer is not None:
            timer.cancel()
        call = worker.calls.pop(number, None)
        if worker.state is State.LEAVING:
            self._crew.end_if_idle(worker)
        return call

    def _signalled(
        self, worker: WorkerProcess, question: int, method: str, path: str, query: Any, _: Any, body: bytes
    ) -> bool:
        """Most of what many clients ask: that an entity is told something. The engine takes it without a task."""

        def stored(error: BaseException | None) -> None:
            worker.send((REPLY, question, 202 if error is None else 500, b""))

        return self._signals is not None and method == "POST" and self._signals.signal(path, query, body, stored)

    def _take_signals(self, worker: WorkerProcess, signals: list[Signal]) -> None:
        """What a worker's clients told entities in one turn of its loop. What the engine has to say about one that it
        does not take, the management API says."""

        def stored(questions: list[int], error: BaseException | None) -> None:
            worker.send((SIGNALLED, 202 if error is None else 500, questions))

        for question, name, key, operation, text in (
            signals if self._signals is None else self._signals.signal_all(signals, stored)
        ):
            path, headers = f"entities/{name}/{key}", {"content-type": "application/json"} if text else {}
            self._answer_soon(worker, question, "POST", path, [("op", operation)], headers, text.encode())

    def _answer_soon(self, worker: WorkerProcess, question: int, *request: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(worker, question, *request))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, worker: WorkerProcess, question: int, *request: Any) -> None:
        status, answer = 503, b""
        try:
            if self._ask is not None:
                status, answer = await self._ask(*request)
        except Exception:
            logger.exception("a durable client's call broke off (%s %s)", *request[:2])
            status = 500
        worker.send((REPLY, question, status, answer))
