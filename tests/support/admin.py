"""The operator's command line, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from telemetry_admin.cli import main
from tests.support.service import Service


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
