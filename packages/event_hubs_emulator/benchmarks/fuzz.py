"""Mutated AMQP dialogues against a hub of its own, while a client beside them sends, reads and asks.

    python packages/event_hubs_emulator/benchmarks/fuzz.py [--dialogues 100000] [--seed 1] [--limit 0.5]

Prints one JSON object and exits with 1 if the hub failed on a dialogue (an error of its own in its log, or its end), if
the client beside lost an event or its connection, or if it had to wait longer than `--limit` seconds for an answer (0:
however long). A dialogue is a valid one whose bytes were changed, cut, repeated, or have hostile values put in.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.encoding import (
    NULL,
    binary,
    boolean,
    described,
    encode,
    list_of,
    map_of,
    string,
    symbol,
    ubyte,
    uint,
    uuid,
)
from event_hubs_emulator.amqp.types import Described, Symbol

_SELECTOR = Symbol("apache.org:selector-filter:string")
_PARTITION = "fuzz/ConsumerGroups/$Default/Partitions/0"
_BATCH_FORMAT = 0x80013700
_PATIENCE = 20.0


def _attach(handle: int, *, receive: str | None = None, send: str | None = None, selector: str = "") -> bytes:
    filters = encode({_SELECTOR: Described(_SELECTOR, selector)}) if selector else NULL
    source = described(0x28, list_of([string(receive or "c"), *[NULL] * 6, filters, *[NULL] * 3]))
    target = described(0x29, list_of([string(send or "c"), *[NULL] * 6]))
    fields = [string(f"l{handle}"), uint(handle), boolean(receive is not None), ubyte(2), ubyte(0), source, target]
    return amqp.performative(1, amqp.ATTACH, [*fields, NULL, NULL, uint(0), *[NULL] * 4])


def _transfer(handle: int, delivery: int, payload: bytes, message_format: int = 0) -> bytes:
    fields = [uint(handle), uint(delivery), binary(b"t"), uint(message_format), b"\x42", b"\x42", *[NULL] * 5]
    return amqp.frame(1, described(amqp.TRANSFER, list_of(fields)) + payload)


def _flow(handle: int, credit: int) -> bytes:
    fields = [
        uint(0),
        uint(2**31 - 1),
        uint(0),
        uint(5000),
        uint(handle),
        uint(0),
        uint(credit),
        NULL,
        b"\x42",
        b"\x42",
    ]
    return amqp.performative(1, amqp.FLOW, [*fields, NULL])


_EVENT = b"".join(
    (
        described(0x70, list_of([b"\x41", ubyte(4)])),
        described(0x72, map_of([(symbol("x-opt-partition-key"), string("k"))])),
        described(0x73, list_of([string("id"), NULL, NULL, NULL, NULL, NULL, symbol("application/json")])),
        described(0x74, encode({"speed": 1.5, "n": 7, "list": [1, "two", None]})),
        described(0x75, binary(b'{"a":1}' * 5)),
    )
)
_BATCH = described(0x72, map_of([])) + described(0x75, binary(_EVENT)) * 3
_REQUEST = {"operation": "READ", "type": "com.microsoft:partition", "name": "fuzz", "partition": "0"}
_TOKEN = {"operation": "put-token", "type": "jwt", "name": "sb://localhost/fuzz"}
_SASL = [
    amqp.SASL_HEADER,
    amqp.performative(0, amqp.SASL_INIT, [symbol("ANONYMOUS"), binary(b""), NULL], frame_type=1),
]
_OPENING = [
    amqp.AMQP_HEADER,
    amqp.performative(0, amqp.OPEN, [string("fuzz"), NULL, uint(65536), uint(100), *[NULL] * 6]),
    amqp.performative(1, amqp.BEGIN, [NULL, uint(0), uint(2**31 - 1), uint(5000), *[NULL] * 4]),
]
_FRAMES = [
    _attach(0, send="fuzz"),
    _attach(1, receive=_PARTITION, selector="amqp.annotation.x-opt-offset > '-1'"),
    _attach(2, receive=_PARTITION, selector="amqp.annotation.x-opt-sequence-number >= '3'"),
    _attach(3, send="$management"),
    _attach(4, receive="$management"),
    _attach(5, send="$cbs"),
    _attach(6, receive="$cbs"),
    _flow(1, 50),
    _flow(2, 50),
    _flow(4, 10),
    _flow(6, 10),
    _transfer(0, 0, _EVENT),
    _transfer(0, 1, _BATCH, _BATCH_FORMAT),
    _transfer(3, 2, described(0x74, encode(_REQUEST))),
    _transfer(5, 3, described(0x74, encode(_TOKEN)) + described(0x77, string("token"))),
    amqp.performative(1, amqp.DISPOSITION, [b"\x41", uint(0), uint(3), b"\x42", amqp.ACCEPTED_STATE, NULL]),
    amqp.performative(1, amqp.DETACH, [uint(0), b"\x41", NULL]),
]
_CLOSING = [amqp.performative(1, amqp.END, [NULL]), amqp.performative(0, amqp.CLOSE, [NULL])]
_HOSTILE = [
    b"\xf0" + struct.pack(">II", 5, 65_536) + b"\x40",
    b"\xf0" + struct.pack(">II", 5, 2**32 - 1) + b"\x45",
    b"\xc0\xff\x01" * 3000,
    b"\x00\x53\x01" * 3000,
    b"\xe0\x06\x01" * 3000,
    string("amqp.annotation.x-opt-offset > " + " " * 20_000),
    string("a" * 50_000),
    string("9" * 5_000),
    map_of([(uuid(UUID(int=number * (2**61 - 1))), NULL) for number in range(2000)]),
    b"\xd0\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x73\x00\x00\x00\x41",
    b"\x94" + bytes(16),
]


def dialogue(rng: random.Random) -> bytes:
    """The bytes of one dialogue, changed in a few places."""
    frames = [*(_SASL if rng.random() < 0.3 else ()), *_OPENING]
    frames += rng.sample(_FRAMES, rng.randint(1, 8)) if rng.random() < 0.5 else _FRAMES[: rng.randint(1, len(_FRAMES))]
    frames += _CLOSING[: rng.randint(0, 2)]
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(frames))
        frames[place] = _changed(frames[place], rng)
        if rng.random() < 0.1:
            frames.insert(rng.randrange(len(frames) + 1), frames[place] * rng.randint(1, 20))
    return b"".join(frames)


def _changed(frame: bytes, rng: random.Random) -> bytes:
    if not frame:
        return rng.randbytes(8)
    raw = bytearray(frame)
    kind = rng.randrange(5)
    if kind == 0:
        for _ in range(rng.randint(1, 4)):
            raw[rng.randrange(len(raw))] = rng.choice((rng.randrange(256), 0, 0xFF, 0x40, 0xF0, 0xD0, 0xC1))
    elif kind == 1:
        del raw[rng.randrange(len(raw)) :]
    elif kind == 2:
        at = rng.randrange(len(raw))
        raw[at:at] = rng.randbytes(rng.randint(1, 40))
    elif len(raw) > 8:
        # A value in the place of others, in a frame of the right size: it has to be looked at.
        at = rng.randrange(8, len(raw))
        raw[at : at + rng.randrange(20)] = rng.choice(_HOSTILE)
        raw[0:4] = struct.pack(">I", len(raw))
    return bytes(raw)


class Beside:
    """A well-behaved client: it sends, has each event acknowledged, and asks for the state of the partition."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers = 0
        self.slowest = 0.0
        self.failures: list[str] = []

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await self._run(stop)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
            self.failures.append(f"the client beside: {error!r}")

    async def _run(self, stop: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"".join((*_OPENING, _attach(0, send="beside"), _attach(3, send="$management"))))
        writer.write(_attach(4, receive="$management") + _flow(4, 1_000_000))
        number = 0
        while not stop.is_set():
            asked = time.perf_counter()
            writer.write(_transfer(0, number, described(0x75, binary(b"%d" % number))))
            writer.write(_transfer(3, number + 1, described(0x74, encode({**_REQUEST, "name": "beside"}))))
            number += 2
            await asyncio.wait_for(self._answered(reader, number), _PATIENCE)
            self.slowest = max(self.slowest, time.perf_counter() - asked)
            self.answers += 1
            await asyncio.sleep(0.01)
        writer.close()

    async def _answered(self, reader: asyncio.StreamReader, number: int) -> None:
        """Read until the event was accepted and the request answered."""
        accepted = answered = False
        if not number - 2:
            assert await reader.readexactly(8) == amqp.AMQP_HEADER
        while not (accepted and answered):
            size, _, _, _ = struct.unpack(">IBBH", await reader.readexactly(8))
            body = await reader.readexactly(size - 8)
            code = body[2] if body else 0
            if code == amqp.DISPOSITION and amqp.ACCEPTED_STATE in body:
                accepted = True
            elif code == amqp.TRANSFER:
                answered = True
            elif code in (amqp.DETACH, amqp.END, amqp.CLOSE) or (code == amqp.DISPOSITION):
                raise OSError(f"refused: {body!r:.200}")


