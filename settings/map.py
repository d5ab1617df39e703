"""The page's base map: tiles from a server that the operator names, or out of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from settings.errors import SettingError
from settings.reader import Reader

_FORM = "https://tile.example.org/{z}/{x}/{y}.png"
_RANGE = re.compile(r"[a-z]-[a-z]|[0-9]-[0-9]")
_INSTEAD = {
    "s": "write the sub-domains as a range, as in https://{a-c}.tile.example.org/{z}/{x}/{y}.png, or leave them out",
    "r": "leave it out, or write @2x in its place where the server has such tiles",
}


@dataclass(frozen=True)
class MapSettings:
    """``tiles_url``: a template with ``{z}``, ``{x}``, ``{y}`` or ``{-y}``."""

    tiles_url: str | None
    tiles_attribution: str | None
    pmtiles_file: Path | None


def read_map(read: Reader) -> MapSettings:
    url = read.url("MAP_TILES_URL")
    if url is not None:
        _check_template(url)
    file = _read_file(read)
    if url is not None and file is not None:
        raise SettingError("MAP_PMTILES_FILE", "is set beside MAP_TILES_URL; allowed: one of the two")
    return MapSettings(url, read.optional("MAP_TILES_ATTRIBUTION"), file)


def _read_file(read: Reader) -> Path | None:
    if read.optional("MAP_PMTILES_FILE") is None:
        return None
    path = read.file("MAP_PMTILES_FILE", "")
    with path.open("rb") as file:
        start = file.read(8)
    if start[:7] != b"PMTiles":
        raise SettingError("MAP_PMTILES_FILE", f"is {str(path)!r}, which is no PMTiles file; allowed: one of version 3")
    if start[7:] != b"\x03":
        version = start[7] if len(start) == 8 else "none"
        raise SettingError("MAP_PMTILES_FILE", f"is of PMTiles version {version}; allowed: version 3")
    return path


def _check_template(url: str) -> None:
    """Raises for a placeholder that the page's map does not fill in: it would ask for addresses with braces."""
    found = re.findall(r"\{([^{}]*)\}", url)
    for name in found:
        if name not in ("z", "x", "y", "-y") and not _RANGE.fullmatch(name):
            why = _INSTEAD.get(name, "leave it out")
            raise SettingError("MAP_TILES_URL", f"has {{{name}}}, which is not filled in: {why}; allowed: {_FORM}")
    if not {"z", "x"} <= set(found) or not {"y", "-y"} & set(found):
        raise SettingError("MAP_TILES_URL", f"is {url!r}; allowed: a URL with {{z}}, {{x}} and {{y}}, as in {_FORM}")
