"""Stores that are damaged and disks that refuse: told in a line, with what to do; nothing runs hot over it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from functions_host.durable import DurableEngine, DurableOptions
from functions_host.durable.store import Store
from functions_host.errors import StartError

from . import recorded_app
from .durable_support import AppRunner, Host

HostMaker = Callable[..., Any]


async def filled(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    for number in range(30):
        await one.start_new("longrun", f"w{number}", "x" * 3_000)
    await one.quiet()
    await one.stop()


def garbage(file: bytearray) -> bytes:
    return b"this is no database at all, but somebody's notes" * 100


def cut(file: bytearray) -> bytes:
    return bytes(file[: len(file) // 2])


def header(file: bytearray) -> bytes:
    file[3] ^= 0x10
    return bytes(file)


def pages(file: bytearray) -> bytes:
    for start in range(8192, len(file), 8192):
        file[start : start + 100] = b"\xff" * 100
    return bytes(file)


@pytest.mark.parametrize("damage", [garbage, cut, header, pages])
async def test_a_damaged_store_is_named_with_what_to_do(
    host: HostMaker, tmp_path: Path, damage: Callable[[bytearray], bytes]
) -> None:
    await filled(host)
    path = tmp_path / "durable.db"
    path.write_bytes(damage(bytearray(path.read_bytes())))
    for _ in range(2):
        engine = DurableEngine(tmp_path, DurableOptions(), AppRunner(recorded_app.build()))
        with pytest.raises(StartError) as raised:
            await engine.start()
        text = str(raised.value)
        assert text.startswith(f"the durable store {path} is damaged (")
        assert "Put a copy back" in text
        assert "\n" not in text
    path.unlink()
    again = await host(recorded_app.build())
    assert (await again.run("chain", "c"))["runtimeStatus"] == "Completed", "moved away, the host starts"


async def test_a_row_that_makes_no_sense_is_damage_too(host: HostMaker, tmp_path: Path) -> None:
    await filled(host)
    with sqlite3.connect(tmp_path / "durable.db") as connection:
        connection.execute("INSERT INTO inbox(seq, instance_id, kind, payload) VALUES (99, 'w1', 'event', '{half')")
    with pytest.raises(StartError, match="is damaged"):
        await host(recorded_app.build())


async def test_a_file_that_may_not_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "durable.db").mkdir()
    store = Store(tmp_path / "durable.db")
    with pytest.raises(StartError, match=r"durable\.db cannot be opened: "):
        store.open()
    store.abandon()


async def test_the_last_failed_write_is_told_until_one_succeeds(
    host: HostMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions_host.durable.store.RETRY_SECONDS", (0.001,))
    one: Host = await host(recorded_app.build())
    assert one.engine.failed_write is None

    def refuse(what: str) -> None:
        if what == "commit":
            raise sqlite3.OperationalError("database or disk is full")

    one.engine.store.before_write = refuse
    starting = asyncio.create_task(one.start_new("chain", "c"))
    await one.until(lambda: one.engine.failed_write)
    assert one.engine.failed_write == "durable.db: database or disk is full"
    assert not starting.done()
    one.engine.store.before_write = None
    await starting
    await one.end_of("c")
    assert one.engine.failed_write is None


async def test_a_step_that_cannot_read_its_history_is_tried_later_and_later(
    host: HostMaker, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(host)
    one: Host = await host(recorded_app.build())
    real, tries = one.engine.store.read, 0

    def read(sql: str, parameters: Any = ()) -> Any:
        nonlocal tries
        if "FROM history" in sql and parameters == ("w3",):
            tries += 1
            if tries < 3:
                raise sqlite3.DatabaseError("database disk image is malformed")
        return real(sql, parameters)

    one.engine.store.read = read  # type: ignore[method-assign]
    await one.call("POST", "instances/w3/raiseEvent/go", 1)
    await asyncio.sleep(0.05)
    assert tries == 1, "not over and over"
    await one.call("POST", "instances/w4/raiseEvent/go", 1)
    assert (await one.end_of("w4"))["output"] == 1, "the others go on"
    assert (await one.end_of("w3"))["output"] == 1
    assert "a step of instance w3 broke off: database disk image is malformed" in caplog.text
    assert "Traceback" not in caplog.text
