"""App settings: process environment first, then local.settings.json, then the host's defaults."""

from __future__ import annotations

import json
import os
import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functions_host.errors import StartError

_NAME = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What local.settings.json says: `values` (app settings) and `host` (LocalHttpPort, CORS, CORSCredentials)."""

    values: dict[str, str] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)


def read_local_settings(app_dir: Path) -> LocalSettings:
    """Read `local.settings.json`; a missing file is an empty one.

    Raises StartError for JSON that does not parse, encrypted values and values that are not scalars.
    """
    path = app_dir / "local.settings.json"
    if not path.is_file():
        return LocalSettings()
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise StartError(f"local.settings.json is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise StartError("local.settings.json must hold a JSON object")
    if document.get("IsEncrypted") is True:
        raise StartError("local.settings.json is encrypted; run `func settings decrypt` first")
    values: dict[str, str] = {}
    for name, value in (document.get("Values") or {}).items():
        if isinstance(value, (dict, list)):
            raise StartError(f"local.settings.json: the value of {name!r} must be a string")
        if value is not None:
            values[name] = value if isinstance(value, str) else json.dumps(value)
    return LocalSettings(values, dict(document.get("Host") or {}))


def apply_local_settings(settings: LocalSettings, environ: MutableMapping[str, str] | None = None) -> list[str]:
    """Put the values into the environment where the name is not set yet; returns the names that were put there."""
    environ = os.environ if environ is None else environ
    added = [name for name in settings.values if name not in environ]
    for name in added:
        environ[name] = settings.values[name]
    return added


def resolve(text: str, where: str) -> str:
    """Replace every ``%NAME%`` by the app setting NAME; StartError names `where` when one is not set."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        found = os.environ.get(name)
        if found is None:
            raise StartError(f"{where}: the app setting {name!r} is not set (%{name}% refers to it)")
        return found

    return _NAME.sub(value, text)


def parse_timespan(text: str, where: str) -> float:
    """Seconds of a .NET TimeSpan ``[d.]hh:mm:ss[.fffffff]``. Raises StartError that names `where`."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?", str(text).strip())
    if match is None:
        raise StartError(f"{where}: {text!r} is not a time span such as 00:00:05 or 00:00:00.250")
    days, hours, minutes, seconds, fraction = match.groups()
    if int(hours) > 23 or int(minutes) > 59 or int(seconds or 0) > 59:
        raise StartError(f"{where}: {text!r} is not a time span (hours to 23, minutes and seconds to 59)")
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0) + float(fraction or 0)
