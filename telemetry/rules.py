"""The thresholds that operators may set; ``settings`` fills them from the environment."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry.vocabulary import AltitudeReference, DeviceIdSource


@dataclass(frozen=True)
class Rules:
    """Everything a verdict on telemetry depends on besides the message, the registry and the zones.

    Lengths are metres, ages are seconds, ``low_battery`` is a fraction of a full charge.
    """

    device_id_source: DeviceIdSource = "body"
    future_tolerance_seconds: float = 300.0
    not_before: str = "2015-01-01T00:00:00.000000Z"  # canonical; an earlier clock was never set
    altitude_minimum: float = -1000.0
    altitude_maximum: float = 20000.0
    altitude_reference: AltitudeReference = "takeoff"  # of what a message leaves unsaid
    altitude_limit: float = 120.0
    low_battery: float = 0.2
    stale_after_seconds: float = 30.0
    offline_after_seconds: float = 300.0
