"""Strict JSON: UTF-8, no NaN, no lone surrogates, not nested deeper than 64; of duplicate keys the last counts."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 64
BOM = b"\xef\xbb\xbf"

# Only such a text can hold a number beyond a double's range.
_HUGE_NUMBER = re.compile(rb"[0-9]{309}|[eE]\+?0*[1-9][0-9]{2}").search
_LONGEST_INTEGER = 20


class NotJson(ValueError):
    """The text says why."""


def parse_json(text: bytes) -> Any:
    """The value. Raises NotJson."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if _HUGE_NUMBER(text) is None:
            raise NotJson(str(error)) from None
        value = _parse_with_huge_numbers(text)
    except RecursionError:
        raise NotJson("nested too deep") from None
    # Fewer brackets than that cannot be nested deeper; most events are one flat object.
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise NotJson(f"nested deeper than {MAX_DEPTH}")
    return value


def _parse_with_huge_numbers(text: bytes) -> Any:
    """orjson refuses the whole text for one number like 1e400, which is good JSON in a bad message: it must not take an
    array's other messages with it. Such a number becomes the largest there is, which no field allows."""
    try:
        value = json.loads(text.decode(), parse_float=_float, parse_int=_integer, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates have no UTF-8
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) or type(error).__name__) from None
    return value


def _float(text: str) -> float:
    return max(min(float(text), sys.float_info.max), -sys.float_info.max)


def _integer(text: str) -> int | float:
    """As orjson has it: exact within 64 bits, the nearest double beyond."""
    if len(text) <= _LONGEST_INTEGER and -(1 << 63) <= (number := int(text)) < 1 << 64:
        return number
    return _float(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [item for item in level if type(item) is dict or type(item) is list]
        if not level:
            return False
        level = [part for item in level for part in (item.values() if type(item) is dict else item)]
    return True
