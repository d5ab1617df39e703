"""The arguments of a call, made of what the host sent, by the converters that azure.functions has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.functions.meta import Datum

from functions_host.eventhubs.metadata import batch_datum, batch_metadata, event_metadata, event_objects
from functions_host.eventhubs.wire import received
from functions_host.functions import LoadedFunction, Slot
from functions_host.payloads import Payload

ClientTexts = Mapping[tuple[str | None, str | None], str]


class Out:
    """func.Out: a cell for an output parameter."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


def arguments_of(
    function: LoadedFunction, payload: Payload, run: Any, clients: ClientTexts
) -> tuple[dict[str, Any], dict[str, Out]]:
    """Keyword arguments, and the cells of the output parameters among them."""
    arguments = {function.trigger_slot.name: _trigger_value(function.trigger_slot, payload)}
    for slot in function.inputs:
        text = clients[slot.binding.get("taskHub"), slot.binding.get("connectionName")]
        arguments[slot.name] = slot.converter.decode(Datum(text, "string"), trigger_metadata=None)
    if function.requires_context:
        arguments["context"] = run
    outs = {slot.name: Out() for slot in function.outputs}
    arguments.update(outs)
    return arguments, outs


def _trigger_value(slot: Slot, payload: Payload) -> Any:
    decode = slot.converter.decode
    match payload[0]:
        case "plain":
            return decode(Datum(payload[2], payload[1]), trigger_metadata={})
        case "http":
            return decode(_request(payload), trigger_metadata={})
        case "event":
            event = received(payload[2])
            return decode(Datum(event.body, "bytes"), trigger_metadata=event_metadata(event, payload[1]))
        case "events":
            events = [received(event) for event in payload[2]]
            metadata = batch_metadata(events, payload[1])
            if slot.converter.__name__ == "EventHubTriggerConverter":
                return event_objects(events, metadata, binary=True)
            return decode(batch_datum(events, binary=True), trigger_metadata=metadata)
    raise ValueError(f"a call of an unknown kind: {payload[0]!r}")


def _request(payload: Payload) -> Any:
    _, method, url, headers, query, params, body = payload
    return Datum(
        {
            "method": Datum(method, "string"),
            "url": Datum(url, "string"),
            "headers": _strings(headers),
            "query": _strings(query),
            "params": _strings(params),
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def _strings(values: Mapping[str, str]) -> dict[str, Any]:
    return {name: Datum(value, "string") for name, value in values.items()}
