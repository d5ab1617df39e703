"""What the app asks of the durable client."""

from __future__ import annotations

from typing import Any, Protocol


class DurableClient(Protocol):
    """What the app uses of ``azure.durable_functions.DurableOrchestrationClient``."""

    async def start_new(
        self, orchestration_function_name: str, instance_id: str | None = None, client_input: Any = None
    ) -> str: ...

    async def get_status(self, instance_id: str) -> Any: ...

    async def signal_entity(self, entityId: Any, operation_name: str, operation_input: Any = None) -> None: ...

    async def terminate(self, instance_id: str, reason: str) -> None: ...

    async def get_status_by(
        self,
        created_time_from: Any = None,
        created_time_to: Any = None,
        runtime_status: Any = None,
        instance_id_prefix: str | None = None,
    ) -> list[Any]: ...

    async def purge_instance_history(self, instance_id: str) -> Any: ...
