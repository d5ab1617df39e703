"""`--watch`, and what shells complete."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telemetry_admin.cli import main
from tests.support.admin import Admin
from tests.support.answers import STATS
from tests.support.service import Service

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waited; Ctrl-C comes at the third wait."""
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    return waited


def test_it_looks_again_until_ctrl_c(admin: Admin, service: Service, waits: list[float]) -> None:
    service.answers["GET /api/stats"] = [
        (200, {**STATS, "drones": 1234567}),
        (503, {"title": "Unavailable", "detail": "the store"}),
        (200, {**STATS, "drones": 7654321}),
    ]
    result = admin("stats", "--watch")
    assert result.code == 0
    assert waits == [2, 2, 2]
    first, away, last = (result.out.index(words) for words in ("1234567", "503 Unavailable: the store", "7654321"))
    assert first < away < last


def test_with_json_each_look_is_a_line(admin: Admin, service: Service, waits: list[float]) -> None:
    service.answers["GET /api/stats"] = (200, STATS)
    result = admin("stats", "--json", "--watch", "0.5")
    assert [json.loads(line) for line in result.out.splitlines()] == [STATS] * 3
    assert waits == [0.5] * 3


def test_what_is_refused_ends_it(admin: Admin, service: Service, waits: list[float]) -> None:
    service.answers["GET /api/stats"] = (401, {"title": "Sign-in is required"})
    result = admin("stats", "--watch")
    assert result.code == 1
    assert "--token" in result.err
    assert waits == []


def test_on_a_terminal_the_last_good_look_stays(
    service: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answers["GET /api/stats"] = [(200, {**STATS, "drones": 1234567}), (503, {"title": "Unavailable"})]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert main(["stats", "--watch", "--url", service.url]) == 0
    away = capsys.readouterr().out.split("every 2 s")[2]
    assert "1234567" in away
    assert "503 Unavailable" in away


def complete(words: list[str]) -> list[str]:
    """What bash offers at the end of these words."""
    made = subprocess.run(
        [sys.executable, "-m", "telemetry_admin", "completion", "bash"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    line = " ".join(words)
    script = f"""{made}
COMP_WORDS=({" ".join(f'"{word}"' for word in words)}); COMP_CWORD={len(words) - 1}
COMP_LINE="{line}"; COMP_POINT={len(line)}
_shtab_telemetry_admin telemetry_admin "{words[-1]}" "{words[-2]}"
printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return [word.strip() for word in done.stdout.split()]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_verbs_options_and_values() -> None:
    assert complete(["telemetry_admin", "fl"]) == ["flights"]
    assert {"list", "show", "track"} <= set(complete(["telemetry_admin", "flights", ""]))
    assert complete(["telemetry_admin", "alerts", "list", "--unack"]) == ["--unacknowledged"]
    assert complete(["telemetry_admin", "alerts", "list", "--status", "cl"]) == ["cleared"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_name_is_a_command_afterwards(tmp_path: Path) -> None:
    script = f'eval "$({sys.executable} -m telemetry_admin completion bash)"; cd {tmp_path}; telemetry_admin -h'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "exit codes" in done.stdout


def test_zsh_gets_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    out = capsys.readouterr().out
    assert "compdef" in out
    assert "deadletters" in out
