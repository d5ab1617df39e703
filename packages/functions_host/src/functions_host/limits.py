"""How many threads and processes run functions, as the worker's own settings say."""

from __future__ import annotations

import os

from functions_host.errors import StartError

_MOST_WORKERS = 10


def thread_count() -> int:
    """PYTHON_THREADPOOL_THREAD_COUNT (from 1 on), else the worker's default."""
    return _number("PYTHON_THREADPOOL_THREAD_COUNT", min(32, (os.cpu_count() or 1) + 4))


def worker_count() -> int:
    """FUNCTIONS_WORKER_PROCESS_COUNT (1 to 10, as on the real host), else 1."""
    count = _number("FUNCTIONS_WORKER_PROCESS_COUNT", 1)
    if count > _MOST_WORKERS:
        raise StartError(f"FUNCTIONS_WORKER_PROCESS_COUNT must be at most {_MOST_WORKERS}, not {count}")
    return count


def _number(name: str, default: int) -> int:
    text = (os.environ.get(name) or "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise StartError(f"{name} must be a whole number from 1 on, not {text!r}")
    return int(text)
