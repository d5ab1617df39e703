"""One vehicle: what it has said last, folded into one message per interval with only what changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.mavlink.clock import VehicleClock
from gateway.mavlink.packets import Packet
from gateway.timestamps import timestamp
from telemetry.mavlink import NO_FIX, Values, fields_of, is_vehicle

KEY_FRAME_GAP = 10
"""Messages from one key frame to the next."""

_FRESH_SECONDS = 5.0
"""For so long the better source of a value is waited for before the other one counts."""
# Of one of these the others follow: half a position is no place, and a height without its reference no height.
_TOGETHER = (("latitude", "longitude"), ("altitude", "altitudeReference"))
_UNKNOWN_SATELLITES, _UNKNOWN_SPEED = 255, 65535
_GRACE_SECONDS = 0.2


class Said(NamedTuple):
    """An interval's message, and which interval."""

    window: int
    message: dict[str, Any]


class Vehicle:
    """``hear`` its packets; ``say`` what they said at the interval's end."""

    def __init__(
        self, device_id: str, component: int, interval: float, retimed: Callable[[float], float] = lambda moment: moment
    ) -> None:
        self.device_id = device_id
        self.component = component
        self.confirmed = False
        """Whether it is a vehicle for certain; nothing is said of others."""
        self.last_heard = 0.0
        self.heard = False
        """In the open interval."""
        self.window = 0
        """The open interval: how many intervals since the epoch, by the message's clock."""
        self._interval = interval
        self._retimed = retimed
        self._clock = VehicleClock()
        self._start()

    def _start(self) -> None:
        """As after a boot: whatever it said before may no longer be so."""
        self.kinds: dict[str, float] = {}
        """The message types heard since the boot, each with when last."""
        self._moment = 0.0
        self._flat: dict[str, Any] = {}
        self._said: dict[str, Any] = {}
        self._until_key_frame = 0
        self._estimated: frozenset[str] = frozenset()
        self._landed_state_at = float("-inf")

    @property
    def rebooted(self) -> int:
        return self._clock.rebooted

    def hear(self, packet: Packet, at: float) -> Said | None:
        """What is to be said of the interval that this packet ends: by its time, or because it is the first since a new
        boot. None while the interval goes on."""
        said = None
        boot_ms: int | None = packet.values.get("time_boot_ms")
        if boot_ms is not None and self._clock.falls_back(boot_ms):
            said = self.say()
            self._clock.boot()
            self._start()
        if boot_ms is not None:
            self._clock.boot_time(boot_ms)
        known = self._clock.known
        if packet.kind == "SYSTEM_TIME":
            self._clock.system_time(packet.values["time_unix_usec"], packet.values["time_boot_ms"], at)
        moment = self._clock.moment(boot_ms, at)
        window = math.floor(moment / self._interval)
        if self.heard and known != self._clock.known:
            self.heard = False  # the same interval, by the better clock
        elif self.heard and (window > self.window or window < self.window - 1):
            said = self.say()
        if not self.heard:
            self.window, self._moment = window, moment
        self._moment = max(self._moment, moment)
        self.heard = True
        self.last_heard = at
        self._read(packet, at)
        return said

    def has_ended(self, at: float) -> bool:
        """Whether the open interval is over by now, and a little more for what is still on its way."""
        now = self._clock.now(at) - _GRACE_SECONDS
        return self.heard and not 0 <= math.floor(now / self._interval) - self.window + 1 <= 1

    def say(self) -> Said | None:
        """Close the interval; None when nothing was heard in it, or of what is no vehicle."""
        if not self.heard:
            return None
        self.heard = False
        return Said(self.window, self._message()) if self.confirmed else None

    def _read(self, packet: Packet, at: float) -> None:
        kind, values = packet.kind, packet.values
        self.kinds[kind] = at
        if kind == "HEARTBEAT":
            self._heartbeat(values, at)
        elif kind == "GPS_RAW_INT":
            self._satellites(values, at)
        elif kind == "VFR_HUD":
            better = self._estimated if self._fresh("GLOBAL_POSITION_INT", at) else frozenset[str]()
            self._take({name: value for name, value in (fields_of(kind, values) or {}).items() if name not in better})
        else:
            fields = fields_of(kind, values) or {}
            self._take(fields)
            if kind == "GLOBAL_POSITION_INT":
                self._estimated = frozenset(fields)
            elif kind == "EXTENDED_SYS_STATE" and fields:
                self._landed_state_at = at

    def take_signal(self, radio: Values) -> None:
        """What the link's radio says of its quality."""
        self._take(fields_of("RADIO_STATUS", radio))

    def _message(self) -> dict[str, Any]:
        """Our JSON message, with what changed since the last one, or with everything. A vehicle
        that only repeats itself has a message without values: it is there."""
        key_frame = self._until_key_frame <= 0
        changed = dict(self._flat) if key_frame else self._changed()
        self._until_key_frame = KEY_FRAME_GAP if key_frame else self._until_key_frame
        self._until_key_frame -= 1
        self._said = dict(self._flat)
        message = {"deviceId": self.device_id, "timestamp": timestamp(self._retimed(self._moment)), **_nested(changed)}
        if not self._clock.known:
            message["clock"] = "gateway"
        if key_frame:
            message["keyFrame"] = True
        return message

    def _heartbeat(self, values: Values, at: float) -> None:
        self.confirmed = is_vehicle(values)
        if not self.confirmed:
            return
        for name in ("autopilot", "type", "base_mode", "custom_mode", "system_status"):
            self._flat["mavlink." + name] = values[name]
        if abs(at - self._landed_state_at) >= _FRESH_SECONDS:
            self._take(fields_of("HEARTBEAT", values))

    def _satellites(self, values: Values, at: float) -> None:
        fix, satellites = values["fix_type"], values["satellites_visible"]
        self._flat["mavlink.fix_type"] = fix
        if satellites != _UNKNOWN_SATELLITES:
            self._flat["mavlink.satellites_visible"] = satellites
        if fix < NO_FIX or self._fresh("GLOBAL_POSITION_INT", at):
            return
        # No estimate of the autopilot's: the receiver's own word is better than none.
        position = {"lat": values["lat"], "lon": values["lon"], "alt": values["alt"] if fix > NO_FIX else None}
        self._take(fields_of("GLOBAL_POSITION_INT", position))
        if values["vel"] != _UNKNOWN_SPEED:
            self._flat["groundSpeed"] = values["vel"] / 100

    def _fresh(self, kind: str, at: float) -> bool:
        return abs(at - self.kinds.get(kind, float("-inf"))) < _FRESH_SECONDS

    def _take(self, fields: dict[str, Any] | None) -> None:
        for name, value in (fields or {}).items():
            if name == "position":
                self._flat.update(value)
            else:
                self._flat[name] = value

    def _changed(self) -> dict[str, Any]:
        said, flat = self._said, self._flat
        changed = {name: value for name, value in flat.items() if name not in said or said[name] != value}
        for group in _TOGETHER:
            if any(name in changed for name in group):
                changed.update((name, flat[name]) for name in group if name in flat)
        return changed


_PLACE = frozenset(("latitude", "longitude", "altitude", "altitudeReference", "height"))


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for name, value in flat.items():
        if name in _PLACE:
            message.setdefault("position", {})[name] = value
        elif name.startswith("mavlink."):
            message.setdefault("mavlink", {})[name[len("mavlink.") :]] = value
        else:
            message[name] = value
    return message
