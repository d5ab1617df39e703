"""Zones and registry of the stub: kept in memory, by the rules of the real routes (tags, versions, all errors)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from telemetry.zone_check import check

Json = dict[str, Any]
Headers = Message
Answer = tuple[int, Any, dict[str, str]]
HOME = (47.476075, -122.192026)
AT = "2026-01-05T10:00:00.000Z"


@dataclass
class StubReference:
    zones: Json = field(default_factory=lambda: zones())
    versions: list[Json] = field(default_factory=list)
    registry: dict[str, Json] = field(default_factory=dict)
    also_wrong: list[Json] = field(default_factory=list)  # what the next PUT of zones is refused with

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> Answer | None:
        """Status, body and headers; None for what is none of its routes."""
        parts = path.strip("/").split("/")[1:]
        if parts[0] == "zones":
            return self._zones(method, parts[1:], headers, body)
        if parts[0] == "registry" and len(parts) == 2:
            return self._registration(method, parts[1], headers, body)
        return None

    def save_zones(self, document: Json) -> None:
        if not self.versions:
            self.versions.append({"document": self.zones, "version": 1, "at": AT, "by": "file"})
        self.zones = document
        version = len(self.versions) + 1
        self.versions.append({"document": document, "version": version, "at": AT, "by": "Ada"})

    def _zones(self, method: str, rest: list[str], headers: Headers, body: bytes) -> Answer:
        if method == "PUT":
            document = json.loads(body)
            errors = [*check(document), *self.also_wrong]
            self.also_wrong = []
            if errors:
                return 400, problem(400, "Invalid zones", f"{len(errors)} broken", errors), {}
            refused = _match(headers, self.zones)
            if refused:
                return refused
            self.save_zones(document)
        elif rest == ["versions"]:
            items = [{name: one[name] for name in ("version", "at", "by")} for one in reversed(self.versions)]
            return 200, {"items": items, "continuation": None}, {}
        elif rest:
            document = self.versions[int(rest[1]) - 1]["document"]
            if method == "GET":
                return 200, document, {}
            refused = _match(headers, self.zones)
            if refused:
                return refused
            self.save_zones(document)
        return 200, self.zones, {"ETag": tag(self.zones)}

    def _registration(self, method: str, drone: str, headers: Headers, body: bytes) -> Answer:
        there = self.registry.get(drone)
        if method == "GET" or (method == "DELETE" and there is None):
            return (200, there, {"ETag": tag(there)}) if there else (404, problem(404, "Not found", drone), {})
        refused = _match(headers, there) if there else None
        if refused:
            return refused
        if method == "DELETE":
            del self.registry[drone]
            return 204, None, {}
        entry = json.loads(body)
        latitude = (entry.get("home") or {}).get("latitude", 0)
        if not -90 <= latitude <= 90:
            error = {"field": "home.latitude", "value": None, "detail": "must be a number from -90 to 90"}
            return 400, problem(400, "Invalid body", "home.latitude: must be a number", [error]), {}
        self.registry[drone] = entry
        return (200 if there else 201), entry, {"ETag": tag(entry)}


def tag(document: Any) -> str:
    return f'"{hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:24]}"'


def problem(status: int, title: str, detail: str, errors: list[Any] | None = None) -> Json:
    return {"status": status, "title": title, "detail": detail, "errors": errors or []}


def _match(headers: Headers, document: Any) -> Answer | None:
    given = headers.get("If-Match")
    if given is None:
        return 428, problem(428, "Precondition required", "If-Match is missing"), {}
    return None if given == tag(document) else (412, problem(412, "Precondition failed", "changed meanwhile"), {})


def square(name: str, kind: str, reach: float, ceiling: float | None) -> Json:
    south, west = HOME[0] - reach, HOME[1] - 1.6 * reach
    north, east = HOME[0] + reach, HOME[1] + 1.6 * reach
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {"id": name, "name": name.title(), "kind": kind, "floor": None, "ceiling": ceiling}
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}


def zones() -> Json:
    features = [square("airport", "no_fly", 0.006, None), square("city", "geofence", 0.045, 120)]
    return {"type": "FeatureCollection", "features": features}
