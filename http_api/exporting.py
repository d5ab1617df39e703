"""A range of a drone's messages as one file: read page by page, written as it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

import azure.functions as func

from http_api.problem import Problem
from pipeline.ports import Store
from settings import get_settings
from telemetry.export import FORMATS, Thinning
from telemetry.export.points import Track
from telemetry.model import Message

PAGE = 1000
LOOKED_AT_FACTOR = 50
"""So many messages may be read for one that is kept (``every``): a request has an end."""


class Range(NamedTuple):
    """Message times (canonical, ``until`` exclusive); None: without end on that side."""

    since: str | None
    until: str | None


async def export(
    store: Store,
    drone: str,
    wanted: Range,
    format_name: str,
    *,
    every: float | None = None,
    name: str | None = None,
    only: Callable[[Message], bool] = lambda _: True,
) -> func.HttpResponse:
    """The messages of ``wanted``, oldest first. Raises the 400 ``Problem`` when there are more than ``EXPORT_LIMIT``.

    ``name``: of the track, if it is a flight's, which is a range by itself, and not the drone's; ``only``: which
    messages of the range belong to it.
    """
    part_of = "" if name is None else f"/api/drones/{quote(drone, safe='')}/history?format={format_name}&"
    settings = get_settings()
    rules = settings.rules
    chosen = FORMATS[format_name]
    track = Track(name or drone, settings.flights.rules.gap_seconds, rules.altitude_reference)
    encoder = chosen.make(track)
    thinning = None if every is None else Thinning(every)
    body = bytearray(encoder.begin())
    kept = looked_at = 0
    continuation: str | None = None
    while True:
        page = await store.messages.history(
            drone, wanted.since, wanted.until, ascending=True, limit=PAGE, continuation=continuation
        )
        for message in filter(only, page.items):
            looked_at += 1
            if thinning is not None and not thinning.keeps(message["time"]):
                if looked_at > settings.export_limit * LOOKED_AT_FACTOR:
                    raise _too_many(
                        settings.export_limit * LOOKED_AT_FACTOR, "looked at", wanted, message["time"], part_of
                    )
                continue
            if kept == settings.export_limit:
                raise _too_many(settings.export_limit, "in one file", wanted, message["time"], part_of)
            kept += 1
            body += encoder.add(message)
        continuation = page.continuation
        if continuation is None:
            break
    body += encoder.end()
    headers = {"Cache-Control": "no-cache"}
    if format_name != "geojson":
        file = re.sub(r"[^A-Za-z0-9._-]", "_", track.name)
        headers["Content-Disposition"] = f'attachment; filename="{file}.{format_name}"'
    return func.HttpResponse(bytes(body), mimetype=chosen.media_type, headers=headers)


def _too_many(limit: int, of_what: str, wanted: Range, until: str, part_of: str) -> Problem:
    """``part_of``: where a part of it can be had, if not where all of it was asked for."""
    since = f"from={wanted.since}&" if wanted.since else ""
    detail = (
        f"more than {limit} messages {of_what} (EXPORT_LIMIT); ask for a narrower range, as in {part_of}{since}"
        f"to={until}, or for fewer with every=SECONDS"
    )
    wrong = {"parameter": "every", "value": None} if part_of else {"parameter": "to", "value": wanted.until}
    return Problem("invalid-parameter", detail, errors=[{**wrong, "detail": detail}])
