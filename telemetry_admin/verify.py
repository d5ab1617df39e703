"""Counts what must hold in a local host's data, or in a backup of it: of a folder that nobody or somebody works on."""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from event_hubs_emulator.log import record
from event_hubs_emulator.log.segment import CorruptSegmentError, Segment

from storage.sqlite import coverage
from telemetry.envelope import DamagedEnvelope, unpack
from telemetry_admin.backup import APP, CHECKPOINTS, ENGINE, MANIFEST, BackupError, check
from telemetry_admin.output import Output

STORE, HUB = "store.db", "event_hubs"
_TORN_BYTES = 2**20  # the largest send


@dataclass(frozen=True)
class Finding:
    """One thing that must hold: of how many it was looked at, and the first of those for which it does not."""

    what: str
    looked_at: int
    wrong: tuple[str, ...] = ()


def verify(out: Output, args: argparse.Namespace) -> int:
    """0 when everything holds, 1 when something does not."""
    data = Path(args.data)
    if not data.is_dir():
        raise BackupError(f"{data} is no folder; --data names the host's, or a backup")
    found = list(findings(data, Path(args.app_data) if args.app_data else data / APP))
    wrong = sum(len(one.wrong) for one in found)
    if out.as_json:
        out.json(
            {
                "wrong": wrong,
                "checks": [{"what": one.what, "lookedAt": one.looked_at, "wrong": list(one.wrong)} for one in found],
            }
        )
    else:
        out.table(
            ("WHAT MUST HOLD", "LOOKED AT", "WRONG", "THE FIRST"),
            ((one.what, one.looked_at, len(one.wrong), next(iter(one.wrong), "")) for one in found),
            empty="there is nothing to look at",
        )
    return 1 if wrong else 0


def findings(data: Path, app: Path) -> Iterator[Finding]:
    """Of a host's folder and the app's data in it; what is not there is not looked at."""
    if (data / MANIFEST).exists():
        yield Finding("every file of the backup is as it was written", len(check(data)))
    for path in (app / STORE, *sorted((data / ENGINE).glob("*.db"))):
        if path.exists():
            yield _sound(path)
    yield from _hub(data / HUB)
    if (app / STORE).exists():
        with _reading(app / STORE) as store:
            yield from _store(store)
            yield from _checkpoints(data / CHECKPOINTS, store)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """One moment of the file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield connection


def _sound(path: Path) -> Finding:
    what = f"SQLite finds nothing wrong in {path.name}"
    try:
        with _reading(path) as connection:
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
    except sqlite3.Error as error:
        said = [str(error)]
    return Finding(what, 1, () if said == ["ok"] else tuple(said))


_COUNTS = """SELECT id, messages, stored, duplicates, rejected FROM batches WHERE status = 'completed'"""
_TOTALS = "SELECT name, value FROM totals WHERE name LIKE 'ledger.%'"


def _store(store: sqlite3.Connection) -> Iterator[Finding]:
    counts = store.execute(_COUNTS).fetchall()
    yield Finding(
        "a completed batch: messages = stored + duplicates + rejected",
        len(counts),
        tuple(
            f"{identity}: {messages} is not {stored} + {duplicates} + {rejected}"
            for identity, messages, stored, duplicates, rejected in counts
            if messages != stored + duplicates + rejected
        ),
    )
    totals = {name.removeprefix("ledger."): value for name, value in store.execute(_TOTALS)}
    parts = [totals.get(name, 0) for name in ("stored", "duplicates", "rejected")]
    messages = totals.get("messages", 0)
    wrong = () if messages == sum(parts) else (f"{messages} is not {' + '.join(map(str, parts))}",)
    yield Finding("the totals: messages = stored + duplicates + rejected", 1, wrong)
    sent, raw = _raw(store)
    yield from _rows(store, {row[0]: (row[2], row[4]) for row in counts}, sent)
    yield raw


def _rows(store: sqlite3.Connection, counted: dict[str, tuple[int, int]], sent: dict[str, str]) -> Iterator[Finding]:
    """``sent``: when the oldest event of each batch was enqueued. The purge takes the oldest messages first: only a
    batch without any that is older than the oldest message left must have all of its own."""
    oldest = store.execute("SELECT min(enqueued_at) FROM messages").fetchone()[0]
    whole = {identity for identity, enqueued in sent.items() if oldest is not None and enqueued >= oldest}
    rows = dict(store.execute("SELECT batch_id, count(*) FROM messages GROUP BY batch_id").fetchall())
    yield _agree("a batch has stored as many messages as it says", rows, {b: c[0] for b, c in counted.items()}, whole)
    letters = dict(
        store.execute("SELECT batch_id, count(*) FROM dead_letters WHERE status <> 'replayed' GROUP BY batch_id")
    )
    weights = _letter_weights(store, letters)
    # Open letters are never purged, discarded ones are: fewer may be right, more never are.
    yield _agree("a batch has as many dead letters as it says", weights, {b: c[1] for b, c in counted.items()}, set())


def _letter_weights(store: sqlite3.Connection, letters: dict[str, int]) -> dict[str, int]:
    """Messages that the letters of each batch stand for: one, but for a letter of a whole event of many."""
    text = (
        "SELECT batch_id, document FROM dead_letters "
        "WHERE status <> 'replayed' AND CAST(document AS TEXT) LIKE '%\"messages\"%'"
    )
    for batch_id, document in store.execute(text):
        letters[batch_id] += int(json.loads(document).get("messages") or 1) - 1
    return letters


def _agree(what: str, there: dict[str, int], counted: dict[str, int], exact: set[str]) -> Finding:
    wrong = []
    for identity, number in counted.items():
        found = there.get(identity, 0)
        if found > number or (found < number and identity in exact):
            wrong.append(f"{identity}: {number} counted, {found} there")
    return Finding(what, len(counted), tuple(wrong))


def _raw(store: sqlite3.Connection) -> tuple[dict[str, str], Finding]:
    """What is not completed can be run again only with its bytes. Also when each batch's oldest event was enqueued."""
    sent: dict[str, str] = {}
    looked_at, wrong = 0, []
    for identity, status, body in store.execute(
        "SELECT batches.id, batches.status, body FROM batches LEFT JOIN batch_raw ON batch_id = batches.id"
    ):
        looked_at += 1
        if body is None:
            wrong.append(f"{identity}: its bytes are not there, and it is {status}")
            continue
        try:
            sent[identity] = min(delivery.enqueued_at for delivery in unpack(bytes(body)))
        except DamagedEnvelope as error:
            wrong.append(f"{identity}: {error}")
    return sent, Finding("a batch has its bytes, as they were received", looked_at, tuple(wrong))


