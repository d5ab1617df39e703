"""The zones: where drones must not fly, and where they must stay. Optional; docs/messages.md has their format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from shapely.geometry import shape
from shapely.validation import explain_validity

from telemetry.antimeridian import cut
from telemetry.rejection import json_type
from telemetry.vocabulary import ZONE_KINDS, ZoneKind


class InvalidZones(ValueError):
    """The file holds no zones; the text names the feature and the field."""


@dataclass(frozen=True)
class Zone:
    """``floor`` and ``ceiling`` are metres, None for none."""

    id: str
    name: str
    kind: ZoneKind
    floor: float | None
    ceiling: float | None


class Zones:
    """The zones in the order of their file, with an index over their shapes."""

    def __init__(self, zones: list[Zone], shapes: list[Any]) -> None:
        self.zones = tuple(zones)
        self.shapes = tuple(shapes)
        shapely.prepare(shapes)
        self._tree = shapely.STRtree(shapes)

    @classmethod
    def parse(cls, document: bytes | str | dict[str, Any]) -> Zones:
        """From a GeoJSON FeatureCollection of (Multi)Polygons in degrees, as JSON or parsed. Raises InvalidZones."""
        if isinstance(document, (bytes, str)):
            try:
                document = orjson.loads(document)
            except orjson.JSONDecodeError as error:
                raise InvalidZones(f"not JSON: {error}") from None
        if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
            raise InvalidZones("must be a GeoJSON FeatureCollection")
        features = document.get("features")
        if not isinstance(features, list):
            raise InvalidZones(f"features: must be an array, not {json_type(features)}")
        zones: list[Zone] = []
        shapes: list[Any] = []
        seen: set[str] = set()
        for index, feature in enumerate(features):
            where = f"features[{index}]"
            if not isinstance(feature, dict) or feature.get("type") != "Feature":
                raise InvalidZones(f"{where}: must be a GeoJSON Feature")
            zone = _zone(feature, where)
            if zone.id in seen:
                raise InvalidZones(f"{where}.properties.id: {zone.id!r} is there twice")
            seen.add(zone.id)
            zones.append(zone)
            shapes.append(_shape(feature.get("geometry"), f"{where} ({zone.id}).geometry"))
        return cls(zones, shapes)

    def containing(self, longitudes: Sequence[float], latitudes: Sequence[float]) -> list[tuple[int, int]]:
        """Pairs (point, zone) of indices: each zone that each point is inside of or on the border of, in plan view."""
        points, zones = self._tree.query(shapely.points(longitudes, latitudes), predicate="intersects")
        return list(zip(points.tolist(), zones.tolist(), strict=True))


def _zone(feature: dict[str, Any], where: str) -> Zone:
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise InvalidZones(f"{where}.properties: must be an object, not {json_type(properties)}")
    zone_id = properties.get("id", feature.get("id"))
    if not isinstance(zone_id, str) or not zone_id:
        raise InvalidZones(f"{where}.properties.id: must be a non-empty string, not {zone_id!r}")
    where = f"{where} ({zone_id}).properties"
    kind = properties.get("kind")
    if kind not in ZONE_KINDS:
        raise InvalidZones(f"{where}.kind: must be {' or '.join(map(repr, ZONE_KINDS))}, not {kind!r}")
    name = properties.get("name", zone_id)
    if not isinstance(name, str):
        raise InvalidZones(f"{where}.name: must be a string, not {json_type(name)}")
    heights: dict[str, float | None] = {}
    for field in ("floor", "ceiling"):
        value = properties.get(field)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise InvalidZones(f"{where}.{field}: must be a number of metres, not {value!r}")
        heights[field] = value
    floor, ceiling = heights["floor"], heights["ceiling"]
    if floor is not None and ceiling is not None and floor > ceiling:
        raise InvalidZones(f"{where}.floor: {floor:g} is above the ceiling, {ceiling:g}")
    return Zone(zone_id, name, kind, floor, ceiling)


def _shape(geometry: Any, where: str) -> Any:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise InvalidZones(f"{where}: must be a Polygon or MultiPolygon")
    try:
        polygon = shapely.force_2d(shape(geometry))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, shapely.errors.ShapelyError) as error:
        raise InvalidZones(f"{where}.coordinates: {error}") from None
    if polygon.is_empty:
        raise InvalidZones(f"{where}.coordinates: empty")
    west, south, east, north = polygon.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidZones(f"{where}.coordinates: outside of -180..180, -90..90 degrees (longitude comes first)")
    polygon = cut(polygon)
    if not polygon.is_valid:
        raise InvalidZones(f"{where}.coordinates: {explain_validity(polygon)}")
    return polygon
