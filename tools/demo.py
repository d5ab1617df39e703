"""The demo fleet's registry and zones: in force where the demo fleet flies, and nobody has said otherwise."""

from __future__ import annotations

import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FILES = {"REGISTRY_FILE": "drones.json", "ZONES_FILE": "zones.geojson"}


def demo_settings() -> dict[str, str]:
    """For the environment of a host: the demo's file for each setting that is neither in the environment nor in
    ``local.settings.json``, and whose own default file is not there either."""
    values = local_values()
    return {
        setting: str(ROOT / "simulator" / file)
        for setting, file in _FILES.items()
        if setting not in os.environ and setting not in values and not (ROOT / "config" / file).exists()
    }


def local_values() -> dict[str, object]:
    """What ``local.settings.json`` sets; nothing where it is not there or cannot be read."""
    try:
        values: dict[str, object] = json.loads((ROOT / "local.settings.json").read_text(encoding="utf-8-sig"))["Values"]
        return dict(values)
    except (OSError, ValueError, LookupError, TypeError):
        return {}
