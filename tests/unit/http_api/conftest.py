"""The HTTP functions over the real SQLite store, a stand-in of the Durable extension and one of the hub."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from azure.durable_functions.models.utils import http_utils

import http_api
import reference_data
import settings
import storage.factory
from durable_sdk import v1
from durable_sdk.writes import Writes
from event_hub import sending, watch
from http_api import counting, health, stats
from pipeline.coverage import Watch
from storage.sqlite import SqliteStore
from tests.support.extension import Extension
from tests.support.http_client import Client, FakeHub


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings of their own for each test: ``environment.setenv`` before the first request."""
    for name in (
        "AUTH_MODE",
        "WEBSITE_AUTH_ENABLED",
        "WEBSITE_INSTANCE_ID",
        "MAP_TILES_URL",
        "MAP_PMTILES_FILE",
        "INJECT_FAULTS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    for setting, nothing in (("REGISTRY_FILE", []), ("ZONES_FILE", {"type": "FeatureCollection", "features": []})):
        (tmp_path / setting).write_text(json.dumps(nothing))
        monkeypatch.setenv(setting, str(tmp_path / setting))
    _forget_settings()
    monkeypatch.setattr(health, "_checkup", health.Checkup())
    monkeypatch.setattr(health, "WRITES", Writes())
    monkeypatch.setattr(stats, "_drones", counting.DroneCounter())
    yield monkeypatch
    _forget_settings()


def _forget_settings() -> None:
    settings.get_settings.cache_clear()
    settings.get_event_hub.cache_clear()
    reference_data.forget()


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "data")
    await opened.open()
    monkeypatch.setattr(storage.factory, "_store", opened)
    yield opened
    await opened.close()


@pytest.fixture
async def extension() -> AsyncIterator[Extension]:
    extension = Extension()
    runner = web.AppRunner(extension.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    extension.url = f"http://127.0.0.1:{port}/durabletask/"
    yield extension
    await v1.close_session()
    await http_utils._close_session()  # the SDK's own, which lives in this test's loop
    await runner.cleanup()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub()
    for module in (http_api.telemetry_in, http_api.recovery, health, sending):
        monkeypatch.setattr(module, "get_hub", lambda: fake)
    monkeypatch.setattr(watch, "_watch", Watch())
    monkeypatch.setattr(watch, "_told", set())
    return fake


@pytest.fixture
async def ask(store: SqliteStore, extension: Extension, hub: FakeHub) -> Client:
    return Client(extension)
