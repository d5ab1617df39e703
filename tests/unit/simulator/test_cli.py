from __future__ import annotations

import ast
from pathlib import Path

import pytest

import simulator
from simulator.__main__ import main

CONNECTION = "Endpoint=sb://localhost:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EventHubConnection", "EventHubConnection__fullyQualifiedNamespace", "EventHubName"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--drones", "0"], "--drones: must be from 1 to 1000000, not 0"),
        (["--drones", "few"], "--drones: must be a whole number, not 'few'"),
        (["--rate", "0"], "--rate: must be above 0, not 0"),
        (["--rate", "inf"], "--rate: must be above 0, not inf"),
        (["--rate", "fast"], "--rate: must be a number, not 'fast'"),
        (["--seconds", "-1"], "--seconds: must be 0 or more, not -1"),
        (["--seed", "x"], "--seed"),
        (["--format", "xml"], "--format: invalid choice: 'xml'"),
        (["--key-frame-gap", "0"], "--key-frame-gap: must be from 1"),
        (["--faults", "fire=1"], "--faults: 'fire' is no fault"),
        (["--connection", "nonsense"], "not an Event Hubs connection string"),
        (["--unknown"], "--unknown"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--connection", CONNECTION, *arguments])
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert named in err


def test_without_a_hub_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "EventHubConnection" in capsys.readouterr().err


def test_the_fleet_has_no_private_way_in() -> None:
    """It shares the words of messages with the app, and nothing else: what it knows of it is what any device knows."""
    rooms = {
        "telemetry",
        "storage",
        "settings",
        "starters",
        "activities",
        "entities",
        "http_api",
        "orchestrators",
        "pipeline",
    }
    for path in Path(simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.partition(".")[0] for name in names if name != "telemetry.vocabulary"} & rooms, path.name
