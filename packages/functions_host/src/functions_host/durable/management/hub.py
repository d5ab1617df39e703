"""What the management API needs of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from functions_host.durable.messages import Payload
from functions_host.durable.names import Names
from functions_host.durable.options import DurableOptions


class TaskHub(Protocol):
    """One hub's instances: reading what is committed, asking for changes. Returned changes are committed."""

    @property
    def options(self) -> DurableOptions: ...
    @property
    def entity_names(self) -> Names: ...

    def now(self) -> int:
        """Microseconds since 1970."""
        ...

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query over the tables of `schema`."""
        ...

    def status_of(self, instance_id: str) -> str | None:
        """An orchestration's runtime status, None if there is none of that id."""
        ...

    async def start_instance(
        self,
        name: str,
        instance_id: str | None,
        input_text: str | None,
        version: str | None,
        restarted: bool = False,
    ) -> str:
        """Start an orchestration; returns its id. Raises Conflict. `restarted`: its execution's id has no dashes."""
        ...

    async def send(self, instance_id: str, payload: Payload) -> None:
        """Hand a message to an orchestration."""
        ...

    async def signal_entity(self, name: str, key: str, operation: str, input_text: str | None) -> None:
        """Hand an operation to an entity; `input_text` is compact JSON text."""
        ...

    async def terminate_unstarted(self, instance_id: str, reason: str | None) -> bool:
        """End an instance whose version keeps it from ever starting; False if it has started or will."""
        ...

    async def rewind(self, instance_id: str, reason: str | None) -> None:
        """Take back a failed instance's last failures and let it run again."""
        ...

    async def purge(self, instance_ids: list[str]) -> None:
        """Delete instances and all that belongs to them."""
        ...

    async def wait_for_end(self, instance_id: str, seconds: float) -> None:
        """Returns when the instance is over, or after `seconds`."""
        ...
