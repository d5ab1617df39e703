"""What an entity's function is called with and what it answers, as host and worker tell each other.

The SDK has both as JSON text, in which the state and each input are JSON strings once more. That text is made only for
an SDK whose way with it is not known (`functions_host.worker.entities`).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from functions_host.durable.jsontext import compact, quote

# Id, name, input (JSON text) and whether nobody waits for its result.
Operation = tuple[str, str, str | None, bool]
# Whether it failed, and the JSON text of its result.
Result = tuple[bool, str | None]


class EntityCall(NamedTuple):
    """All that waits for one entity. `state`: JSON text, None if it has none."""

    name: str
    key: str
    exists: bool
    state: str | None
    operations: tuple[Operation, ...]

    def json(self) -> str:
        """The context as the SDK takes it."""
        operations = ",".join(
            f'{{"name":{quote(name)},"input":{quote(given)},'
            f'"isSignal":{"true" if signal else "false"},"id":{quote(id_)}}}'
            for id_, name, given, signal in self.operations
        )
        return (
            f'{{"self":{{"name":{quote(self.name)},"key":{quote(self.key)}}},'
            f'"exists":{"true" if self.exists else "false"},"state":{quote(self.state)},"batch":[{operations}]}}'
        )


class EntityAnswer(NamedTuple):
    """`state`: JSON text; None: nothing came of the call, the state stays as it was. `signals` as the SDK has them."""

    exists: bool
    state: str | None
    results: tuple[Result, ...]
    signals: tuple[dict[str, Any], ...] = ()

    @classmethod
    def parse(cls, text: str) -> EntityAnswer:
        """Of the SDK's JSON. Raises ValueError."""
        document = json.loads(text)
        state = document.get("entityState")
        return cls(
            bool(document.get("entityExists")),
            "null" if state is None else state,
            tuple((bool(one.get("isError")), one.get("result")) for one in document.get("results") or ()),
            tuple(document.get("signals") or ()),
        )

    @classmethod
    def failed(cls, text: str, operations: int) -> EntityAnswer:
        return cls(False, None, ((True, compact(text)),) * operations)
