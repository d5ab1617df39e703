"""Typed reading of one setting at a time; whatever is not allowed raises ``SettingError`` that says what is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from settings.errors import SettingError

APP_ROOT = Path(__file__).resolve().parent.parent

_NCRONTAB_FIELD = r"[0-9A-Za-z*/,\-]+"
_NCRONTAB = re.compile(rf"{_NCRONTAB_FIELD}( {_NCRONTAB_FIELD}){{5}}")
_NCRONTAB_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NOT_A_STEP = re.compile(r"(?<![/0-9])[0-9]+")
_HUB_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,254}[A-Za-z0-9])?")


class Reader:
    """Typed reading of a mapping; an empty value counts as not set, as it does in the Azure portal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def optional(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def text(self, name: str, default: str) -> str:
        return self.optional(name) or default

    def required(self, name: str, why: str) -> str:
        value = self.optional(name)
        if value is None:
            raise SettingError(name, f"is not set; {why}")
        return value

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise SettingError(name, f"is {value!r}; allowed: {', '.join(allowed)}")
        return value

    def flag(self, name: str) -> bool:
        return self.choice(name, "0", ("0", "1", "false", "true", "False", "True")).lower() in ("1", "true")

    def number(self, name: str, default: float, low: float, high: float, what: str) -> float:
        value = self.optional(name)
        if value is None:
            return default
        return _number(name, value, low, high, what)

    def seconds(self, name: str, default: float) -> float:
        return self.number(name, default, 0.001, 1e9, "a number of seconds above 0")

    def hours(self, name: str, default: float) -> float:
        return self.number(name, default, 0.0001, 1e6, "a number of hours above 0")

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.optional(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise SettingError(name, f"is {value!r}; allowed: a whole number from {low} to {high}")
        return int(value)

    def range(self, name: str, default: tuple[float, float]) -> tuple[float, float]:
        value = self.optional(name)
        if value is None:
            return default
        parts = value.split(",")
        what = "two numbers, the lower one first, as in -1000,20000"
        if len(parts) != 2:
            raise SettingError(name, f"is {value!r}; allowed: {what}")
        low, high = (_number(name, part.strip(), -math.inf, math.inf, what) for part in parts)
        if low >= high:
            raise SettingError(name, f"is {value!r}; allowed: {what}")
        return low, high

    def schedule(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not _NCRONTAB.fullmatch(value) or not all(
            low <= int(number) <= high
            for field, (low, high) in zip(value.split(" "), _NCRONTAB_RANGES, strict=True)
            for number in _NOT_A_STEP.findall(field)
        ):
            raise SettingError(
                name, f"is {value!r}; allowed: six NCRONTAB fields, seconds first, as in '0 */5 * * * *'"
            )
        return value

    def hub_name(self, name: str, default: str) -> str:
        """The name of a hub or a consumer group, as Event Hubs allows it."""
        value = self.text(name, default)
        if value != "$Default" and not _HUB_NAME.fullmatch(value):
            raise SettingError(
                name, f"is {value!r}; allowed: letters, digits, '.', '-' and '_', a letter or digit first and last"
            )
        return value

    def url(self, name: str) -> str | None:
        value = self.optional(name)
        if value is not None and not re.match(r"(?i)https?://[^/\s]", value):
            raise SettingError(name, f"is {value!r}; allowed: a URL that begins with http:// or https://")
        return value

    def folder(self, name: str, default: str) -> Path:
        """A folder that may have to be made: nothing on the way to it may be a file."""
        path = APP_ROOT / self.text(name, default)
        there = next(part for part in (path, *path.parents) if part.exists())
        if not there.is_dir():
            raise SettingError(name, f"is {str(path)!r}; allowed: the path of a folder, but {str(there)!r} is a file")
        return path

    def file(self, name: str, default: str) -> Path:
        """A file named by a setting must be there; the default one may be missing, or come later."""
        value = self.optional(name)
        path = APP_ROOT / (value or default)
        if value is not None and not path.is_file():
            raise SettingError(name, f"is {value!r}; allowed: the path of a file that exists")
        return path


def _number(name: str, value: str, low: float, high: float, what: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and low <= number <= high):
        raise SettingError(name, f"is {value!r}; allowed: {what}")
    return number
