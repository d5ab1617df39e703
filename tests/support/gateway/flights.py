"""Vehicles that fly on paper: the packets they would send, made by pymavlink."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as dialect

START = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@dataclass
class Flight:
    """One vehicle; ``packets(t)`` is what it sends in the tenth of a second ``t`` seconds after its boot."""

    system: int = 1
    autopilot: int = dialect.MAV_AUTOPILOT_ARDUPILOTMEGA
    utc: bool = True
    booted: float = START - 100.0
    began: float = START
    _link: dialect.MAVLink = field(init=False)

    def __post_init__(self) -> None:
        self._link = dialect.MAVLink(None, srcSystem=self.system, srcComponent=1)

    def pack(self, message: dialect.MAVLink_message) -> bytes:
        data = bytes(message.pack(self._link))
        self._link.seq = (self._link.seq + 1) % 256
        return data

    def boot_ms(self, at: float) -> int:
        return round((at - self.booted) * 1000)

    def heartbeat(self, at: float, *, armed: bool = True, custom_mode: int = 4, kind: int = 2) -> bytes:
        base_mode = 81 | (128 if armed else 0)
        return self.pack(
            dialect.MAVLink_heartbeat_message(kind, self.autopilot, base_mode, custom_mode, 4 if armed else 3, 3)
        )

    def position(self, at: float) -> bytes:
        t = at - self.began
        heading = (t * 7.3) % 360
        speed = 8 + 3 * math.sin(t / 9)
        return self.pack(
            dialect.MAVLink_global_position_int_message(
                self.boot_ms(at),
                525_100_000 + round(t * 900) + self.system * 10_000,
                134_000_000 + round(t * 1300),
                96_100 + round(t * 53),
                61_000 + round(t * 53),
                round(speed * 100 * math.cos(math.radians(heading))),
                round(speed * 100 * math.sin(math.radians(heading))),
                -12,
                round(heading * 100) % 36_000,
            )
        )

    def once_a_second(self, at: float) -> Iterator[bytes]:
        t = at - self.began
        mode = 9 if t >= 40 else 4
        yield self.heartbeat(at, custom_mode=mode)
        if self.utc:
            yield self.pack(dialect.MAVLink_system_time_message(round(at * 1e6), self.boot_ms(at)))
        yield self.pack(
            dialect.MAVLink_sys_status_message(7, 7, 7, 300, 15_200, 900, max(0, 95 - int(t // 5)), 0, 0, 0, 0, 0, 0)
        )
        yield self.pack(dialect.MAVLink_gps_raw_int_message(round(at * 1e6), 3, 0, 0, 0, 121, 65535, 900, 65535, 17))

    def packets(self, at: float) -> Iterator[bytes]:
        if round(at * 10) % 10 == 0:
            yield from self.once_a_second(at)
        yield self.position(at)
        yield self.pack(dialect.MAVLink_attitude_message(self.boot_ms(at), 0.1, 0.2, 0.3, 0, 0, 0))


def tlog(path: Path, flights: list[Flight], seconds: float, *, hertz: int = 10) -> Path:
    """Writes the recording that a ground station would."""
    with open(path, "wb") as file:
        for step in range(round(seconds * hertz)):
            at = START + step / hertz
            for flight in flights:
                for packet in flight.packets(at):
                    file.write(struct.pack(">Q", round(at * 1e6)) + packet)
    return path
