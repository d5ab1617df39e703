"""Where traces and metrics go. Nothing of OpenTelemetry's SDK is imported unless a destination is set."""

from __future__ import annotations

from settings import Settings


def configure(settings: Settings) -> None:
    """Set the exporters up that the settings name."""
