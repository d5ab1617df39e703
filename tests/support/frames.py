"""Protobuf frames made by google.protobuf from a descriptor: a writer that is not ours."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_DOUBLE, _INT32, _BOOL, _STRING, _MESSAGE = 1, 5, 8, 9, 11


def _make() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="frame.proto", package="fleet", syntax="proto2")

    def add(name: str, *fields: tuple[str, int, str | None]) -> None:
        message = file.message_type.add(name=name)
        for number, (field, kind, type_name) in enumerate(fields, start=1):
            message.field.add(name=field, number=number, type=kind, label=1, type_name=type_name)

    add("Position", ("latitude", _DOUBLE, None), ("longitude", _DOUBLE, None), ("altitude", _DOUBLE, None))
    add("Health", ("gyrometer", _BOOL, None), ("accelerometer", _BOOL, None), ("magnetometer", _BOOL, None))
    add(
        "Frame",
        ("deviceId", _STRING, None),
        ("battery", _DOUBLE, None),
        ("flightMode", _INT32, None),
        ("position", _MESSAGE, ".fleet.Position"),
        ("health", _MESSAGE, ".fleet.Health"),
        ("keyFrame", _BOOL, None),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("fleet.Frame"))


Frame = _make()


def frame(**fields: Any) -> bytes:
    """The frame with these fields and parts; what is not given is left out, as writers do with absent values."""
    data: bytes = Frame(**fields).SerializeToString()
    return data
