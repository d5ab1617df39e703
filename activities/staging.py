"""What one step leaves for the next: a list of documents in the ledger, addressed by batch, attempt and name.

The ledger's copy is the one that counts. A step that runs in the process that staged the document, which is the rule on
one machine, is spared reading and parsing it: the lists of the last few batches are remembered as they were written.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from pipeline.ports import Store
from pipeline.records import Batch

MESSAGES = "messages"
ENRICHED = "enriched"
DEAD_LETTERS = "dead_letters"

Key = tuple[str, str, str]
Json = Any
"""A message or a dead letter, by the name it is staged under."""


class StagedDocumentMissing(Exception):
    """The step before has not left what this one needs."""


class Recent:
    """The newest lists, up to ``capacity`` documents in all."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lists: OrderedDict[Key, list[Json]] = OrderedDict()
        self.size = 0

    def remember(self, key: Key, documents: list[Json]) -> None:
        self.take(key)
        self._lists[key] = documents
        self.size += len(documents)
        while self.size > self._capacity:
            _, oldest = self._lists.popitem(last=False)
            self.size -= len(oldest)

    def look(self, key: Key) -> list[Json] | None:
        return self._lists.get(key)

    def take(self, key: Key) -> list[Json] | None:
        documents = self._lists.pop(key, None)
        if documents is not None:
            self.size -= len(documents)
        return documents


_CAPACITY = 20_000
_recent: WeakKeyDictionary[Store, Recent] = WeakKeyDictionary()


def _recent_of(store: Store) -> Recent:
    recent = _recent.get(store)
    if recent is None:
        recent = _recent[store] = Recent(_CAPACITY)
    return recent


async def write_staged(store: Store, batch: Batch, name: str, documents: list[Json]) -> None:
    """The caller hands the list over: it must not change it any more."""
    await store.ledger.stage(batch.id, batch.instance_id, name, orjson.dumps(documents))
    _recent_of(store).remember((batch.id, batch.instance_id, name), documents)


async def write_page(store: Store, batch: Batch, name: str, page: int, documents: list[Json]) -> None:
    """One of several; ``write_page_number`` says at the end how many they are."""
    await write_staged(store, batch, _page_name(name, page), documents)


async def write_page_number(store: Store, batch: Batch, name: str, pages: int) -> None:
    await store.ledger.stage(batch.id, batch.instance_id, name, orjson.dumps({"pages": pages}))


async def page_names(store: Store, batch: Batch, name: str) -> list[str]:
    """The names under which what was staged as ``name`` is read: one, unless there is too much for one document."""
    key = (batch.id, batch.instance_id, name)
    recent = _recent_of(store)
    if recent.look(key) is not None:
        return [name]
    staged = await _parse(store, *key)
    if isinstance(staged, dict):
        return [_page_name(name, page) for page in range(staged["pages"])]
    recent.remember(key, staged)
    return [name]


async def read_staged(store: Store, batch: Batch, name: str) -> list[Json]:
    """To be looked at only; others may be looking at the same list."""
    key = (batch.id, batch.instance_id, name)
    documents = _recent_of(store).look(key)
    return documents if documents is not None else await _parse(store, *key)


async def take_staged(store: Store, batch: Batch, name: str) -> list[Json]:
    """A list of the caller's own, to change as it likes; the ledger's copy stays for the case that it comes again."""
    key = (batch.id, batch.instance_id, name)
    documents = _recent_of(store).take(key)
    return documents if documents is not None else await _parse(store, *key)


async def _parse(store: Store, batch_id: str, instance_id: str, name: str) -> Any:
    staged = await store.ledger.staged(batch_id, instance_id, name)
    if staged is None:
        raise StagedDocumentMissing(f"batch {batch_id}: nothing staged as {name!r} by {instance_id}")
    return orjson.loads(staged)


def _page_name(name: str, page: int) -> str:
    return f"{name}.{page}"
