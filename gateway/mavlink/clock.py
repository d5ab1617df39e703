"""What time it is on a vehicle: milliseconds since its boot, and UTC once it has told both together."""

from __future__ import annotations

_REORDERED_MS = 3_000
"""A boot time may fall back so far because packets overtook each other; beyond, it was a reboot."""
_EARLIEST = 1_420_070_400.0  # 2015-01-01: what is before is a clock that was never set
_LATEST_AHEAD = 86_400.0


class VehicleClock:
    """Seconds since the epoch in UTC. ``rebooted`` is how often the boot time started again."""

    def __init__(self) -> None:
        self.rebooted = 0
        self._boot_ms: int | None = None
        self._offset: float | None = None
        self._skew = 0.0

    @property
    def known(self) -> bool:
        """Whether the vehicle has told UTC since its last boot."""
        return self._offset is not None

    def falls_back(self, milliseconds: int) -> bool:
        """Whether this boot time can only be one of another boot."""
        return self._boot_ms is not None and milliseconds < self._boot_ms - _REORDERED_MS

    def boot(self) -> None:
        """Booted anew: what was known of the time is of the last boot."""
        self._boot_ms = self._offset = None
        self._skew = 0.0
        self.rebooted += 1

    def boot_time(self, milliseconds: int) -> None:
        """Something was measured so long after the boot."""
        self._boot_ms = max(milliseconds, self._boot_ms or 0)

    def system_time(self, unix_microseconds: int, boot_milliseconds: int, heard_at: float) -> None:
        """SYSTEM_TIME. A time before the first fix (0, 1970, 1980) and one far in the future are not believed."""
        moment = unix_microseconds / 1e6
        if _EARLIEST <= moment <= heard_at + _LATEST_AHEAD:
            self._offset = moment - boot_milliseconds / 1e3
            self._skew = moment - heard_at

    def moment(self, boot_milliseconds: int | None, heard_at: float) -> float:
        """UTC of what was measured so long after the boot, or (None) of what says no time and was heard just now. It
        is the vehicle's own clock while that is known, else the listener's."""
        if self._offset is None:
            return heard_at
        if boot_milliseconds is None:
            return heard_at + self._skew
        moment = self._offset + boot_milliseconds / 1e3
        self._skew = moment - heard_at
        return moment

    def now(self, at: float) -> float:
        """What its clock shows when the listener's shows ``at``."""
        return at + self._skew
