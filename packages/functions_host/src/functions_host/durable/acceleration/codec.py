"""The SDK's JSON codec, quicker where there is nothing for it to do: no object of an app's own class is in the text."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from functions_host.durable.acceleration.patches import (
    ACTIVITY_CODEC,
    DUMPS,
    JSON,
    LOADS,
    STEP_DUMPS,
    STEP_JSON,
    STEP_LOADS,
)

# Digits become zeros, all else spaces: a long number, which orjson reads as a fraction, shows as a row of them.
_DIGITS = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_LONGEST = 19
_LONG = b"0" * _LONGEST


def plain_loads(text: Any) -> Any:
    """As ``json.loads``."""
    if type(text) is str:
        try:
            if len(text) < _LONGEST or text[0] == '"' or _LONG not in text.encode().translate(_DIGITS):
                return orjson.loads(text)
        except ValueError:
            # What json takes all the same (NaN, a lone surrogate, …), or says in its own words what is wrong with.
            pass
    return json.loads(text)


class _Instead:
    """A module but for some names, as the code of the SDK that has it under a name of its own sees it."""

    def __init__(self, module: str, **names: Any) -> None:
        self._module = importlib.import_module(module)
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def df_loads(text: Any, expected_type: type | None = None) -> Any:
    """As the SDK's. Whose class is asked for, and text that may name one, is the SDK's own to read."""
    if expected_type is not None or type(text) is not str or "__class__" in text or "\\u" in text:
        return _codec()[0](text, expected_type=expected_type)
    _advised()
    return plain_loads(text)


def df_dumps(value: Any) -> str:
    """As the SDK's. What it does with an app's objects is set in the environment, which others need not wait for."""
    if value is None:
        return "null"
    if type(value) in _JSON_TYPES:
        try:
            return _PLAIN(value)
        except Exception:
            pass
    text: str = _codec()[1](value)
    return text


def plain_dumps(value: Any) -> str:
    """As ``json.dumps``."""
    return _PLAIN(value)


_JSON_TYPES = frozenset({dict, list, str, int, float, bool})


def _quick() -> Callable[[Any], str]:
    """``json.dumps``, without making what does the work anew for each value and without looking for cycles: what that
    does not get through, ``json.dumps`` itself is asked for.
    """
    encoder = json.JSONEncoder()
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    escape = json.encoder.encode_basestring_ascii
    parts = make(None, encoder.default, escape, None, ": ", ", ", False, False, True)

    def encode(value: Any) -> str:
        if type(value) is int:
            # As the encoder, which would be made for this one number.
            return int.__repr__(value)
        if type(value) is dict or type(value) is list:
            try:
                return "".join(parts(value, 0))
            except Exception:
                return encoder.encode(value)
        return encoder.encode(value)

    return encode


_PLAIN = _quick()


@lru_cache(maxsize=1)
def _advised() -> None:
    """What the SDK has to say about its codec, once."""
    _codec()[0]("null")


@lru_cache(maxsize=1)
def _codec() -> tuple[Any, Any]:
    codec = importlib.import_module("azure.durable_functions.models.utils.df_serialization")
    return codec.df_loads, codec.df_dumps


def install_codec() -> None:
    """Let the SDK's contexts of entities and orchestrators use it, and the converter of activities.

    Only where the SDK is the one this was written for.
    """
    for patches, stand_in in (
        ((LOADS, *STEP_LOADS), df_loads),
        ((JSON, STEP_JSON), _Instead("json", loads=plain_loads)),
        (STEP_DUMPS if DUMPS.is_known() else (), df_dumps),
    ):
        for patch in patches:
            if patch.original is not None or patch is LOADS or patch.is_known():
                patch.install(stand_in)
    if all(patch.is_known() for patch in (LOADS, DUMPS, ACTIVITY_CODEC)):
        # It takes what it does not do itself from the SDK, which is there by now.
        _codec()
        ACTIVITY_CODEC.install(_Instead("azure.functions._durable_functions", df_loads=df_loads, df_dumps=df_dumps))
