"""The operator's command line, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from telemetry_admin.cli import main


class HasUrl(Protocol):
    """The app, or what stands in for it."""

    url: str


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Admin:
    """The command line, run in this process against the service."""

    def __init__(self, service: HasUrl, capsys: pytest.CaptureFixture[str]) -> None:
        self._service = service
        self._capsys = capsys

    def __call__(self, *arguments: str, local: bool = False) -> Result:
        """``local``: the command does not ask the service."""
        code = main([*arguments, *(() if local else ("--url", self._service.url))])
        captured = self._capsys.readouterr()
        return Result(code, captured.out, captured.err)
