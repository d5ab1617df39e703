from __future__ import annotations

from collections.abc import Iterator

import pytest

from telemetry_admin import batches
from tests.support.admin import Admin
from tests.support.service import Service, serve


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name in ("TELEMETRY_URL", "TELEMETRY_TOKEN", "TELEMETRY_CODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(batches, "POLL_SECONDS", 0.01)
    running = Service()
    with serve(running):
        yield running


@pytest.fixture
def admin(service: Service, capsys: pytest.CaptureFixture[str]) -> Admin:
    return Admin(service, capsys)
