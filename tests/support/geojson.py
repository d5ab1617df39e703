"""Zones for the tests."""

from __future__ import annotations

from typing import Any


def square(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    given = {"id": "z", "name": "Zone", "kind": "no_fly", **properties}
    return {"type": "Feature", "properties": given, "geometry": geometry or square(0, 0, 1, 1)}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}
