"""The worker processes of an app: calls are spread over them, one that ends or hangs is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions_host.channel import (
    ASK,
    BEGIN,
    CANCEL,
    DONE,
    FAILED,
    HELD,
    INDEX,
    REFUSED,
    REPLY,
    SAY,
    SKIPPED,
    STOP,
    Message,
)
from functions_host.clock import CLOCK
from functions_host.described import App, read
from functions_host.errors import StartError, UserError, WorkerLost
from functions_host.pool.call import Call
from functions_host.pool.process import State, WorkerProcess
from functions_host.tasks import Supervised, spawn, supervise

logger = logging.getLogger("functions_host.workers")

Ask = Callable[..., Awaitable[tuple[int, bytes]]]

_LOOK_SECONDS = 0.5
# A worker that takes up no call for so long is stuck: others get what it has not begun.
STUCK_SECONDS = 2.0
# One that says nothing of a call that it was told to give up is ended.
UNREACHABLE_SECONDS = 2.5
# One that is replaced has so long to finish its other calls.
LEAVING_SECONDS = 10.0
_SPARE = 4
_STOP_SECONDS = 3.0
_RESTART_DELAYS = (0.0, 0.2, 1.0, 2.0, 5.0)
_WELL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """`load` goes to each worker as it is: app_dir, script, verbose, json_logs, log_levels."""

    count: int
    app_dir: Path
    load: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a worker needs once all is known: durable client bindings (hub, connection, text), where clients call."""

    clients: list[tuple[Any, ...]]
    rpc_base_url: str | None
    warm_up: Callable[[], list[Call]]


