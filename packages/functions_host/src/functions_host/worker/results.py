"""What a call leaves behind, as plain values: its results, or its failure in words."""

from __future__ import annotations

import traceback
from typing import Any

from functions_host.bindings import encode
from functions_host.channel import DONE, FAILED, Message
from functions_host.errors import user_traceback
from functions_host.functions import LoadedFunction
from functions_host.http.cookies import set_cookie
from functions_host.payloads import Value
from functions_host.worker.inputs import Out


def done(number: int, function: LoadedFunction, returned: Any, outs: dict[str, Out]) -> Message:
    """Raises what the worker raises for a value that its binding cannot carry."""
    value: Value = None
    if function.returns is not None:
        value = _plain(encode(function.returns.converter, returned, function.returns.pytype))
    elif returned is not None:
        raise RuntimeError(f"function {function.name!r} without a $return binding returned a non-None value")
    outputs = {}
    for slot in function.outputs:
        given = outs[slot.name].get()
        if given is not None:
            outputs[slot.name] = _plain(encode(slot.converter, given, slot.pytype))
    return (DONE, number, value, outputs)


def failed(number: int, error: BaseException) -> Message:
    """``(FAILED, number, class name, text, stack of the user's frames, whole traceback)``."""
    trace = user_traceback(error)
    stack = "".join(traceback.format_tb(trace))
    whole = "".join(traceback.format_exception(type(error), error, trace)).rstrip()
    return (FAILED, number, type(error).__name__, _text(error), stack, whole)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as second:
        return f"<its text cannot be had: {type(second).__name__}>"


def _plain(datum: Any) -> Value:
    if datum is None or datum.type is None:
        return None
    if datum.type != "http":
        return ("plain", datum.type, _exact(datum.value))
    parts = datum.value
    headers = [(str(name), str(value.value)) for name, value in parts["headers"].items()]
    cookies = [set_cookie(morsel) for jar in parts.get("cookies") or () for morsel in jar.values()]
    return ("http", int(parts["status_code"].value), headers, cookies, _exact(parts["body"].value))


def _exact(value: Any) -> Any:
    """Text and bytes themselves: what an app derived from them cannot be marshalled."""
    if isinstance(value, str):
        return str.__str__(value) if type(value) is str else "".join(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return value
