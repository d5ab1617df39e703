"""One Cosmos DB container: point reads, queries, and transactions of one logical partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import (
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from pipeline.ports import StoreUnavailable
from storage.azure.calls import PARTITION_FULL, Calls, is_missing

Item = dict[str, Any]
Operation = tuple[Any, ...]
Partition = str | list[str]
"""A value of the partition key, or one for each of its levels; of a query also for the first of them only."""

MAX_OPERATIONS = 100
"""Operations of one transaction."""
MAX_TRANSACTION_BYTES = 1_000_000
"""Half of what the service takes: it counts more than the bodies."""

_MAX_PAGE = 1000
_SYSTEM = ("_rid", "_self", "_etag", "_attachments", "_ts", "_lsn")


class Refused(Exception):
    """A transaction that was rolled back because of its operation ``index``, which got ``status`` (404, 409, 412)."""

    def __init__(self, index: int, status: int) -> None:
        super().__init__(f"operation {index} got {status}")
        self.index = index
        self.status = status


class Items:
    def __init__(self, container: ContainerProxy, calls: Calls) -> None:
        self._container = container
        self._calls = calls
        self._name = f"Cosmos DB container {container.id}"
        self.request_units = 0.0
        """What all requests to this container have cost so far."""

    async def read(self, item_id: str, partition: Partition) -> Item | None:
        """An ordinary point read: 1 RU, and as old as the account's consistency allows."""

        async def call() -> Item | None:
            try:
                return dict(await self._container.read_item(item_id, partition, response_hook=self._charge))
            except CosmosResourceNotFoundError as error:
                if not is_missing(error):
                    raise
                return None

        return await self._calls.run(f"{self._name}: read", call)

    async def read_current(self, item_id: str, partition: Partition) -> Item | None:
        """What stands there now. Read inside a transaction, which the service runs where writes are made: a decision
        that refuses something must not rest on a replica that lags behind."""
        try:
            (item,) = await self.transact([("read", (item_id,))], partition)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return item

    async def create(self, item: Item, partition: Partition) -> bool:
        """False when an item with this id is there already."""

        async def call() -> bool:
            try:
                await self._container.create_item(item, no_response=True, response_hook=self._charge)
            except CosmosResourceExistsError:
                return False
            return True

        return await self._calls.run(f"{self._name}: create", call, patient=True)

    async def delete(self, item_id: str, partition: Partition) -> None:
        async def call() -> None:
            try:
                await self._container.delete_item(item_id, partition, response_hook=self._charge)
            except CosmosResourceNotFoundError as error:
                if not is_missing(error):
                    raise

        await self._calls.run(f"{self._name}: delete", call, patient=True)

    async def transact(self, operations: Sequence[Operation], partition: Partition) -> list[Item]:
        """All of ``operations`` or none; their items. ``Refused`` says which one was not possible."""

        async def call() -> list[Item]:
            try:
                results = await self._container.execute_item_batch(
                    [_fresh(operation) for operation in operations], partition, response_hook=self._charge
                )
            except CosmosBatchOperationError as error:
                status = _status_of_operation(error)
                if status in (404, 409, 412):
                    raise Refused(error.error_index, status) from None
                # 429, 449, 410, … of one operation: as if the whole request had got it. Who may not write at all is
                # refused the whole request, so that a 403 of one operation is the partition's.
                raise CosmosHttpResponseError(
                    status_code=status,
                    message="transaction rolled back",
                    sub_status=PARTITION_FULL if status == 403 else None,
                ) from None
            return [dict(result.get("resourceBody") or {}) for result in results]

        return await self._calls.run(f"{self._name}: transaction", call, patient=True)

    async def query(
        self,
        text: str,
        parameters: Mapping[str, Any],
        limit: int | None,
        *,
        partition: Partition | None = None,
        patient: bool = False,
    ) -> list[Item]:
        """At most ``limit`` items (None: all). Without ``partition`` all partitions are asked. ``patient``: it is for a
        batch, and not for a person (``calls``)."""

        async def call() -> list[Item]:
            arguments: dict[str, Any] = {"partition_key": partition} if partition is not None else {}
            found = []
            async for item in self._container.query_items(
                text,
                parameters=[{"name": name, "value": value} for name, value in parameters.items()],
                max_item_count=_MAX_PAGE if limit is None else min(limit, _MAX_PAGE),
                response_hook=self._charge,
                **arguments,
            ):
                found.append(dict(item))
                if len(found) == limit:
                    break
            return found

        return await self._calls.run(f"{self._name}: query", call, patient=patient)

    async def has_any(self) -> bool:
        """Whether the container is there, and something is in it."""
        try:
            return bool(await self.query("SELECT TOP 1 c.id FROM c", {}, 1))
        except StoreUnavailable as error:
            if isinstance(error.__cause__, CosmosResourceNotFoundError):
                return False
            raise

    async def probe(self) -> None:
        """``StoreUnavailable`` unless the container is there and may be used."""
        await self._calls.run(self._name, self._container.read)

    def _charge(self, headers: Mapping[str, str], *_: Any) -> None:
        self.request_units += float(headers.get("x-ms-request-charge", 0))


def without_system_fields(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in _SYSTEM}


def chunks(operations: Sequence[tuple[Operation, int]], reserve: int = 0) -> list[list[Operation]]:
    """Operations with their sizes in bytes, cut into transactions that the service takes, each with ``reserve``
    operations left free."""
    cut: list[list[Operation]] = []
    room = size = 0
    for operation, bytes_needed in operations:
        if room == 0 or size + bytes_needed > MAX_TRANSACTION_BYTES:
            cut.append([])
            room, size = MAX_OPERATIONS - reserve, 0
        cut[-1].append(operation)
        room -= 1
        size += bytes_needed
    return cut


def patches(item_id: str, increments: Mapping[str, int]) -> list[Operation]:
    """Patch operations that add ``increments`` (field → number), ten fields each, which is all that one may hold."""
    changes = [
        {"op": "incr", "path": f"/{_escaped(name)}", "value": value} for name, value in increments.items() if value
    ]
    return [("patch", (item_id, changes[start : start + 10])) for start in range(0, len(changes), 10)]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _fresh(operation: Operation) -> Operation:
    # The SDK takes the options out of the mapping it is given, and would not find them when the call is retried.
    return (*operation[:2], *(dict(options) for options in operation[2:]))


def _status_of_operation(error: CosmosBatchOperationError) -> int:
    response = error.operation_responses[error.error_index]
    return int(response.get("statusCode", error.status_code))