class WorkerPool:
    """``functions = await pool.load(); pool.begin(…); pool.submit(call); …; await pool.stop()``.

    `ask` answers the durable clients of the workers.
    """

    def __init__(self, options: PoolOptions) -> None:
        self._options = options
        self._environ = dict(os.environ)
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[Call] = deque()
        self._watches: dict[WorkerProcess, asyncio.Task[None]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._beginning: Beginning | None = None
        self._ask: Ask | None = None
        self._look: Supervised | None = None
        self._deaths = 0
        self._last_death = 0.0
        self._stopping = False

    async def load(self) -> App:
        """Start the workers and load the app in each. StartError if it cannot be loaded."""
        for _ in range(self._options.count):
            self._start_one()
        try:
            found = await asyncio.gather(*(worker.loaded for worker in self._workers))
        except WorkerLost as lost:
            raise StartError(f"{lost} while it loaded the app") from None
        return read(found[0])

    async def begin(self, beginning: Beginning, ask: Ask | None) -> None:
        """From now on calls are run. Returns when the first workers are warm."""
        self._beginning, self._ask = beginning, ask
        await asyncio.gather(*(self._make_ready(worker) for worker in self._workers))
        self._look = supervise(self._look_after, "the watch over the workers")

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    def submit(self, call: Call) -> None:
        """Send it to the worker with the least to do; it waits while there is none."""
        ready = [worker for worker in self._workers if worker.state is State.READY]
        if ready:
            self._send(min(ready, key=lambda worker: len(worker.calls)), call)
        elif self._stopping:
            call.fail(WorkerLost("the host stops", blamed=False))
        else:
            self._waiting.append(call)

    def give_up(self, call: Call) -> None:
        """Nobody waits for it any more. Its worker is replaced if the function cannot be made to end."""
        worker = next((worker for worker in self._workers if worker.calls.get(call.number) is call), None)
        if worker is None:
            with contextlib.suppress(ValueError):
                self._waiting.remove(call)
        else:
            later = asyncio.get_running_loop().call_later
            worker.given_up[call.number] = later(UNREACHABLE_SECONDS, self._unreachable, worker, call)
            worker.send((CANCEL, call.number))

    async def stop(self) -> None:
        """Tell all workers to end; those that do not within 3 s are killed."""
        self._stopping = True
        if self._look is not None:
            await self._look.stop()
        watches = list(self._watches.values())
        for worker in self._workers:
            worker.send((STOP,))
        if watches:
            _, late = await asyncio.wait(watches, timeout=_STOP_SECONDS)
            if late:
                self.kill()
                await asyncio.wait(late)
        for call in self._waiting:
            call.fail(WorkerLost("the host stops", blamed=False))

    def kill(self) -> None:
        """At once, without waiting."""
        self._stopping = True
        for worker in self._workers:
            worker.signal(signal.SIGKILL)

    # A worker's life

    def _start_one(self) -> None:
        worker = WorkerProcess(self._received)
        self._workers.append(worker)
        self._watches[worker] = spawn(self._live(worker), "the watch over a worker process")

    async def _live(self, worker: WorkerProcess) -> None:
        how = "could not be started"
        joining: asyncio.Task[None] | None = None
        try:
            await worker.start(self._options.load, self._options.app_dir)
            if self._beginning is not None:
                joining = spawn(self._join(worker), "a new worker process")
            how = await worker.wait()
        except OSError as error:
            how = f"could not be started ({error})"
        finally:
            self._ended(worker, how)
            if joining is not None:
                joining.cancel()

    async def _join(self, worker: WorkerProcess) -> None:
        """One that takes another's place, or helps out."""
        try:
            await worker.loaded
        except StartError as error:
            logger.error("a new worker process cannot load the app: %s", error)
            worker.signal(signal.SIGKILL)
        except WorkerLost:
            return  # said where it ended
        else:
            await self._make_ready(worker)

    async def _make_ready(self, worker: WorkerProcess) -> None:
        assert self._beginning is not None
        changed = {name: value for name, value in os.environ.items() if self._environ.get(name) != value}
        worker.send((BEGIN, changed, self._beginning.clients, self._beginning.rpc_base_url))
        first = self._beginning.warm_up()
        for call in first:
            self._send(worker, call)
        if first:
            await asyncio.wait([call.answer for call in first])
        if worker.state is State.LOADING:
            worker.state = State.READY
            self._balance()
            waiting, self._waiting = self._waiting, deque()
            for call in waiting:
                self.submit(call)

    def _ended(self, worker: WorkerProcess, how: str) -> None:
        self._workers.remove(worker)
        del self._watches[worker]
        for timer in worker.given_up.values():
            timer.cancel()
        lost = WorkerLost(f"the worker process {worker.pid} {how}")
        if not worker.loaded.done():
            worker.loaded.set_exception(lost)
        begun = worker.page.begun
        running: list[Call] = []
        again: list[Call] = []
        for number, call in worker.calls.items():
            if number in worker.given_up:
                continue
            (running if number <= begun else again).append(call)
        worker.close()
        if not self._stopping and worker.state is not State.LEAVING:
            names = ", ".join(sorted({call.function for call in running})) or "nothing"
            logger.error("the worker process %d %s; it was running: %s", worker.pid, how, names)
        for call in running:
            blamed = worker.blamed is None or worker.blamed is call
            call.fail(WorkerLost(f"{lost} while it ran {call.function}", blamed=blamed))
        self._deaths = self._deaths + 1 if CLOCK.monotonic() - self._last_death < _WELL_SECONDS else 0
        self._last_death = CLOCK.monotonic()
        for call in again:
            self.submit(call)
        if self._beginning is not None and not self._stopping:
            delay = _RESTART_DELAYS[min(self._deaths, len(_RESTART_DELAYS) - 1)]
            asyncio.get_running_loop().call_later(delay, self._balance)

    def _balance(self) -> None:
        """As many workers as asked for take calls; a stuck one has a stand-in, and one too many leaves."""
        if self._stopping:
            return
        able = [worker for worker in self._workers if worker.state in (State.LOADING, State.READY)]
        missing = self._options.count - len(able)
        for _ in range(min(missing, self._options.count + _SPARE - len(self._workers))):
            self._start_one()
        if missing < 0:
            ready = [worker for worker in able if worker.state is State.READY]
            for worker in ready[self._options.count :]:
                self._dismiss(worker, LEAVING_SECONDS)

    def _dismiss(self, worker: WorkerProcess, seconds: float) -> None:
        """It gets no more calls, and ends when it has finished those it has, or when so much time is over."""
        worker.state = State.LEAVING
        asyncio.get_running_loop().call_later(seconds, worker.signal, signal.SIGKILL)
        self._end_if_idle(worker)

    @staticmethod
    def _end_if_idle(worker: WorkerProcess) -> None:
        if worker.state is State.LEAVING and not worker.calls:
            worker.send((STOP,))

    def _replace(self, worker: WorkerProcess, why: str) -> None:
        if worker.state is not State.LEAVING:
            logger.warning("the worker process %d is replaced: %s", worker.pid, why)
            self._dismiss(worker, LEAVING_SECONDS)
            self._balance()

    def _unreachable(self, worker: WorkerProcess, call: Call) -> None:
        del worker.given_up[call.number]
        if call.number > worker.page.begun:
            return  # it waits behind another, whose own time will come
        logger.error("the worker process %d is ended: %s blocks it beyond its time", worker.pid, call.function)
        worker.given_up[call.number] = asyncio.get_running_loop().call_later(0, lambda: None)
        worker.blamed = call
        worker.signal(signal.SIGKILL)

    async def _look_after(self) -> None:
        while True:
            await CLOCK.sleep(_LOOK_SECONDS)
            now = CLOCK.monotonic()
            for worker in list(self._workers):
                begun = worker.page.begun
                if worker.state is State.STUCK and begun >= worker.sent:
                    logger.info("the worker process %d takes up calls again", worker.pid)
                    worker.state = State.READY
                    self._balance()
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
        self._balance()
        for call in taken:
            del worker.calls[call.number]
            self.submit(call)

    # Messages

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

    def _received(self, worker: WorkerProcess, message: Message) -> None:
        kind, number = message[0], message[1]
        if kind == DONE:
            call = self._over(worker, number)
            if call is not None and not call.answer.done():
                call.answer.set_result((message[2], message[3]))
        elif kind == FAILED:
            call = self._over(worker, number)
            if call is not None:
                call.fail(UserError(*message[2:]))
        elif kind == ASK:
            self._spawn_answer(worker, *message[1:])
        elif kind == SKIPPED:
            call = self._over(worker, number)
            if call is not None and not call.answer.done():
                self.submit(call)
        elif kind == HELD:
            call = self._over(worker, number)
            if call is not None:
                self._replace(worker, f"{call.function} goes on beyond its time")
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
            self._end_if_idle(worker)
        return call

    def _spawn_answer(self, worker: WorkerProcess, question: int, *request: Any) -> None:
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