def _checkpoints(folder: Path, store: sqlite3.Connection) -> Iterator[Finding]:
    """Every event that the trigger has passed is in the store."""
    try:
        come = coverage.read(store)
    except sqlite3.Error:  # an older store, which did not keep that
        return
    looked_at, wrong = 0, []
    for path in sorted(folder.glob("*/*/*.json")):
        hub = unquote(path.parent.parent.name).rpartition("/")[2]
        looked_at += 1
        try:
            passed = int(json.loads(path.read_text())["sequence_number"])
        except (ValueError, KeyError, TypeError) as error:
            wrong.append(f"{path.name}: cannot be read: {error}")
            continue
        behind = come.behind(hub, unquote(path.stem))
        if passed > behind and not come.adopted:
            wrong.append(f"partition {path.stem}: read up to {passed}, come up to {behind}")
    if looked_at:
        yield Finding("what the checkpoints have passed has come to the store", looked_at, tuple(wrong))


def _hub(folder: Path) -> Iterator[Finding]:
    looked_at, wrong = 0, []
    for path in sorted(folder.glob("*/*/*.log")):
        try:
            number, problem = _segment(path)
        except (CorruptSegmentError, FileNotFoundError) as error:
            number, problem = 0, str(error)
        looked_at += number
        if problem:
            wrong.append(problem)
    if folder.is_dir():
        yield Finding("every event of the hub is as it was sent", looked_at, tuple(wrong))


def _segment(path: Path) -> tuple[int, str]:
    """Whole events of a segment, and what is wrong with it. A torn end of the newest one is what a copy made meanwhile
    has; the hub cuts it off."""
    segment = Segment.open(path)
    number, whole, damaged = 0, segment.base, ""
    try:
        for address, found in segment.scan(segment.base):
            if address > whole and not damaged:
                damaged = f"{path.name}: damaged at {whole}, {address - whole} bytes cannot be read"
            number += 1
            whole = address + record.HEADER_SIZE + found.end - found.start
    finally:
        segment.release()
    newest = max(path.parent.glob("*.log")) == path
    rest = segment.end - whole
    if not damaged and rest and not (newest and rest < _TORN_BYTES):
        damaged = f"{path.name}: damaged at {whole}, {rest} bytes left"
    return number, damaged
