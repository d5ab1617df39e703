"""``make run``: wrong arguments and busy ports before anything starts, one line of figures, the host's warnings."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import run
from tools.run_status import MAX_LOG_BYTES, HostLines, Status, read_stats

STATS = {"messages": 100, "drones": 50, "batches": {"failed": 0}, "oldestUnfinishedAt": None}


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def spawned(*_: object, **__: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(run, "_spawn", spawned)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--port", "70000"), ("--port", "x"), ("--event-hubs-port", "-1"), ("--drones", "many"), ("--rate", "0"),
     ("--rate", "nan"), ("--seed", "a"), ("--unknown", "1")],
)  # fmt: skip
def test_wrong_arguments_are_told_before_anything_starts(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.main([option, value])
    assert stopped.value.code == 2
    assert option in capsys.readouterr().err


@pytest.mark.parametrize(("option", "other"), [("--port", "--event-hubs-port"), ("--event-hubs-port", "--port")])
def test_a_busy_port_names_the_option_that_moves_it(
    busy: int, option: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main([option, str(busy), other, "0"]) == 1
    said = capsys.readouterr().err
    assert f"port {busy} is in use; {option} moves it" in said
    assert other not in said


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run.main(["--port", "0", "--event-hubs-port", "0", "--data", str(tmp_path / "file")]) == 1
    assert "--data" in capsys.readouterr().err


def test_a_data_folder_of_another_run_is_told_and_its_log_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run._own_log(tmp_path / "run.log") as log:
        log.write(b"of the first\n")
        log.flush()
        assert run.main(["--port", "0", "--event-hubs-port", "0", "--data", str(tmp_path)]) == 1
        assert "--data" in (said := capsys.readouterr().err)
        assert "is in use by another make run" in said
        assert (tmp_path / "run.log").read_bytes() == b"of the first\n"
    with run._own_log(tmp_path / "run.log"):
        assert (tmp_path / "run.log").read_bytes() == b""


def test_the_line_has_rate_drones_lag_failures_and_the_address_last() -> None:
    status = Status("http://localhost:7071")
    first = status.line(STATS, 1_767_225_600.0)
    assert "messages/s" not in first  # of one reading there is no rate
    second = status.line(
        {**STATS, "messages": 600, "batches": {"failed": 2}, "oldestUnfinishedAt": "2026-01-01T00:00:08.500000Z"},
        1_767_225_610.0,
    )
    assert "50 messages/s" in second
    assert "50 drones" in second
    assert "lag 1.5 s" in second
    assert "2 failed batches" in second
    assert second.endswith("http://localhost:7071/")


def test_a_host_that_does_not_answer_is_said_and_no_wrong_rate_follows() -> None:
    status = Status("http://127.0.0.1:9")
    status.line(STATS, 0.0)
    stats = read_stats("http://127.0.0.1:9")
    assert stats == "the host does not answer"
    assert "the host does not answer" in status.line(stats, 10.0)
    assert "messages/s" not in status.line(STATS, 20.0)


def written(code: str, tmp_path: Path) -> tuple[str, str]:
    """(screen, log) of a process that runs ``code`` in the host's place."""
    screen = io.StringIO()
    with (tmp_path / "run.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
        lines = HostLines(process, log, screen)
        process.wait(timeout=30)
        lines.end()
        assert process.stderr is not None
        process.stderr.close()
    return screen.getvalue(), (tmp_path / "run.log").read_text()


def test_warnings_are_shown_and_everything_is_logged(tmp_path: Path) -> None:
    code = """
import json, sys
for level in ("INFO", "WARN", "ERROR"):
    print(json.dumps({"time": "2026-01-01T00:00:00.000Z", "level": level, "logger": "l", "message": f"a {level}",
                      "function": "f", "invocationId": "0123456789"}), file=sys.stderr)
"""
    screen, log = written(code, tmp_path)
    assert "a INFO" not in screen
    assert "a WARN" in screen
    assert "a ERROR" in screen
    assert "[f 01234567] a INFO" in log


def test_a_crash_that_is_no_log_line_is_shown_whole(tmp_path: Path) -> None:
    screen, log = written("raise RuntimeError('early')", tmp_path)
    assert "RuntimeError: early" in screen
    assert "RuntimeError: early" in log


def test_the_log_does_not_grow_without_bound(tmp_path: Path) -> None:
    lines = MAX_LOG_BYTES // 1_000_000 + 4
    code = f"import sys\nfor _ in range({lines}): print('x' * 1_000_000, file=sys.stderr)"
    _, log = written(code, tmp_path)
    assert len(log) <= MAX_LOG_BYTES + 2_000_000
