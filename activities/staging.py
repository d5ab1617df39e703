"""What the first step leaves for the next: the batch as messages and dead letters, one document in the ledger.

The ledger's copy is the one that counts: from then on the attempt sees the same messages, whatever becomes of rules and
zones. A step that runs in the process that staged the document, which is the rule on one machine, is spared reading
and parsing it: the last few batches are remembered as they were written.

Where one process runs all steps, most batches need no copy at all: ``hold`` only remembers. When that process has died,
or had to forget, the batch is prepared again from its bytes (``pages_of``), and held against what is stored already.

A batch that is too much for one document is staged in pages. What the version before has staged (three documents a
batch) is read too, for attempts that were under way when this one was deployed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import orjson

from pipeline.ports import Store
from pipeline.records import Batch
from telemetry.model import DeadLetter, Message

PREPARED = "prepared"
ENRICHED, DEAD_LETTERS = "enriched", "dead_letters"
"""Of the version before: the messages, enriched, and the letters."""

Key = tuple[str, str, str]
Page = tuple[str, ...]
"""The names under which a page of the batch is staged: one, or of the version before the messages' and the letters'."""

THE_ONLY: Page = (PREPARED,)


def numbered(page: int) -> Page:
    return (f"{PREPARED}.{page}",)


class Attempt(Protocol):
    """At a batch (``id``): the ledger's record of it, or of one that is held."""

    @property
    def id(self) -> str: ...

    @property
    def instance_id(self) -> str: ...


class StagedDocumentMissing(Exception):
    """The step before has not left what this one needs."""


@dataclass(frozen=True)
class Prepared:
    """Messages (enriched) and letters of the same events. To be looked at only: others may be looking at them too."""

    messages: list[Message]
    letters: list[DeadLetter]
    stored: list[Message] = field(default_factory=list)
    """What an earlier run has stored of these events and today's rules do not accept: it stays stored."""

    @property
    def told(self) -> list[Message]:
        """What drones are to hear of."""
        return [*self.messages, *self.stored] if self.stored else self.messages

    def __len__(self) -> int:
        return len(self.messages) + len(self.letters) + len(self.stored)


