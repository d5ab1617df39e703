"""App settings: process environment first, then local.settings.json, then the host's defaults."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functions_host.errors import StartError
from functions_host.json_file import read_json_file, shown
from functions_host.section import Section

_NAME = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What local.settings.json says: `values` (app settings) and `host` (LocalHttpPort, CORS, CORSCredentials)."""

    values: dict[str, str] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)


def read_local_settings(app_dir: Path) -> LocalSettings:
    """Read `local.settings.json`; a missing file is an empty one.

    Raises StartError for JSON that does not parse, encrypted values, and values that are not what they must be.
    """
    path = app_dir / "local.settings.json"
    if not path.is_file():
        return LocalSettings()
    top = Section(read_json_file(path), path.name)
    if top.flag("IsEncrypted"):
        raise StartError("local.settings.json is encrypted; run `func settings decrypt` first")
    given = top.section("Values")
    values: dict[str, str] = {}
    for name, value in given.values.items():
        if isinstance(value, (dict, list)):
            raise given.wrong(name, value, "a text, a number, true or false")
        if not name or "=" in name or "\0" in name:
            raise StartError(f"local.settings.json Values: {name!r} cannot be the name of a setting")
        if value is not None:
            values[name] = value if isinstance(value, str) else json.dumps(value)
    return LocalSettings(values, _host(top.section("Host")))


def _host(section: Section) -> dict[str, Any]:
    checked = {
        "LocalHttpPort": section.number("LocalHttpPort", 0, 0, 65535) or None,
        "CORS": section.text("CORS", "") or None,
        "CORSCredentials": section.flag("CORSCredentials") or None,
    }
    return {name: value for name, value in checked.items() if value is not None}


def apply_local_settings(settings: LocalSettings, environ: MutableMapping[str, str] | None = None) -> list[str]:
    """Put the values into the environment where the name is not set yet; returns the names that were put there."""
    environ = os.environ if environ is None else environ
    added = [name for name in settings.values if name not in environ]
    for name in added:
        try:
            environ[name] = settings.values[name]
        except ValueError as error:
            raise StartError(f"local.settings.json Values.{name} cannot be a setting: {error}") from None
    return added


def resolve(text: str, where: str, environ: Mapping[str, str] | None = None) -> str:
    """Replace every ``%NAME%`` by the app setting NAME; StartError names `where` when one is not set."""
    settings = os.environ if environ is None else environ

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        found = settings.get(name)
        if found is None:
            raise StartError(f"{where}: the app setting {name!r} is not set (%{name}% refers to it)")
        return found

    return _NAME.sub(value, text)


def parse_timespan(text: str, where: str) -> float:
    """Seconds of a .NET TimeSpan ``[d.]hh:mm:ss[.fffffff]``. Raises StartError that names `where`."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?", str(text).strip())
    if match is None:
        raise StartError(f"{where} must be a time span such as 00:00:05 or 00:00:00.250, not {shown(text)}")
    days, hours, minutes, seconds, fraction = match.groups()
    if int(hours) > 23 or int(minutes) > 59 or int(seconds or 0) > 59:
        raise StartError(f"{where} must be a time span (hours to 23, minutes and seconds to 59), not {shown(text)}")
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0) + float(fraction or 0)
