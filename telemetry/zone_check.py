"""What is wrong with a document of zones: all of it, each with the feature and the ring it stands in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, TypedDict

from shapely.geometry import MultiPolygon, Polygon
from shapely.validation import explain_validity

from telemetry.antimeridian import cut
from telemetry.rejection import json_type
from telemetry.vocabulary import ZONE_KINDS

_NAMES_A_FIELD = re.compile(r"(properties|geometry)\b[.\w]*:").match


class ZoneError(TypedDict):
    """``feature`` and ``ring`` are indices from 0; None where it is the document, or no single ring. Rings of a
    MultiPolygon are numbered on through its polygons."""

    feature: int | None
    id: str | None
    ring: int | None
    detail: str


def check(document: Any) -> list[ZoneError]:
    """Every rule that the document (parsed JSON) breaks; none for zones that can be in force."""
    errors: list[ZoneError] = []

    def broken(detail: str, feature: int | None = None, zone_id: str | None = None, ring: int | None = None) -> None:
        errors.append({"feature": feature, "id": zone_id, "ring": ring, "detail": detail})

    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        broken("must be a GeoJSON FeatureCollection")
        return errors
    features = document.get("features")
    if not isinstance(features, list):
        broken(f"features: must be an array, not {json_type(features)}")
        return errors
    seen: dict[str, int] = {}
    for index, feature in enumerate(features):
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            broken("must be a GeoJSON Feature", index)
            continue
        properties = feature.get("properties")
        given = properties.get("id", feature.get("id")) if isinstance(properties, dict) else feature.get("id")
        zone_id = given if isinstance(given, str) and given else None
        if not isinstance(properties, dict):
            broken(f"properties: must be an object, not {json_type(properties)}", index, zone_id)
        else:
            for detail in _properties(properties, given):
                broken(detail, index, zone_id)
        if zone_id is not None:
            if zone_id in seen:
                broken(f"properties.id: {zone_id!r} is there twice, first in feature {seen[zone_id]}", index, zone_id)
            seen.setdefault(zone_id, index)
        for ring, detail in _geometry(feature.get("geometry")):
            broken(detail, index, zone_id, ring)
    return errors


def in_words(error: ZoneError) -> str:
    """``features[2] (airport).properties.kind: must be …``."""
    where = "" if error["feature"] is None else f"features[{error['feature']}]"
    if error["id"] is not None and not error["detail"].startswith("properties.id:"):
        where += f" ({error['id']})"
    if not where:
        return error["detail"]
    return f"{where}.{error['detail']}" if _NAMES_A_FIELD(error["detail"]) else f"{where}: {error['detail']}"


def _properties(properties: dict[str, Any], zone_id: Any) -> Iterator[str]:
    if not isinstance(zone_id, str) or not zone_id:
        yield f"properties.id: must be a non-empty string, not {zone_id!r}"
    kind = properties.get("kind")
    if kind not in ZONE_KINDS:
        yield f"properties.kind: must be {' or '.join(map(repr, ZONE_KINDS))}, not {kind!r}"
    name = properties.get("name")
    if not isinstance(name, (str, type(None))):
        yield f"properties.name: must be a string, not {json_type(name)}"
    heights = {}
    for field in ("floor", "ceiling"):
        value = properties.get(field)
        if value is None:
            continue
        if not _is_finite(value):
            yield f"properties.{field}: must be a number of metres, not {repr(value)[:60]}"
        else:
            heights[field] = value
    if len(heights) == 2 and heights["floor"] > heights["ceiling"]:
        yield f"properties.floor: {heights['floor']:g} is above the ceiling, {heights['ceiling']:g}"


def _geometry(geometry: Any) -> Iterator[tuple[int | None, str]]:
    """(ring, what is wrong)."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        yield None, "geometry: must be a Polygon or MultiPolygon"
        return
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons or not all(isinstance(p, list) and p for p in polygons):
        yield None, "geometry.coordinates: empty"
        return
    sound = True
    number = 0
    for polygon in polygons:
        for ring in polygon:
            detail = _ring(ring)
            if detail is not None:
                sound = False
                yield number, f"geometry.coordinates: {detail}"
            number += 1
    if sound:
        whole = cut(in_plan_view(geometry))
        if not whole.is_valid:
            yield None, f"geometry.coordinates: {explain_validity(whole)}"


def in_plan_view(geometry: dict[str, Any]) -> Polygon | MultiPolygon:
    """A (Multi)Polygon whose rings are sound. What else its positions say, an altitude or more, each as it likes, is
    left out (RFC 7946, 3.1.1)."""
    if geometry["type"] == "Polygon":
        return _polygon(geometry["coordinates"])
    return MultiPolygon([_polygon(rings) for rings in geometry["coordinates"]])


def _polygon(rings: list[list[list[float]]]) -> Polygon:
    outside, *holes = ([position[:2] for position in ring] for ring in rings)
    return Polygon(outside, holes)


def _ring(ring: Any) -> str | None:
    if not isinstance(ring, list):
        return f"a ring must be an array of positions, not {json_type(ring)}"
    for position in ring:
        if not _is_position(position):
            return f"a position must be [longitude, latitude], not {str(position)[:60]}"
    if len(ring) < 4:
        return f"a ring needs four positions or more, not {len(ring)}"
    if ring[0][:2] != ring[-1][:2]:
        return "the ring is not closed: its last position must be its first one"
    for position in ring:
        if abs(position[0]) > 180 or abs(position[1]) > 90:
            return f"{position[:2]} is outside of -180..180, -90..90 degrees (longitude comes first)"
    alone = cut(Polygon([position[:2] for position in ring]))
    if not alone.is_valid:
        return f"the ring crosses itself ({explain_validity(alone)})"
    return None


def _is_position(position: Any) -> bool:
    return isinstance(position, list) and 2 <= len(position) <= 4 and all(map(_is_finite, position))


def _is_finite(value: Any) -> bool:
    """Whether it is a number that a float can hold: JSON has integers of any length."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False
