"""What verdicts on telemetry depend on, as operators set it."""

from __future__ import annotations

from settings.errors import SettingError
from settings.reader import Reader
from telemetry.rules import Rules
from telemetry.times import parse_rfc3339
from telemetry.vocabulary import ALTITUDE_REFERENCES, DEVICE_ID_SOURCES, AltitudeReference, DeviceIdSource


def read_rules(read: Reader) -> Rules:
    stale = read.seconds("STALE_SECONDS", 30)
    offline = read.seconds("OFFLINE_SECONDS", 300)
    if offline <= stale:
        raise SettingError("OFFLINE_SECONDS", f"is {offline:g}; allowed: more than STALE_SECONDS, which is {stale:g}")
    source: DeviceIdSource = read.choice("DEVICE_ID_SOURCE", "body", DEVICE_ID_SOURCES)  # type: ignore[assignment]
    reference: AltitudeReference = read.choice("ALTITUDE_REFERENCE", "takeoff", ALTITUDE_REFERENCES)  # type: ignore[assignment]
    low, high = read.range("ALTITUDE_RANGE_METRES", (-1000.0, 20000.0))
    return Rules(
        device_id_source=source,
        future_tolerance_seconds=read.number("FUTURE_TOLERANCE_SECONDS", 300, 0, 1e9, "a number of seconds, 0 or more"),
        not_before=_moment(read, "TIMESTAMP_NOT_BEFORE", "2015-01-01"),
        altitude_minimum=low,
        altitude_maximum=high,
        altitude_reference=reference,
        altitude_limit=read.number(
            "ALTITUDE_LIMIT_METRES", 120, -1e6, 1e6, "a number of metres from -1000000 to 1000000"
        ),
        low_battery=read.number("LOW_BATTERY", 0.2, 0, 1, "a fraction from 0 to 1"),
        stale_after_seconds=stale,
        offline_after_seconds=offline,
    )


def _moment(read: Reader, name: str, default: str) -> str:
    """A date (its first moment in UTC) or a date and time with offset, as canonical text."""
    value = read.text(name, default)
    for text in (value, f"{value}T00:00:00Z"):
        try:
            return parse_rfc3339(text)
        except ValueError:
            continue
    raise SettingError(name, f"is {value!r}; allowed: a date, as in {default}, or a date and time with its offset")
