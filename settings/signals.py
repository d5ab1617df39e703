"""How soon drones hear of what their messages say."""

from __future__ import annotations

from settings.errors import SettingError
from settings.reader import Reader
from telemetry.rules import Rules


def read_signal_window(read: Reader, rules: Rules, store: str, in_azure: bool) -> float:
    """``SIGNAL_WINDOW_SECONDS``: 0 for at once; else what can wait is joined for so long."""
    window = read.number("SIGNAL_WINDOW_SECONDS", 0, 0, 3_600, "a number of seconds from 0 to 3600")
    if window and window > rules.stale_after_seconds / 2:
        # The fleet's list would call drones stale that are heard of every second.
        allowed = f"at most half of STALE_SECONDS, which is {rules.stale_after_seconds:g}"
        raise SettingError("SIGNAL_WINDOW_SECONDS", f"is {window:g}; allowed: {allowed}")
    if window and in_azure and store == "sqlite":
        # Held batches would stand in one instance's own file, and the flush runs on any.
        raise SettingError(
            "SIGNAL_WINDOW_SECONDS", f"is {window:g}; allowed in Azure: with STORE=azure, and STORE is sqlite"
        )
    return window
