"""azure.functions' own converters, looked up by binding type, and the generic one the worker adds to them."""

from __future__ import annotations

from typing import Any

from azure.functions.meta import Datum, get_binding_registry


class GenericConverter:
    """Passes text and bytes through: what the worker uses for a `str` or `bytes` parameter of any binding."""

    @staticmethod
    def has_implicit_output() -> bool:
        return False

    @staticmethod
    def check_input_type_annotation(pytype: Any) -> bool:
        return issubclass(pytype, (str, bytes))

    @staticmethod
    def check_output_type_annotation(pytype: Any) -> bool:
        return issubclass(pytype, (str, bytes, bytearray))

    @staticmethod
    def decode(data: Any, *, trigger_metadata: Any) -> Any:
        if data.type not in ("string", "bytes", "json", None):
            raise ValueError(f"unexpected type of data received for the generic binding: {data.type!r}")
        return data.value

    @staticmethod
    def encode(obj: Any, *, expected_type: Any) -> Any:
        if obj is None:
            return Datum(None, None)
        if isinstance(obj, str):
            return Datum(obj, "string")
        if isinstance(obj, (bytes, bytearray)):
            return Datum(bytes(obj), "bytes")
        raise NotImplementedError


GENERIC = GenericConverter


def converter_for(binding_type: str) -> Any:
    """The converter class registered for a binding type; the generic one where azure.functions has none."""
    return get_binding_registry().get(binding_type) or GENERIC


def has_implicit_output(binding_type: str) -> bool:
    check = getattr(converter_for(binding_type), "has_implicit_output", None)
    return bool(check()) if check is not None else False


def encode(converter: Any, value: Any, pytype: Any) -> Any:
    """Encode a function's output; TypeError, worded as by the worker, for a value the binding cannot carry."""
    try:
        return converter.encode(value, expected_type=pytype)
    except NotImplementedError:
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "{converter}" '
            f'for Python type "{type(value).__name__}"'
        ) from None
