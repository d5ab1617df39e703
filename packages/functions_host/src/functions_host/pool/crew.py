"""The worker processes themselves: started, made ready, replaced when they end, hang or are to leave."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions_host.channel import BEGIN, STOP, Message
from functions_host.clock import CLOCK
from functions_host.described import App, read
from functions_host.errors import StartError, WorkerLost
from functions_host.pool.call import Call
from functions_host.pool.process import State, WorkerProcess
from functions_host.tasks import spawn

logger = logging.getLogger("functions_host.workers")

# A worker that is replaced because one of its calls goes on beyond its time has so long to finish the others.
LEAVING_SECONDS = 10.0
_STOP_SECONDS = 1.5
_SLOW_START_SECONDS = 10.0
# Beyond those asked for: one stands in for each that is stuck.
_SPARE = 4
_RESTART_DELAYS = (0.0, 0.2, 1.0, 2.0, 5.0)
_WELL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class CrewOptions:
    """`load` goes to each worker as it is: see `functions_host.worker.main.Worker`."""

    count: int
    app_dir: Path
    load: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a worker needs once all is known: durable client bindings (hub, connection, text), where clients call, and
    the calls that warm it up."""

    clients: list[tuple[Any, ...]]
    rpc_base_url: str | None
    warm_up: Callable[[], list[Call]]


@dataclass(frozen=True, slots=True)
class Duties:
    """What the crew hands on: a worker's message, a call for this very worker, that one is ready, calls to run anew."""

    received: Callable[[WorkerProcess, Message], None]
    send: Callable[[WorkerProcess, Call], None]
    ready: Callable[[], None]
    again: Callable[[list[Call]], None]


class Crew:
    """Keeps `count` workers that take calls."""

    def __init__(self, options: CrewOptions, duties: Duties) -> None:
        self._options = options
        self._duties = duties
        self._environ = dict(os.environ)
        self._watches: dict[WorkerProcess, asyncio.Task[None]] = {}
        self._beginning: Beginning | None = None
        self._quick_deaths = 0
        self._last_death = 0.0
        self.workers: list[WorkerProcess] = []
        self.stopping = False

    async def load(self) -> App:
        """Start the workers and load the app in each. StartError if it cannot be loaded."""
        for _ in range(self._options.count):
            self._start_one()
        loading = asyncio.ensure_future(asyncio.gather(*(worker.loaded for worker in self.workers)))
        done, _ = await asyncio.wait({loading}, timeout=_SLOW_START_SECONDS)
        if not done:
            logger.warning("the app has not been imported after %.0f s; waiting for it", _SLOW_START_SECONDS)
        try:
            return read((await loading)[0])
        except WorkerLost as lost:
            raise StartError(f"{lost} while it loaded the app") from None

    async def begin(self, beginning: Beginning) -> None:
        """From now on workers take calls, and are replaced. Returns when the first are warm."""
        self._beginning = beginning
        await asyncio.gather(*(self._make_ready(worker) for worker in self.workers))

    async def stop(self) -> None:
        """Tell all to end; those that do not within 1.5 s are killed."""
        self.stopping = True
        watches = list(self._watches.values())
        for worker in self.workers:
            worker.send((STOP,))
        if watches:
            _, late = await asyncio.wait(watches, timeout=_STOP_SECONDS)
            if late:
                self.kill()
                await asyncio.wait(late)

    def kill(self) -> None:
        """At once, without waiting, from any thread."""
        self.stopping = True
        for worker in list(self.workers):
            worker.signal(signal.SIGKILL)

    def replace(self, worker: WorkerProcess, why: str) -> None:
        """Another takes its place now; it ends when it has finished the calls it has, or after 10 s."""
        if worker.state is not State.LEAVING:
            logger.warning("the worker process %d is replaced: %s", worker.pid, why)
            self._dismiss(worker)
            self.balance()
        asyncio.get_running_loop().call_later(LEAVING_SECONDS, worker.signal, signal.SIGKILL)

    def end_for(self, worker: WorkerProcess, call: Call) -> None:
        """Kill it for this call's sake: the others that it runs are not to blame."""
        logger.error("the worker process %d is ended: %s blocks it beyond its time", worker.pid, call.function)
        worker.blamed = call
        worker.signal(signal.SIGKILL)

    def end_if_idle(self, worker: WorkerProcess) -> None:
        if worker.state is State.LEAVING and not worker.calls:
            worker.send((STOP,))

    def balance(self) -> None:
        """As many workers as asked for take calls; a stuck one has a stand-in, and one too many leaves when the calls
        that it has are over: they are as good as any."""
        if self.stopping:
            return
        able = [worker for worker in self.workers if worker.state in (State.LOADING, State.READY)]
        missing = self._options.count - len(able)
        for _ in range(min(missing, self._options.count + _SPARE - len(self.workers))):
            self._start_one()
        if missing < 0:
            ready = [worker for worker in able if worker.state is State.READY]
            for worker in ready[self._options.count :]:
                self._dismiss(worker)

    def _dismiss(self, worker: WorkerProcess) -> None:
        worker.state = State.LEAVING
        self.end_if_idle(worker)

    def _start_one(self) -> None:
        worker = WorkerProcess(self._duties.received)
        self.workers.append(worker)
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
            self._duties.send(worker, call)
        if first:
            await asyncio.gather(*(call.answer.wait() for call in first))
        if worker.state is State.LOADING:
            worker.state = State.READY
            self.balance()
            self._duties.ready()

    def _ended(self, worker: WorkerProcess, how: str) -> None:
        self.workers.remove(worker)
        del self._watches[worker]
        lost = f"the worker process {worker.pid} {how}"
        if not worker.loaded.done():
            worker.loaded.set_exception(WorkerLost(lost))
        running, again = worker.left_behind()
        handled = worker.page.handling
        worker.close()
        if not self.stopping and worker.state is not State.LEAVING:
            names = ", ".join(sorted({call.function for call in running})) or "nothing"
            logger.error("%s; it was running: %s", lost, names)
        for call in running:
            # Orchestrators and entities run one at a time: of the others only the answer was still on its way.
            ended = call.is_handle and call.number != handled
            blamed = not ended and (worker.blamed is None or worker.blamed is call)
            call.fail(WorkerLost(f"{lost} while it ran {call.function}", blamed=blamed))
        if self._beginning is not None and not self.stopping:
            since, self._last_death = CLOCK.monotonic() - self._last_death, CLOCK.monotonic()
            self._quick_deaths = self._quick_deaths + 1 if since < _WELL_SECONDS else 0
            delay = _RESTART_DELAYS[min(self._quick_deaths, len(_RESTART_DELAYS) - 1)]
            asyncio.get_running_loop().call_later(delay, self.balance)
        self._duties.again(again)
