"""The demo's registry and zones are in force with the demo fleet, and never over anybody's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telemetry.registry import Registry
from telemetry.zones import Zones
from tools import demo


def test_without_anybodys_own_the_demos_are_in_force(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("REGISTRY_FILE", "ZONES_FILE"):
        monkeypatch.delenv(name, raising=False)
    found = demo.demo_settings()
    assert Registry.parse(Path(found["REGISTRY_FILE"]).read_bytes()).drones
    assert Zones.parse(Path(found["ZONES_FILE"]).read_bytes()).zones
    monkeypatch.setenv("ZONES_FILE", "mine.geojson")
    assert set(demo.demo_settings()) == {"REGISTRY_FILE"}
    monkeypatch.delenv("ZONES_FILE")
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {"REGISTRY_FILE": "mine.json"}}))
    assert set(demo.demo_settings()) == {"ZONES_FILE"}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "zones.geojson").write_text("{}")
    assert demo.demo_settings() == {}


def test_an_app_without_the_demo_has_neither() -> None:
    assert not (demo.ROOT / "config" / "zones.geojson").exists()
    assert not (demo.ROOT / "config" / "drones.json").exists()
