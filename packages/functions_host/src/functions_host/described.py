"""An app as a worker tells the host of it: everything but its code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple
from typing import Any, NamedTuple

from functions_host.functions import FunctionInfo
from functions_host.retry import RetryPolicy
from functions_host.selection import LeftOut


class App(NamedTuple):
    """The functions that are run, and those that are not."""

    functions: list[FunctionInfo]
    left_out: list[LeftOut]


def described(functions: Iterable[FunctionInfo], left_out: Iterable[LeftOut]) -> str:
    return json.dumps([[_described(function) for function in functions], [astuple(unused) for unused in left_out]])


def read(description: str) -> App:
    functions, left_out = json.loads(description)
    return App([_read(*function) for function in functions], [LeftOut(*unused) for unused in left_out])


def _described(function: FunctionInfo) -> tuple[Any, ...]:
    retry = None if function.retry is None else astuple(function.retry)
    at = function.bindings.index(function.trigger)
    return (function.name, function.directory, function.script, at, function.bindings, retry, function.asks_for_several)


def _read(
    name: str, directory: str, script: str, at: int, bindings: list[Any], retry: list[Any] | None, several: bool
) -> FunctionInfo:
    policy = None if retry is None else RetryPolicy(*retry)
    return FunctionInfo(name, directory, script, bindings[at], bindings, policy, several)
