"""The base map out of one PMTiles file, a range of bytes at a time.

The format (https://github.com/protomaps/PMTiles, spec v3) is made for that: a reader asks for the directory and for the
tiles that it shows. The role is the drones': a bought map is no more open than what is shown on it.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path

import azure.functions as func

from http_api.authorization import Role
from http_api.endpoint import Api, Call
from http_api.problem import Problem, not_found
from http_api.responses import matches, not_modified
from settings import get_settings

api = Api()
PATH = "/api/map.pmtiles"
MOST_BYTES = 4 * 1024 * 1024
"""In one answer. Who asks for more gets the first part of it, as HTTP allows (RFC 9110, 15.3.7)."""

_RANGE = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))")


@api.route("GET", PATH, role=Role.GET_STATUS)
async def get_map_tiles(call: Call) -> func.HttpResponse:
    path = get_settings().map.pmtiles_file
    if path is None:
        raise Problem("not-found", "there is no such map: MAP_PMTILES_FILE is not set")
    try:
        return await asyncio.to_thread(part, path, call.request.headers)
    except FileNotFoundError as error:
        raise not_found("file of MAP_PMTILES_FILE", path.name) from error


def part(path: Path, headers: Mapping[str, str]) -> func.HttpResponse:
    """The answer to a request with these headers (names in lower case). Raises the ``Problem``."""
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        tag = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
        answer = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600"}
        if matches(headers.get("if-none-match"), tag):
            return not_modified(answer)
        if headers.get("if-range") not in (None, tag):
            raise Problem("precondition-failed", f"the map has been replaced: its ETag is {tag}", headers={"ETag": tag})
        first, last = _range(headers.get("range"), about.st_size)
        file.seek(first)
        body = file.read(last - first + 1)
    answer["Content-Range"] = f"bytes {first}-{last}/{about.st_size}"
    return func.HttpResponse(body, status_code=206, headers=answer, mimetype="application/vnd.pmtiles")


def _range(header: str | None, size: int) -> tuple[int, int]:
    """First and last byte that are sent. Raises the 400 or 416 ``Problem``."""
    found = None if header is None else _RANGE.fullmatch(header.strip())
    if found is None:
        detail = (
            "the header Range is needed, with one range of bytes, as in bytes=0-16383: the file is never sent whole"
        )
        raise Problem("invalid-parameter", detail)
    start, end, suffix = found.groups()
    if suffix is not None:
        first, last = max(0, size - int(suffix)), size - 1
    else:
        first, last = int(start), min(int(end) if end else size - 1, size - 1)
    if first > last:
        raise Problem(
            "range-not-satisfiable",
            f"the file has {size} bytes",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return first, min(last, first + MOST_BYTES - 1)
