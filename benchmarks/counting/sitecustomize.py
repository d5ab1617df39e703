"""Counts in a host and in its workers: SQLite, JSON, log records, calls, bytes over the pipe. SIGUSR2 writes them down.

Python imports a module of this name before anything else, so that nobody has a name yet of what is wrapped here.
"""

# mypy: disable-error-code="attr-defined,misc,no-untyped-call"
from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import logging
import os
import signal
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

COUNTS: Counter[str] = Counter()
_FOLDER = os.environ.get("BENCHMARK_COUNTS", "")
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def _count(name: str, number: int = 1) -> None:
    COUNTS[name] += number


class _Connection(sqlite3.Connection):
    def __init__(self, path: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(path, *args, **kwargs)
        self.file = Path(str(path)).name
        self.before = 0

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        cursor = super().execute(sql, *args)
        self._note(sql, 1)
        return cursor

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
        rows = list(rows)
        cursor = super().executemany(sql, rows)
        self._note(sql, len(rows))
        return cursor

    def _note(self, sql: str, times: int) -> None:
        verb = sql.lstrip()[:9].upper()
        if verb.startswith("COMMIT"):
            if self.total_changes != self.before:
                _count(f"{self.file}: transactions")
                _count(f"{self.file}: rows written", self.total_changes - self.before)
                self.before = self.total_changes
        elif verb.startswith(_WRITES):
            _count(f"{self.file}: write statements", times)
        elif verb.startswith("SELECT"):
            _count(f"{self.file}: reads")


def _connect(path: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
    return _Connection(path, *args, **kwargs)


def _of_json(module: ModuleType) -> None:
    loads, dumps = module.loads, module.dumps

    def counted_loads(text: Any, *args: Any, **kwargs: Any) -> Any:
        _count("JSON read, bytes", len(text))
        return loads(text, *args, **kwargs)

    def counted_dumps(value: Any, *args: Any, **kwargs: Any) -> Any:
        text = dumps(value, *args, **kwargs)
        _count("JSON written, bytes", len(text))
        return text

    module.loads, module.dumps = counted_loads, counted_dumps


def _of_calls(owner: Any, method: str, name: str) -> None:
    inner = getattr(owner, method)

    def counted(*args: Any, **kwargs: Any) -> Any:
        _count(name)
        return inner(*args, **kwargs)

    setattr(owner, method, counted)


def _of_channel(module: ModuleType) -> None:
    inner = module.packed

    def packed(message: Any) -> bytes:
        data: bytes = inner(message)
        _count("pipe, messages")
        _count("pipe, bytes", len(data))
        return data

    module.packed = packed


def _of_runner(module: ModuleType) -> None:
    _of_functions(module.AppRunner, "run_orchestrator", "replays of")
    _of_functions(module.AppRunner, "run_activity", "calls of")
    for name in ("run_entity", "start_entity"):
        if hasattr(module.AppRunner, name):
            _of_functions(module.AppRunner, name, "calls of")
    if hasattr(module.AppRunner, "start_entities"):
        _of_many(module.AppRunner, "start_entities", "calls of")


def _of_many(owner: Any, method: str, what: str) -> None:
    """Of a method whose first arguments are a function's name and its calls."""
    inner = getattr(owner, method)

    def counted(self: Any, name: str, calls: Any, *args: Any) -> Any:
        _count(f"{what} {name}", len(calls))
        return inner(self, name, calls, *args)

    setattr(owner, method, counted)


def _of_functions(owner: Any, method: str, what: str) -> None:
    """Of a method whose first argument is a function's name."""
    inner = getattr(owner, method)

    def counted(self: Any, name: str, *args: Any) -> Any:
        _count(f"{what} {name}")
        return inner(self, name, *args)

    setattr(owner, method, counted)


_MODULES: dict[str, Callable[[ModuleType], None]] = {
    "functions_host.channel": _of_channel,
    "functions_host.durable_runner": _of_runner,
    "functions_host.durable.timers": lambda module: _of_calls(module.Timers, "at", "durable timers"),
    "functions_host.eventhubs.checkpoints": lambda module: _of_calls(module.CheckpointStore, "save", "hub checkpoints"),
    "orjson": _of_json,
}


class _Loader(importlib.abc.Loader):
    def __init__(self, inner: Any, then: Callable[[ModuleType], None]) -> None:
        self._inner = inner
        self._then = then

    def create_module(self, spec: Any) -> Any:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        self._then(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        then = _MODULES.get(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if then is not None else None
        if spec is not None and then is not None:
            spec.loader = _Loader(spec.loader, then)
        return spec


def _write_down(*_: Any) -> None:
    path = Path(_FOLDER) / f"{os.getpid()}.json"
    beside = path.with_suffix(".new")
    beside.write_text(json.JSONEncoder().encode(COUNTS))
    beside.rename(path)


if _FOLDER and threading.current_thread() is threading.main_thread():
    sqlite3.connect = _connect  # type: ignore[assignment]
    _of_json(json)
    _of_calls(logging.StreamHandler, "emit", "log records")
    sys.meta_path.insert(0, _Finder())
    signal.signal(signal.SIGUSR2, _write_down)
