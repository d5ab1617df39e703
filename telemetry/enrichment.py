"""What the registry and the zones add to a batch of messages, worked out for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence

from pyproj import Geod

from telemetry.model import Alert, Derived, Message, Position
from telemetry.registry import HOME_REFERENCE, Registration, Registry
from telemetry.rules import Rules
from telemetry.vocabulary import ALERT_CODES, GEOFENCE, NO_FLY, AlertCode, AltitudeReference, Flag
from telemetry.zones import Zone, Zones

LOW_BATTERY, SENSOR_UNHEALTHY, NO_FLY_ZONE, OUTSIDE_GEOFENCE, ALTITUDE_LIMIT, _ = ALERT_CODES
TAKEOFF: AltitudeReference = "takeoff"
UNREGISTERED_DEVICE: Flag = "unregistered_device"

_WGS84 = Geod(ellps="WGS84")


def enrich(
    messages: Sequence[Message], registry: Registry | None, zones: Zones | None, rules: Rules
) -> Sequence[Message]:
    """Add to each message, in place, ``alerts`` (what it says by itself), the flag ``unregistered_device`` and, if it
    gives a latitude and a longitude, ``derived``: ``zones`` (ids), ``noFly`` (in a no-fly zone), ``outsideGeofence``,
    ``distanceFromHome`` (metres, if a home is registered) and ``altitudeLimitExceeded`` (if it gives a height or an
    altitude; None when nobody can say how high above the ground that is). Doing it again changes nothing.

    A zone is three-dimensional where it says so: below its floor, and for a no-fly zone above its ceiling, a drone is
    not in it. A geofence's ceiling instead is the altitude limit inside it (of several the lowest), in the place of the
    general one. A drone of unknown height counts as in the zone.
    """
    placed: list[Message] = []
    latitudes: list[float] = []
    longitudes: list[float] = []
    heights: list[float | None] = []
    known = registry.drones if registry is not None else None
    for message in messages:
        position = message.get("position")
        if position and "latitude" in position and "longitude" in position:
            placed.append(message)
            latitudes.append(position["latitude"])
            longitudes.append(position["longitude"])
            heights.append(judged_height(position, None if known is None else known.get(message["deviceId"]), rules))
    distances = _distances_from_home(placed, latitudes, longitudes, registry)
    inside: list[list[Zone]] = [[] for _ in placed]
    fenced = False
    if zones is not None and zones.zones and placed:
        fenced = any(zone.kind == GEOFENCE for zone in zones.zones)
        for point, index in zones.containing(longitudes, latitudes):
            zone = zones.zones[index]
            if _reaches(zone, heights[point]):
                inside[point].append(zone)
    for message, around, distance, height in zip(placed, inside, distances, heights, strict=True):
        derived = _derived(around, fenced, distance, height, rules)
        position = message["position"]
        if height is None and ("altitude" in position or "height" in position):
            derived["altitudeLimitExceeded"] = None
        message["derived"] = derived
    for message in messages:
        message["alerts"] = _alerts(message, rules)
        flags = message["flags"]
        if flags and UNREGISTERED_DEVICE in flags:
            flags.remove(UNREGISTERED_DEVICE)
        if known is not None and message["deviceId"] not in known:
            flags.append(UNREGISTERED_DEVICE)
    return messages


def judged_height(position: Position, registration: Registration | None, rules: Rules) -> float | None:
    """Metres above the ground at take-off, as far as that can be told; None else, never a guess."""
    height = position.get("height")
    if height is not None:
        return height
    altitude = position.get("altitude")
    if altitude is None:
        return None
    reference = position.get("altitudeReference", rules.altitude_reference)
    if reference == TAKEOFF:
        return altitude
    home = None if registration is None else registration["home"]
    if home is None or home.get("altitude") is None or home.get("altitudeReference", HOME_REFERENCE) != reference:
        return None
    return float(altitude - home["altitude"])


def _distances_from_home(
    placed: Sequence[Message], latitudes: list[float], longitudes: list[float], registry: Registry | None
) -> list[float | None]:
    """Geodesic metres to the millimetre, None where no home is known."""
    distances: list[float | None] = [None] * len(placed)
    if registry is None:
        return distances
    at: list[int] = []
    homes: list[dict[str, float]] = []
    for i, message in enumerate(placed):
        registration = registry.drones.get(message["deviceId"])
        if registration is not None and registration["home"] is not None:
            at.append(i)
            homes.append(registration["home"])
    if at:
        # Lists and not arrays: pyproj takes an array of one for a point, and warns.
        _, _, metres = _WGS84.inv(
            [home["longitude"] for home in homes],
            [home["latitude"] for home in homes],
            [longitudes[i] for i in at],
            [latitudes[i] for i in at],
        )
        for i, distance in zip(at, metres, strict=True):
            distances[i] = round(distance, 3)
    return distances


def _reaches(zone: Zone, height: float | None) -> bool:
    if height is None:
        return True
    if zone.floor is not None and height < zone.floor:
        return False
    return zone.kind != NO_FLY or zone.ceiling is None or height <= zone.ceiling


def _derived(around: list[Zone], fenced: bool, distance: float | None, height: float | None, rules: Rules) -> Derived:
    limit = rules.altitude_limit
    no_fly = fence = False
    ceiling: float | None = None
    for zone in around:
        if zone.kind == NO_FLY:
            no_fly = True
        else:
            fence = True
            if zone.ceiling is not None and (ceiling is None or zone.ceiling < ceiling):
                limit = ceiling = zone.ceiling
    derived: Derived = {
        "zones": sorted([zone.id for zone in around]) if around else [],
        "noFly": no_fly,
        "outsideGeofence": fenced and not fence,
    }
    if distance is not None:
        derived["distanceFromHome"] = distance
    if height is not None:
        derived["altitudeLimitExceeded"] = height > limit
    return derived


def _alerts(message: Message, rules: Rules) -> list[Alert]:
    codes: list[AlertCode] = []
    battery = message.get("battery")
    if battery is not None and battery < rules.low_battery:
        codes.append(LOW_BATTERY)
    health = message.get("health")
    if health is not None and False in health.values():
        codes.append(SENSOR_UNHEALTHY)
    derived = message.get("derived")
    if derived is not None:
        if derived["noFly"]:
            codes.append(NO_FLY_ZONE)
        if derived["outsideGeofence"]:
            codes.append(OUTSIDE_GEOFENCE)
        if derived.get("altitudeLimitExceeded"):
            codes.append(ALTITUDE_LIMIT)
    return [{"code": code, "at": message["time"]} for code in codes] if codes else []
