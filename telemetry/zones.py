"""The zones: where drones must not fly, and where they must stay. Optional; docs/messages.md has their format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import shapely

from telemetry.antimeridian import cut
from telemetry.vocabulary import ZoneKind
from telemetry.zone_check import check, in_plan_view, in_words

_MOST_TOLD = 3


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

    def __init__(self, zones: list[Zone], shapes: list[Any], drawn: list[dict[str, Any]]) -> None:
        self.zones = tuple(zones)
        self.shapes = tuple(shapes)
        self.drawn = tuple(drawn)
        """The geometries as their author wrote them, not cut."""
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
        parsed: Any = document
        errors = check(parsed)
        if errors:
            raise InvalidZones("; ".join(map(in_words, errors[:_MOST_TOLD])))
        features = parsed["features"]
        zones = [_zone(feature) for feature in features]
        drawn = [feature["geometry"] for feature in features]
        return cls(zones, [cut(in_plan_view(geometry)) for geometry in drawn], drawn)

    def containing(self, longitudes: Sequence[float], latitudes: Sequence[float]) -> list[tuple[int, int]]:
        """Pairs (point, zone) of indices: each zone that each point is inside of or on the border of, in plan view."""
        points, zones = self._tree.query(shapely.points(longitudes, latitudes), predicate="intersects")
        return list(zip(points.tolist(), zones.tolist(), strict=True))


def _zone(feature: dict[str, Any]) -> Zone:
    properties = feature["properties"]
    zone_id = properties.get("id", feature.get("id"))
    name = properties.get("name")
    return Zone(
        zone_id,
        zone_id if name is None else name,
        properties["kind"],
        properties.get("floor"),
        properties.get("ceiling"),
    )
