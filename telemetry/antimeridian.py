"""Polygons across ±180°: what their author meant (RFC 7946, 3.1.9)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box


def cut(shape: Any) -> Any:
    """The (Multi)Polygon with each polygon that has an edge of more than 180° cut at the line, in degrees of
    -180..180; one without such an edge as it is.

    An edge from -180 to 180 exactly goes around the world: it is meant as it is written.
    """
    polygons = list(shape.geoms) if isinstance(shape, MultiPolygon) else [shape]
    if not any(_crosses(polygon) for polygon in polygons):
        return shape
    return shapely.union_all([_cut(polygon) if _crosses(polygon) else polygon for polygon in polygons])


def _crosses(polygon: Polygon) -> bool:
    return any(
        180 < abs(b[0] - a[0]) < 360
        for ring in (polygon.exterior, *polygon.interiors)
        for a, b in pairwise(ring.coords)
    )


def _cut(polygon: Polygon) -> Any:
    outside = _unrolled(list(polygon.exterior.coords))
    holes = [_beside(_unrolled(list(ring.coords)), outside) for ring in polygon.interiors]
    unrolled = Polygon(outside, holes)
    if not unrolled.is_valid:
        return unrolled  # whoever checks it says why
    west, _, east, _ = unrolled.bounds
    parts = []
    for turn in range(int((west + 180) // 360), int((east + 180) // 360) + 1):
        world = box(360 * turn - 180, -90, 360 * turn + 180, 90)
        part = unrolled.intersection(world)
        if part.area > 0:
            parts.append(affinity.translate(part, xoff=-360 * turn))
    return shapely.union_all(parts) if parts else unrolled


def _unrolled(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Longitudes that go on beyond ±180 where the ring does, so that no edge spans more than 180°."""
    around = 0.0
    points = [ring[0]]
    for (before, _), (longitude, latitude) in pairwise(ring):
        step = longitude - before
        if 180 < abs(step) < 360:
            around += -360.0 if step > 0 else 360.0
        points.append((longitude + around, latitude))
    return points


def _beside(hole: list[tuple[float, float]], outside: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The hole on the turn on which its polygon lies."""
    centre = sum(point[0] for point in outside) / len(outside)
    mine = sum(point[0] for point in hole) / len(hole)
    turns = 360 * round((centre - mine) / 360)
    return [(longitude + turns, latitude) for longitude, latitude in hole]
