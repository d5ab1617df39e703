"""One readable line per event on stderr, with level, function and invocation id; JSON lines on demand."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Mapping

from functions_host.context import current
from functions_host.errors import UserError

HOST = logging.getLogger("functions_host")
# What the worker takes for its own and its SDK's logs: neither the console nor the app's traces show them.
_SYSTEM = ("azure_functions_worker", "azure.functions")
VERBOSE_ONLY = ("azure.eventhub", "azure.core", "azure.identity", "aiohttp", "asyncio", "msal")

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}
_NAMES = {10: "DEBUG", 20: "INFO", 30: "WARN", 40: "ERROR", 50: "FATAL"}


# Where a record comes from: (function, invocation id). No keyword argument, and so hardly anybody's extra field, can
# have this name; one that is there all the same is replaced.
_ORIGIN = "functions_host.origin"
_NOWHERE = ("", "")


class InvocationFilter(logging.Filter):
    """Gives each record the invocation it was made in, and drops what host.json's logging.logLevel mutes.

    Categories are the real host's: ``Function.<name>.User`` for what user code logs, ``Function.<name>`` and
    ``Host`` for the host's own lines; the longest configured prefix counts, then ``default``.
    """

    def __init__(self, levels: Mapping[str, str], *, verbose: bool = False) -> None:
        super().__init__()
        self._verbose = verbose
        self._levels = {name.lower(): _LEVELS.get(level.lower(), logging.INFO) for name, level in levels.items()}
        self._cache: dict[tuple[str, bool], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        invocation = current.get()
        function = invocation.function_name if invocation else ""
        record.__dict__[_ORIGIN] = (function, invocation.invocation_id) if invocation else _NOWHERE
        if record.name.startswith(_SYSTEM) and not self._verbose:
            return False
        if not self._levels:
            return True
        return record.levelno >= self._threshold(function, record.name.startswith("functions_host"))

    def _threshold(self, function: str, by_host: bool) -> int:
        found = self._cache.get((function, by_host))
        if found is None:
            category = f"function.{function.lower()}" + ("" if by_host else ".user") if function else "host"
            parts = category.split(".")
            prefixes = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
            name = next((prefix for prefix in prefixes if prefix in self._levels), "default")
            # --verbose asks for the host's details; only a level set for their very category speaks against it.
            found = 0 if self._verbose and by_host and name == "default" else self._levels.get(name, 0)
            self._cache[(function, by_host)] = found
        return found


class LineFormatter(logging.Formatter):
    """``2026-01-23T10:30:00.123Z INFO  [Name 1a2b3c4d] message``, exceptions below it."""

    def format(self, record: logging.LogRecord) -> str:
        function, invocation = record.__dict__.get(_ORIGIN, _NOWHERE)
        where = f" [{function} {invocation[:8]}]" if function else ""
        level = _NAMES.get(record.levelno, record.levelname)
        text = f"{_stamp(record.created)} {level:<5}{where} {_message(record)}"
        if trace := _trace(record):
            text += "\n" + trace
        return text


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, function, invocationId, logger, message[, exception]."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str] = {"time": _stamp(record.created), "level": _NAMES.get(record.levelno, record.levelname)}
        function, invocation = record.__dict__.get(_ORIGIN, _NOWHERE)
        if function:
            line["function"] = function
            line["invocationId"] = invocation
        line["logger"] = record.name
        line["message"] = _message(record)
        if trace := _trace(record):
            line["exception"] = trace
        return json.dumps(line, ensure_ascii=False)


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    error = record.exc_info[1]
    if isinstance(error, UserError):
        # The traceback of what a function raised was made where it was raised.
        return error.trace
    return "".join(traceback.format_exception(*record.exc_info)).rstrip()


def _message(record: logging.LogRecord) -> str:
    """The record's text; of one whose arguments do not fit its text, both: a line is better than none."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg!s} {record.args!r}"


def _stamp(seconds: float) -> str:
    whole = time.gmtime(seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', whole)}.{int(seconds * 1000) % 1000:03d}Z"


def set_up_logging(*, verbose: bool, as_json: bool, levels: Mapping[str, str] | None = None) -> None:
    """Send all logging to stderr. User code logs from INFO on, as in the worker; PYTHON_ENABLE_DEBUG_LOGGING=1: all."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else LineFormatter())
    handler.addFilter(InvocationFilter(levels or {}, verbose=verbose))
    root.addHandler(handler)
    debug = verbose or os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in ("1", "true")
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    HOST.setLevel(logging.DEBUG if verbose else logging.INFO)
    for name in VERBOSE_ONLY:
        # The SDKs report every lost connection on their own; the listener says it once, in words.
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.ERROR)
