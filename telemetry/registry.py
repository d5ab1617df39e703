"""The registry: which drones are ours, and where they live. Optional; docs/messages.md has its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from telemetry.device_id import DEVICE_ID_PATTERN
from telemetry.rejection import json_type
from telemetry.vocabulary import ALTITUDE_REFERENCES, AltitudeReference

Registration = dict[str, Any]
"""id, name, model, owner, home (None, or {"latitude", "longitude"} degrees and perhaps {"altitude"} metres with its
"altitudeReference"), and whatever else the file says."""

HOME_REFERENCE: AltitudeReference = "msl"
"""What a home's altitude refers to where its registration does not say."""


class InvalidRegistry(ValueError):
    """The file is no registry; the text names the entry and the field."""


@dataclass(frozen=True)
class Registry:
    """Registrations by device id."""

    drones: Mapping[str, Registration]

    @classmethod
    def parse(cls, document: bytes | str | dict[str, Any] | list[Any]) -> Registry:
        """From ``{"drones": [entry, …]}`` or the bare list, as JSON or parsed. An entry needs ``id``; the rest may be
        absent. Raises InvalidRegistry."""
        if isinstance(document, (bytes, str)):
            try:
                document = orjson.loads(document)
            except orjson.JSONDecodeError as error:
                raise InvalidRegistry(f"not JSON: {error}") from None
        entries = document.get("drones") if isinstance(document, dict) else document
        if not isinstance(entries, list):
            raise InvalidRegistry('must be a list of drones, or an object with a list "drones"')
        drones: dict[str, Registration] = {}
        for index, entry in enumerate(entries):
            registration = _registration(entry, f"drones[{index}]")
            if registration["id"] in drones:
                raise InvalidRegistry(f"drones[{index}].id: {registration['id']!r} is there twice")
            drones[registration["id"]] = registration
        return cls(drones)


def _registration(entry: Any, where: str) -> Registration:
    if not isinstance(entry, dict):
        raise InvalidRegistry(f"{where}: must be an object, not {json_type(entry)}")
    device_id = entry.get("id")
    if not isinstance(device_id, str) or DEVICE_ID_PATTERN.fullmatch(device_id) is None:
        raise InvalidRegistry(f"{where}.id: must be a device id, not {_as_json(device_id)}")
    for name in ("name", "model", "owner"):
        if not isinstance(entry.get(name), (str, type(None))):
            raise InvalidRegistry(f"{where}.{name}: must be a string, not {json_type(entry[name])}")
    home = entry.get("home")
    if home is not None:
        if not isinstance(home, dict):
            raise InvalidRegistry(f"{where}.home: must be an object, not {json_type(home)}")
        for name, limit in (("latitude", 90), ("longitude", 180)):
            value = home.get(name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not -limit <= value <= limit:
                raise InvalidRegistry(
                    f"{where}.home.{name}: must be a number from {-limit} to {limit}, not {_as_json(value)}"
                )
        _check_altitude(home, f"{where}.home")
    return {"name": None, "model": None, "owner": None, **entry, "home": home}


def _check_altitude(home: dict[str, Any], where: str) -> None:
    altitude = home.get("altitude")
    if altitude is not None and (isinstance(altitude, bool) or not isinstance(altitude, (int, float))):
        raise InvalidRegistry(f"{where}.altitude: must be a number of metres, not {_as_json(altitude)}")
    reference = home.get("altitudeReference", HOME_REFERENCE)
    if reference not in (HOME_REFERENCE, "wgs84"):
        allowed = [name for name in ALTITUDE_REFERENCES if name != "takeoff"]
        raise InvalidRegistry(f"{where}.altitudeReference: must be {' or '.join(allowed)}, not {_as_json(reference)}")


def _as_json(value: Any) -> str:
    """A number as it is, anything else by its type: in the words of who wrote the file, not in Python's."""
    return f"{value!r}" if isinstance(value, (int, float, str)) and not isinstance(value, bool) else json_type(value)
