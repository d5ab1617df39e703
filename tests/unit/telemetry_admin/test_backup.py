"""Backups: whole or not there, put back as they were, and what verify finds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.intake import new_batch
from pipeline.records import Counts
from storage.sqlite import SqliteStore
from telemetry.envelope import pack
from telemetry_admin.cli import main
from tests.support.pipeline import delivery
from tests.support.records import at, letter, message


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data folder as a host leaves it: one completed batch of three messages, one of them rejected."""
    data = tmp_path / "data"
    store = SqliteStore(data / "app")
    await store.open()
    events = [delivery(number, {"deviceId": "drone-1"}) for number in range(3)]
    batch = await store.ledger.receive(new_batch(events), pack(events))
    await store.messages.put([message(f"m{n}", enqueuedAt=events[n].enqueued_at) for n in range(2)], batch.id)
    await store.dead_letters.put([letter("l1", batchId=batch.id)], batch.id)
    await store.ledger.begin(batch.id, batch.instance_id, "validate")
    await store.ledger.complete(batch.id, batch.instance_id, Counts(3, 2, 0, 1), at(1))
    await store.close()
    checkpoint = data / "checkpoints" / "local%2ftelemetry" / "group" / f"{batch.partition}.json"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text(json.dumps({"offset": "2", "sequence_number": batch.last_sequence_number}))
    (data / "event_hubs" / "telemetry" / "0").mkdir(parents=True)
    (data / "event_hubs" / "telemetry" / "hub.json").write_text("{}")
    (data / "durable").mkdir()
    (data / "durable" / "durable.lock").touch()
    return data


def run(*arguments: str) -> int:
    return main([*arguments])


def told(capsys: pytest.CaptureFixture[str], data: Path) -> dict[str, list[str]]:
    capsys.readouterr()
    code = run("verify", "--data", str(data), "--json")
    answer = json.loads(capsys.readouterr().out)
    assert code == (1 if answer["wrong"] else 0)
    return {check["what"]: check["wrong"] for check in answer["checks"] if check["wrong"]}


def test_a_backup_is_put_back_as_it_was(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy, other = tmp_path / "copy", tmp_path / "other"
    assert run("backup", str(copy), "--data", str(data)) == 0
    assert told(capsys, copy) == told(capsys, data) == {}
    assert run("restore", str(copy), "--data", str(other)) == 0
    assert told(capsys, other) == {}
    names = {path.relative_to(other).as_posix() for path in other.rglob("*") if path.is_file()}
    assert names == {
        "app/store.db",
        "checkpoints/local%2ftelemetry/group/0.json",
        "event_hubs/telemetry/hub.json",
    }


def test_nothing_is_written_over(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    assert run("backup", str(copy), "--data", str(data)) == 0
    assert run("backup", str(copy), "--data", str(data)) == 1
    assert "is there already" in capsys.readouterr().err
    assert run("restore", str(copy), "--data", str(data)) == 1
    assert "--replace" in capsys.readouterr().err
    assert run("restore", str(copy), "--data", str(data), "--replace") == 0
    (aside,) = tmp_path.glob("data.before-*")
    assert (aside / "app" / "store.db").exists()
    assert told(capsys, data) == {}


def test_a_folder_that_a_host_works_on_is_not_replaced(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fcntl = pytest.importorskip("fcntl")
    copy = tmp_path / "copy"
    assert run("backup", str(copy), "--data", str(data)) == 0
    with (data / "durable" / "durable.lock").open("a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run("restore", str(copy), "--data", str(data), "--replace") == 1
    assert "a host runs" in capsys.readouterr().err
    assert (data / "app" / "store.db").exists()


def test_a_backup_that_fails_leaves_nothing(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = data / "app" / "store.db"
    store.write_bytes(store.read_bytes()[:4096] + b"\xff" * 8192)
    assert run("backup", str(tmp_path / "copy"), "--data", str(data)) == 1
    assert "cannot be copied" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_backup_that_was_changed_is_not_put_back(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, other = tmp_path / "copy", tmp_path / "other"
    assert run("backup", str(copy), "--data", str(data)) == 0
    with (copy / "app" / "store.db").open("r+b") as file:
        file.seek(5000)
        file.write(b"x")
    assert run("restore", str(copy), "--data", str(other)) == 1
    assert "damaged" in capsys.readouterr().err
    assert not other.exists()


def test_a_checkpoint_that_is_written_over_meanwhile_is_copied_whole(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkpoint,) = data.glob("checkpoints/*/*/*.json")
    whole = checkpoint.read_bytes()
    caught = [whole[:20] + b"9" + whole[21:]]  # half of another one, once
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: caught.pop() if caught and path == checkpoint else read(path))
    assert run("backup", str(tmp_path / "copy"), "--data", str(data)) == 0
    assert not caught
    assert (tmp_path / "copy" / checkpoint.relative_to(data)).read_bytes() == whole


def sql(text: str) -> Callable[[Path], None]:
    def change(data: Path) -> None:
        connection = sqlite3.connect(data / "app" / "store.db")
        connection.execute(text)
        connection.commit()
        connection.close()

    return change


def ahead(data: Path) -> None:
    (path,) = data.glob("checkpoints/*/*/*.json")
    path.write_text(json.dumps({"offset": "9", "sequence_number": 5000}))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (sql("UPDATE batches SET stored = 3"), "a completed batch"),
        (sql("UPDATE totals SET value = 7 WHERE name = 'ledger.stored'"), "the totals"),
        (sql("DELETE FROM messages WHERE id = 'm1'"), "as many messages"),
        (sql("UPDATE dead_letters SET batch_id = batch_id || 'x'"), None),
        (sql("UPDATE messages SET document = x'00'"), None),
        (sql("UPDATE batch_raw SET body = substr(body, 1, 60)"), "its bytes"),
        (sql("DELETE FROM batch_raw"), "its bytes"),
        (ahead, "checkpoints"),
    ],
)
def test_what_does_not_hold_is_named(
    data: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], Any], what: str | None
) -> None:
    assert told(capsys, data) == {}
    change(data)
    found = told(capsys, data)
    if what is None:
        assert found == {}
    else:
        assert [name for name in found if what in name], found
