from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from telemetry_admin import batches
from telemetry_admin.cli import main
from tests.unit.telemetry_admin.service import Service, serve


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Admin:
    """The command line, run in this process against the service."""

    def __init__(self, service: Service, capsys: pytest.CaptureFixture[str]) -> None:
        self._service = service
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Result:
        code = main([*arguments, "--url", self._service.url])
        captured = self._capsys.readouterr()
        return Result(code, captured.out, captured.err)


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