async def _attack(port: int, raw: bytes) -> str | None:
    """Send a dialogue; return what is wrong with the end of it, if anything is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), _PATIENCE)
    except asyncio.TimeoutError:
        return "a dialogue was not ended by the hub"
    except ConnectionError:
        pass
    finally:
        writer.close()
    return None


async def _fight(port: int, dialogues: int, seed: int, width: int) -> tuple[Beside, list[str]]:
    stop, beside, failures = asyncio.Event(), Beside(port), []
    watching = asyncio.ensure_future(beside.run(stop))
    left = iter(range(dialogues))

    async def attacker() -> None:
        for number in left:
            wrong = await _attack(port, dialogue(random.Random(seed * 1_000_003 + number)))
            if wrong is not None:
                failures.append(f"dialogue {number}: {wrong}")

    await asyncio.gather(*(attacker() for _ in range(width)))
    stop.set()
    await watching
    return beside, failures + beside.failures


def fuzz(dialogues: int, seed: int, width: int = 8) -> dict[str, Any]:
    """Start a hub, attack it, stop it; return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "event_hubs_emulator", "--port", "0", "--data", f"{folder}/data"]
        command += ["--hub", "fuzz:1", "--hub", "beside:1", "--ready-file", str(ready), "--retention-mib", "64"]
        with open(Path(folder) / "log", "wb") as log:
            hub = subprocess.Popen(command, stderr=log)
        try:
            while not ready.exists() and hub.poll() is None:
                time.sleep(0.02)
            port = int(json.loads(ready.read_text())["url"].rsplit(":", 1)[1])
            began = time.perf_counter()
            beside, failures = asyncio.run(_fight(port, dialogues, seed, width))
            took = time.perf_counter() - began
            if hub.poll() is not None:
                failures.append(f"the hub ended with {hub.returncode}")
        finally:
            hub.terminate()
            hub.wait()
        text = (Path(folder) / "log").read_text(errors="replace")
    failures += [line for line in text.splitlines() if "error of the emulator's own" in line or "Traceback" in line][:5]
    return {
        "dialogues": dialogues,
        "seed": seed,
        "seconds": round(took, 1),
        "answers_beside": beside.answers,
        "slowest_answer_s": round(beside.slowest, 3),
        "failures": failures[:20],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutated dialogues against a hub.")
    parser.add_argument("--dialogues", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=0.5)
    arguments = parser.parse_args()
    figures = fuzz(arguments.dialogues, arguments.seed)
    sys.stdout.write(json.dumps(figures) + "\n")
    slow = arguments.limit and figures["slowest_answer_s"] > arguments.limit
    return 1 if figures["failures"] or slow else 0


if __name__ == "__main__":
    sys.exit(main())
