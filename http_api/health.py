"""Whether the app can work: each part that it stands on is asked, with a deadline, at most once in a while."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import azure.functions as func

from durable_sdk import WRITES, EntityReader, entity_reader
from event_hub.sending import HubUnavailable, get_hub
from event_hub.watch import missing_events
from http_api.endpoint import Api, Call
from http_api.host_status import host_errors
from http_api.responses import json_response
from pipeline.clock import ago
from pipeline.ports import StoreUnavailable
from pipeline.signals import DRONE
from reference_data import reference_problem
from settings import get_settings
from storage.factory import get_store

api = Api()
_LOG = logging.getLogger("http_api")

DEADLINE_SECONDS = 6.0
# The route is open to everybody: however often it is asked, the parts are asked no more than this.
FRESH_SECONDS = 1.0


class PartFails(Exception):
    """A part does not work; the text is fit for everybody."""


_OF_THE_HUB = "event hub"
"""In what the local host says of its own hub."""

Check = Callable[[], Awaitable[str | None]]
"""Raises when the part does not work; text when it works and somebody should know something."""


async def _store() -> None:
    await (await get_store()).health()


async def _event_hub(client: Any) -> str | None:
    hub = get_hub()
    partitions = await hub.partitions()
    for error in await host_errors(client):
        if _OF_THE_HUB in error.lower():
            return error  # of its last write: whether the next one fails too, nobody knows before
    if hub.refused is not None:
        return f"the last events that were sent over HTTP were refused ({hub.refused})"
    try:
        missing = await missing_events(await get_store(), partitions)
    except StoreUnavailable:
        return None  # that is said of the store
    return "; ".join(one.text for one in missing) or None


async def _durable(reader: EntityReader) -> str | None:
    await reader.reachable()
    waiting = WRITES.waiting()
    if waiting:
        raise PartFails(f"a start or a signal has waited for {waiting:.0f} s")
    failed = WRITES.failed()
    if failed is not None:
        return f"the last start or signal failed ({failed})"
    try:
        held = await (await get_store()).held.totals()
    except StoreUnavailable:
        return None  # that is said of the store
    settings = get_settings()
    if held.since is None or held.since > ago(settings.signal_window + 2 * settings.sweeping.stalled_seconds):
        return None
    return f"drones have not been told of {held.batches} batches, the oldest completed at {held.since}"


async def _reference(name: str) -> str | None:
    return await asyncio.to_thread(reference_problem, name)


@dataclass
class Checkup:
    """The parts' last state, and one check under way for all who ask meanwhile."""

    clock: Callable[[], float] = time.monotonic
    _parts: dict[str, Any] = field(default_factory=dict)
    _checked_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def parts(self, checks: dict[str, Check]) -> dict[str, Any]:
        async with self._lock:
            if self.clock() - self._checked_at >= FRESH_SECONDS:
                states = await asyncio.gather(*(_state(name, check) for name, check in checks.items()))
                self._parts = dict(zip(checks, states, strict=True))
                self._checked_at = self.clock()
            return self._parts


async def _state(name: str, check: Check) -> dict[str, Any]:
    """What may be shown to everybody: no address, no key, no text of an exception that is not ours."""
    try:
        remark = await asyncio.wait_for(check(), DEADLINE_SECONDS)
    except StoreUnavailable as error:
        _LOG.warning("health: %s: %s", name, error)
        return {"status": "unhealthy", "detail": error.shown}
    except PartFails as error:
        return {"status": "unhealthy", "detail": str(error)}
    except (asyncio.TimeoutError, TimeoutError):
        return {"status": "unhealthy", "detail": f"no answer within {DEADLINE_SECONDS:g} s"}
    except (HubUnavailable, aiohttp.ClientError, OSError) as error:
        _LOG.warning("health: %s: %r", name, error)
        return {"status": "unhealthy", "detail": "cannot be reached"}
    except Exception:
        _LOG.exception("health: %s", name)
        return {"status": "unhealthy", "detail": "the check failed; the log says more"}
    return {"status": "healthy"} if remark is None else {"status": "degraded", "detail": remark}


_STATUSES = ("healthy", "degraded", "unhealthy")
_checkup = Checkup()


@api.route("GET", "/api/health", role=None, durable=True)
async def get_health(call: Call) -> func.HttpResponse:
    checks: dict[str, Check] = {
        "store": _store,
        "durable": functools.partial(_durable, entity_reader(call.client, DRONE)),
        "eventHub": functools.partial(_event_hub, call.client),
        "zones": functools.partial(_reference, "zones"),
        "registry": functools.partial(_reference, "registry"),
    }
    parts = await _checkup.parts(checks)
    worst = max((part["status"] for part in parts.values()), key=_STATUSES.index)
    works = worst != "unhealthy"
    body = {"status": worst, "parts": parts}
    return json_response(body, status=200 if works else 503, headers={} if works else {"Retry-After": "5"})