class Recent:
    """The newest pages, up to ``capacity`` documents in all."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pages: OrderedDict[Key, Prepared] = OrderedDict()
        self._of_attempt: dict[tuple[str, str], list[Key]] = {}
        self._unwritten: set[Key] = set()
        self.size = 0

    def remember(self, key: Key, page: Prepared) -> None:
        """A page that the ledger has."""
        self._drop(key)
        self._keep(key, page)
        while self.size > self._capacity:
            self._drop(next(iter(self._pages)))

    def hold(self, key: Key, page: Prepared) -> bool:
        """A page that stands nowhere else; False when there is no room for it beside the others."""
        self._drop(key)
        if self.size + len(page) > self._capacity:
            return False
        self._keep(key, page)
        self._unwritten.add(key)
        return True

    def look(self, key: Key) -> Prepared | None:
        return self._pages.get(key)

    def unwritten(self, key: Key) -> Prepared | None:
        """The page if it stands nowhere else."""
        return self._pages[key] if key in self._unwritten else None

    def forget(self, batch_id: str, instance_id: str) -> None:
        for key in list(self._of_attempt.get((batch_id, instance_id), ())):
            self._drop(key)

    def _keep(self, key: Key, page: Prepared) -> None:
        self._pages[key] = page
        self._of_attempt.setdefault(key[:2], []).append(key)
        self.size += len(page)

    def _drop(self, key: Key) -> None:
        page = self._pages.pop(key, None)
        if page is None:
            return
        self.size -= len(page)
        self._unwritten.discard(key)
        keys = self._of_attempt[key[:2]]
        keys.remove(key)
        if not keys:
            del self._of_attempt[key[:2]]


_CAPACITY = 20_000
_recent: WeakKeyDictionary[Store, Recent] = WeakKeyDictionary()


def _recent_of(store: Store) -> Recent:
    recent = _recent.get(store)
    if recent is None:
        recent = _recent[store] = Recent(_CAPACITY)
    return recent


async def write_page(store: Store, batch: Batch, page: Page, prepared: Prepared) -> None:
    """``THE_ONLY`` page, or a ``numbered`` one: then ``write_page_number`` says at the end how many they are."""
    if len(page) > 1:
        await store.ledger.stage(batch.id, batch.instance_id, page[0], orjson.dumps(prepared.messages))
        return
    document = orjson.dumps({name: value for name, value in vars(prepared).items() if value or name != "stored"})
    await store.ledger.stage(batch.id, batch.instance_id, page[0], document)
    _recent_of(store).remember((batch.id, batch.instance_id, page[0]), prepared)


def hold(store: Store, batch: Batch, prepared: Prepared) -> bool:
    """Remember ``THE_ONLY`` page and write it nowhere; False when there is no room for it, and it has to be written."""
    return _recent_of(store).hold((batch.id, batch.instance_id, PREPARED), prepared)


async def write_held(store: Store, batch: Batch) -> None:
    """Write what ``hold`` has kept, if anything: others will ask for it later."""
    prepared = _recent_of(store).unwritten((batch.id, batch.instance_id, PREPARED))
    if prepared is not None:
        await write_page(store, batch, THE_ONLY, prepared)


async def write_page_number(store: Store, batch: Batch, pages: int) -> None:
    await store.ledger.stage(batch.id, batch.instance_id, PREPARED, orjson.dumps({"pages": pages}))


def forget(store: Store, batch_id: str, instance_id: str) -> None:
    """What the attempt staged is not asked for any more. Only the memory of this process is freed."""
    _recent_of(store).forget(batch_id, instance_id)


async def find_pages(store: Store, batch: Attempt) -> list[Page]:
    """The pages of what was staged. ``StagedDocumentMissing`` when nothing was."""
    key = (batch.id, batch.instance_id, PREPARED)
    if _recent_of(store).look(key) is not None:
        return [THE_ONLY]
    staged = await _load(store, key)
    if staged is None:
        return await _find_pages_of_version_before(store, batch)
    if "pages" in staged:
        return [numbered(page) for page in range(staged["pages"])]
    _recent_of(store).remember(key, Prepared(**staged))
    return [THE_ONLY]


Prepare = Callable[[Batch], Awaitable[object]]
"""Makes the batch's pages, and stages them (``activities.prepare``)."""


async def pages_of(store: Store, batch: Batch, prepare: Prepare) -> tuple[list[Page], bool]:
    """The pages, and whether they had to be made anew: under the rules, the registry and the zones of today."""
    try:
        return await find_pages(store, batch), False
    except StagedDocumentMissing:
        await prepare(batch)
    return await find_pages(store, batch), True


async def read_page(store: Store, batch: Attempt, page: Page) -> Prepared:
    if len(page) > 1:
        messages, letters = [await _get(store, (batch.id, batch.instance_id, name)) for name in page]
        return Prepared(messages, letters)
    key = (batch.id, batch.instance_id, page[0])
    remembered = _recent_of(store).look(key)
    return remembered if remembered is not None else Prepared(**await _get(store, key))


async def is_prepared(store: Store, batch: Attempt) -> bool:
    key = (batch.id, batch.instance_id, PREPARED)
    return _recent_of(store).look(key) is not None or await _load(store, key) is not None


async def _find_pages_of_version_before(store: Store, batch: Attempt) -> list[Page]:
    names: Sequence[str] = (ENRICHED, DEAD_LETTERS)
    for name in names:
        staged = await _load(store, (batch.id, batch.instance_id, name))
        if staged is None:
            raise StagedDocumentMissing(f"batch {batch.id}: nothing staged by {batch.instance_id}")
        if isinstance(staged, dict):
            return [tuple(f"{name}.{page}" for name in names) for page in range(staged["pages"])]
    return [tuple(names)]


async def _get(store: Store, key: Key) -> Any:
    staged = await _load(store, key)
    if staged is None:
        raise StagedDocumentMissing(f"batch {key[0]}: nothing staged as {key[2]!r} by {key[1]}")
    return staged


async def _load(store: Store, key: Key) -> Any:
    """None when nothing is staged there."""
    staged = await store.ledger.staged(*key)
    return None if staged is None else orjson.loads(staged)
