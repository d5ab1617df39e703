"""A copy of a local host's data that can be gone on from, made while the host runs; and putting one back.

What is copied first may be older than what is copied later, so the order is the whole point: the checkpoints, then the
store, then the durable engine, then the hub. The store then knows every event behind the checkpoints; the engine knows
every drone's state that the store's completed batches have led to, and what it runs for batches that the store does not
know is ended as an orphan; and the hub still holds every event after the checkpoints. What happens twice because of it
is absorbed as any redelivery is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from telemetry_admin.output import Output

MANIFEST = "manifest.json"
FORMAT = 1
CHECKPOINTS, APP, ENGINE = "checkpoints", "app", "durable"
_ORDER = (CHECKPOINTS, APP, ENGINE)
_SQLITE = b"SQLite format 3\0"
_AT_ONE_MOMENT = 4096
"""Bytes: files up to this size are read until they read the same twice."""
_LEFT_OUT = ("-wal", "-shm", "-journal", ".tmp", ".lock", ".partial")
_NAMES_LEFT_OUT = ("running",)  # what the engine's process was at when the copy was made: of no use to another one


class BackupError(Exception):
    """What stands in the way, in words for the operator."""


def backup(out: Output, args: argparse.Namespace) -> int:
    """Writes a folder that is there whole or not at all."""
    data, to = Path(args.data), Path(args.to)
    if to.exists():
        raise BackupError(f"{to} is there already; name a folder that is not")
    if not data.is_dir():
        raise BackupError(f"{data} is no folder; --data names the host's")
    app_data = Path(args.app_data) if args.app_data else data / APP
    beside = to.with_name(f"{to.name}.{os.getpid()}.partial")
    files: dict[str, dict[str, Any]] = {}
    try:
        beside.mkdir(parents=True)
        for source, name in _files(data, app_data):
            target = beside / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if _copied(source, target):
                files[name] = {"bytes": target.stat().st_size, "sha256": _digest(target)}
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        manifest = {"format": FORMAT, "at": at, "files": files}
        _write(beside / MANIFEST, json.dumps(manifest, indent=1).encode())
        beside.rename(to)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    total = sum(file["bytes"] for file in files.values())
    if out.as_json:
        out.json({"to": str(to), "files": len(files), "bytes": total, "at": manifest["at"]})
    else:
        out.line(f"{len(files)} files, {total / 2**20:.1f} MiB, in {to}")
    return 0


def restore(out: Output, args: argparse.Namespace) -> int:
    """Puts a backup where a host finds it; what is there is moved aside with ``--replace``, else it is in the way."""
    source, data = Path(args.source), Path(args.data)
    files = check(source)
    if data.exists() and any(data.iterdir()):
        if not args.replace:
            raise BackupError(f"{data} is not empty; --replace moves what is there aside")
        if _in_use(data):
            raise BackupError(f"a host runs on {data}; stop it first")
        aside = data.with_name(f"{data.name}.before-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
        data.rename(aside)
        out.error(f"what was there is in {aside} now")
    beside = data.with_name(f"{data.name}.{os.getpid()}.partial")
    try:
        for name in files:
            (beside / name).parent.mkdir(parents=True, exist_ok=True)
            _write(beside / name, (source / name).read_bytes())
        if data.exists():
            data.rmdir()
        beside.rename(data)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    if out.as_json:
        out.json({"data": str(data), "files": len(files)})
    else:
        out.line(f"{len(files)} files in {data}; start the host with --data {data}")
    return 0


def check(folder: Path) -> dict[str, dict[str, Any]]:
    """The files of a backup, each as it was written. ``BackupError`` names the first one that is not."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        files: dict[str, dict[str, Any]] = manifest["files"]
        known = manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{folder} is no backup: {MANIFEST} cannot be read") from error
    if not known:
        raise BackupError(f"{folder} is of format {manifest['format']}; known: {FORMAT}")
    root = folder.resolve()
    for name, file in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(root) or not path.is_file():
            raise BackupError(f"{path} is missing")
        if path.stat().st_size != file["bytes"] or _digest(path) != file["sha256"]:
            raise BackupError(f"{path} was changed or damaged since the backup was made")
    return files


def _files(data: Path, app_data: Path) -> Iterator[tuple[Path, str]]:
    """Files with their names in the backup, in the order in which they have to be copied."""
    for room in _ORDER:
        folder = app_data if room == APP else data / room
        for path in _under(folder):
            yield path, f"{room}/{path.relative_to(folder).as_posix()}"
    for path in _under(data):
        name = path.relative_to(data).as_posix()
        if name.partition("/")[0] not in _ORDER:
            yield path, name


def _under(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        left_out = path.name.endswith(_LEFT_OUT) or path.name in _NAMES_LEFT_OUT
        if path.is_file() and not path.is_symlink() and not left_out:
            yield path


def _copied(source: Path, target: Path) -> bool:
    """False when the file went away meanwhile: the hub deletes what its retention lets go."""
    try:
        if _is_sqlite(source):
            _copy_database(source, target)
        else:
            _write(target, _content(source))
    except FileNotFoundError:
        return False
    return True


def _content(path: Path) -> bytes:
    """As it is at one moment: a small file that is written over in place (a checkpoint) may be caught half-way, but not
    twice in the same way."""
    content = path.read_bytes()
    while len(content) <= _AT_ONE_MOMENT and (again := path.read_bytes()) != content:
        content = again
    return content


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _copy_database(source: Path, target: Path) -> None:
    """A snapshot by SQLite's backup API: one moment of the file and its log, whoever writes meanwhile."""
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}") from error
    _sync(target)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def _in_use(data: Path) -> bool:
    """Whether a host or a hub holds its lock in this folder."""
    try:
        import fcntl
    except ImportError:  # Windows does not let go of open files anyway
        return False
    for lock in (*data.rglob("*.lock"), *data.rglob(".lock")):
        with lock.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
    return False
