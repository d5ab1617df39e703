"""What every part of the engine shares."""

from __future__ import annotations

from functions_host.clock import Clock, Ids
from functions_host.durable.deaths import Deaths
from functions_host.durable.messages import Message, Payload
from functions_host.durable.names import Names, Registry
from functions_host.durable.options import DurableOptions
from functions_host.durable.runner import FunctionRunner
from functions_host.durable.scheduler import PLACE
from functions_host.durable.store import Store
from functions_host.durable.timers import Timers


class Core:
    """Store, clock, ids, timers, names, options and the numbering of messages."""

    def __init__(self, store: Store, options: DurableOptions, runner: FunctionRunner, clock: Clock, ids: Ids) -> None:
        self.store = store
        self.options = options
        self.runner = runner
        self.clock = clock
        self.ids = ids
        self.timers = Timers(clock)
        slots = options.max_concurrent_orchestrators * PLACE + options.max_concurrent_activities
        self.deaths = Deaths(store, self.clock, store.path.with_name("running"), slots)
        self.activities = Names(lambda: runner.activities)
        self.orchestrators = Names(lambda: runner.orchestrators)
        self.entities = Names(lambda: runner.entities)
        self.registry = Registry(self.activities.has, self.orchestrators.has, self.entities.has)
        # From the stop on a CancelledError is the engine's own; before, a function let it out.
        self.stopping = False
        self._seq = 0

    def load(self) -> None:
        """Go on where the store stands: numbers of messages, deaths of work items."""
        ((last,),) = self.store.read("SELECT coalesce(max(seq), 0) FROM inbox")
        self._seq = last
        self.deaths.load()

    def message(self, instance_id: str, payload: Payload, due: int | None = None) -> Message:
        """A message that is still to be stored."""
        self._seq += 1
        return Message(self._seq, instance_id, payload, due)
