"""Orchestrations by age, newest first, out of an engine that lists them in an order of its own.

The engine filters by the time of creation but neither sorts nor counts, and a list of all goes through every drone's
entity first. So the search asks for a short while back from the end of the range, then for longer and longer ones,
until it has enough; one that holds more than ``MOST`` is cut. Each question makes the real engine read its whole table
of instances: ``GROWTH`` keeps them to five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from durable_sdk import InstanceReader
from durable_sdk.instances import InstanceQuery, InstanceRow
from pipeline.ports import InvalidContinuation
from storage.continuation import decode, encode, query_digest

MOST = 5000
GROWTH = 60
_FIRST = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_AHEAD = timedelta(minutes=5)  # as far as the engine's clock may be ahead of ours
_FORM = "%Y-%m-%dT%H:%M:%S"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class InstanceSearch:
    """``created_from`` is inclusive, ``created_to`` exclusive; both compare whole seconds, as the engine shows them."""

    where: InstanceQuery
    name: str | None = None

    def digest(self) -> str:
        where = self.where
        statuses = ",".join(sorted(where.statuses))
        return query_digest(
            "instances", statuses, where.prefix, self.name, str(where.created_from), str(where.created_to)
        )


async def search(
    reader: InstanceReader, wanted: InstanceSearch, limit: int, continuation: str | None, now: datetime
) -> tuple[list[InstanceRow], str | None]:
    """Up to ``limit`` of them, and the token with which the list goes on; ``InvalidContinuation``."""
    query = wanted.digest()
    after = decode(query, continuation, 2)
    first = _floor(max(wanted.where.created_from or _EPOCH, _EPOCH))
    end = _ceiling(min(wanted.where.created_to or now + _AHEAD, now + _AHEAD))
    if after is not None:
        end = min(end, _moment(after[0]) + _SECOND)
    found: list[InstanceRow] = []
    length = _FIRST
    while end > first and len(found) <= limit:
        begin = max(first, end - length) if end - first > length else first
        rows = await _between(reader, wanted, begin, end)
        if rows is None and length > _SECOND:
            length = max(_SECOND, timedelta(seconds=length.total_seconds() // 4))
            continue
        found += [row for row in rows or () if after is None or _key(row) < (after[0], after[1])]
        end, length = begin, min(length * GROWTH, timedelta(days=36_500))
    found.sort(key=_key, reverse=True)
    token = encode(query, *_key(found[limit - 1])) if len(found) > limit else None
    return found[:limit], token


async def _between(
    reader: InstanceReader, wanted: InstanceSearch, begin: datetime, end: datetime
) -> Sequence[InstanceRow] | None:
    """All that were created in [begin, end); None when there are more than ``MOST`` and the time can be cut."""
    where = replace(wanted.where, created_from=begin, created_to=end - _SECOND)
    found: list[InstanceRow] = []
    token: str | None = None
    while True:
        rows, token = await reader.page(where, token)
        found += [
            row
            for row in rows
            if begin <= _floor(row.created) < end and (wanted.name is None or row.name.lower() == wanted.name.lower())
        ]
        if token is None:
            return found
        if len(found) > MOST and end - begin > _SECOND:
            return None


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=timezone.utc)
    except ValueError:
        raise InvalidContinuation("the continuation token holds no time") from None


def _key(row: InstanceRow) -> tuple[str, str]:
    return row.created.strftime(_FORM), row.id


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _ceiling(moment: datetime) -> datetime:
    floor = _floor(moment)
    return floor if floor == moment else floor + _SECOND
