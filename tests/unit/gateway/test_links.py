from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from gateway.journal import Heard, Journal
from gateway.mavlink import links, rates
from gateway.mavlink.links import InvalidSource, Reply, Source, listen
from gateway.mavlink.station import Station
from tests.support.gateway.fake_hub import FakeHub, forwarding
from tests.support.gateway.flights import START, Flight


class Ear:
    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.troubles: list[str | None] = []
        self.where = ""
        self.any = asyncio.Event()
        self.reply: Reply = lambda _: None

    def listening(self, where: str) -> None:
        self.where = where
        self.any.set()

    def received(self, source: str, data: bytes, reply: Reply, *, datagram: bool) -> None:
        self.got.append((source, data))
        self.reply = reply
        self.any.set()

    def trouble(self, link: str, text: str | None) -> None:
        self.troubles.append(text)
        self.any.set()

    async def until(self, true: Callable[[], Any]) -> None:
        while not true():
            self.any.clear()
            await asyncio.wait_for(self.any.wait(), 10)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("udpin:0.0.0.0:14550", Source("udpin", "0.0.0.0:14550", "0.0.0.0", 14550)),
        ("udpin::14550", Source("udpin", ":14550", "0.0.0.0", 14550)),
        ("tcp:127.0.0.1:5760", Source("tcp", "127.0.0.1:5760", "127.0.0.1", 5760)),
        ("tcp:[::1]:5760", Source("tcp", "[::1]:5760", "::1", 5760)),
        ("serial:/dev/ttyUSB0:57600", Source("serial", "/dev/ttyUSB0:57600", "/dev/ttyUSB0", baud=57600)),
        ("serial:COM5", Source("serial", "COM5", "COM5", baud=57600)),
    ],
)
def test_sources(text: str, source: Source) -> None:
    assert Source.parse(text) == source


@pytest.mark.parametrize("text", ["udpin:14550x", "tcp:host", "udpin:h:99999", "COM5", "x.csv", "nowhere.tlog", "tcp"])
def test_what_is_no_source_is_said(text: str) -> None:
    with pytest.raises(InvalidSource, match=r"no port|no source|no file"):
        Source.parse(text)


async def test_tcp_is_opened_again_when_it_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_AGAIN_SECONDS", 0.02)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ear = Ear()
    listening = asyncio.create_task(listen(Source.parse(f"tcp:127.0.0.1:{port}"), ear))
    await ear.until(lambda: ear.troubles)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        await ear.until(lambda: len(ear.got) >= 2)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert ear.got[:2] == [(f"127.0.0.1:{port}", b"hello")] * 2
    assert "the other side closed the connection" in ear.troubles
    assert None in ear.troubles


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo terminals")
async def test_a_serial_line() -> None:
    ours, theirs = os.openpty()
    ear = Ear()
    listening = asyncio.create_task(listen(Source.parse(f"serial:{os.ttyname(theirs)}:57600"), ear))
    await ear.until(lambda: None in ear.troubles)
    os.write(ours, b"hello")
    await ear.until(lambda: b"".join(data for _, data in ear.got) == b"hello")
    ear.reply(b"ask")
    assert await asyncio.to_thread(os.read, ours, 3) == b"ask"
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    os.close(ours)
    os.close(theirs)


async def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            await listen(Source.parse(f"udpin:127.0.0.1:{taken.getsockname()[1]}"), Ear())


async def test_rates_are_asked_for_once_a_boot_and_nothing_else_ever(tmp_path: Path) -> None:
    asked: list[bytes] = []
    forwarder = forwarding(tmp_path, FakeHub())
    station = Station(1.0, {}, forwarder, Journal(tmp_path, 3.0), request_rates=4.0)
    flight = Flight(9)
    for step in range(3):
        station.received("a:1", flight.heartbeat(START) + flight.position(START + step), asked.append, datagram=True)
    first = len(asked)
    again = Flight(9, booted=START)
    station.received("a:1", again.position(START + 4), asked.append, datagram=True)
    await forwarder.close()

    decoder = dialect.MAVLink(None)
    commands = [decoder.decode(bytearray(packet)) for packet in asked]
    assert len(commands) == 2 * first
    assert {c.get_type() for c in commands} == {"COMMAND_LONG"}
    assert {c.command for c in commands} == {dialect.MAV_CMD_SET_MESSAGE_INTERVAL}
    assert {(c.target_system, c.target_component) for c in commands} == {(9, 1)}
    assert {c.param1: c.param2 for c in commands}[33] == 250_000.0
    assert {c.param1 for c in commands} >= {1, 2, 33, 245}


async def test_without_being_told_to_nothing_is_asked(tmp_path: Path) -> None:
    asked: list[bytes] = []
    forwarder = forwarding(tmp_path, FakeHub())
    station = Station(1.0, {}, forwarder, Journal(tmp_path, 3.0))
    station.received("a:1", Flight().heartbeat(START) + Flight().position(START), asked.append, datagram=True)
    await station.flush()
    await forwarder.close()
    assert asked == []
    assert list(rates.requests(1, 1, 1.0))


async def test_what_an_earlier_run_had_heard_is_said_by_the_next(tmp_path: Path) -> None:
    hub = FakeHub()
    flight = Flight()
    forwarder = forwarding(tmp_path, hub)
    station = Station(1.0, {}, forwarder, Journal(tmp_path, 3.0))
    for step in range(25):
        for packet in flight.packets(START + step / 10):
            station.received("a:1", packet, lambda _: None, datagram=True)
    await asyncio.sleep(0)  # the journal is written when all is received
    await station._pass_on()
    await forwarder.drain(5)
    await forwarder.close()  # and nothing is flushed: as if it were killed
    assert [m["timestamp"][17:19] for m in hub.messages()] == ["00", "01"]

    forwarder = forwarding(tmp_path, hub)
    later = Station(1.0, {}, forwarder, Journal(tmp_path, 3.0))
    await later.restore()
    for step in range(25, 28):
        for packet in flight.packets(START + step / 10):
            later.received("a:1", packet, lambda _: None, datagram=True)
    await later.flush()
    await forwarder.drain(5)
    await forwarder.close()
    assert [m["timestamp"][17:19] for m in hub.messages()] == ["00", "01", "02"]
    # The battery was said by the first run, and has not changed.
    assert hub.messages()[2].keys() == {"deviceId", "timestamp", "position", "groundSpeed", "heading"}
    assert Journal(tmp_path, 3.0).left == []


def test_the_journal_keeps_what_is_lately_and_survives_a_torn_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 3.0)
    for n in range(2000):
        journal.add(Heard(n / 100, "a:1", bytes([n % 256]) * 100, n % 2 == 0))
        journal.write()
    path = tmp_path / "heard-lately.bin"
    assert path.stat().st_size < 200_000
    path.write_bytes(path.read_bytes()[:-30])
    left = Journal(tmp_path, 3.0).left
    assert left[-1] == Heard(19.98, "a:1", bytes([1998 % 256]) * 100, True)
    assert left[0].at <= 17.0
