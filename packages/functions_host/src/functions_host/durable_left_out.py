"""Activities and entities of the app that are not run: who calls one is told why, instead of waiting indefinitely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions_host.durable import UserFunctionError
from functions_host.durable.entity_calls import EntityCall
from functions_host.durable.runner import EntityFinished, FunctionRunner
from functions_host.selection import LeftOut


class BesideLeftOut:
    """A FunctionRunner over another one, which knows nothing of the functions left out."""

    def __init__(self, runner: FunctionRunner, left_out: Iterable[LeftOut]) -> None:
        self._runner = runner
        by_kind: dict[str, dict[str, LeftOut]] = {"activityTrigger": {}, "entityTrigger": {}}
        for function in left_out:
            by_kind.setdefault(function.kind, {})[function.durable_name] = function
        self._activities = by_kind["activityTrigger"]
        self._entities = by_kind["entityTrigger"]

    @property
    def orchestrators(self) -> Mapping[str, Any]:
        return self._runner.orchestrators

    @property
    def activities(self) -> Mapping[str, Any]:
        known = self._runner.activities
        return {**self._activities, **known} if self._activities else known

    @property
    def entities(self) -> Mapping[str, Any]:
        known = self._runner.entities
        return {**self._entities, **known} if self._entities else known

    async def run_orchestrator(self, name: str, context_json: str, instance_id: str) -> str:
        return await self._runner.run_orchestrator(name, context_json, instance_id)

    async def run_activity(self, name: str, input_json: str | None, instance_id: str) -> str | None:
        if name in self._activities:
            raise _refusal("activity", name, self._activities[name])
        return await self._runner.run_activity(name, input_json, instance_id)

    def start_entities(self, name: str, calls: Sequence[tuple[EntityCall, EntityFinished]], at_once: int) -> None:
        if name in self._entities:
            for _, finished in calls:
                finished(None, _refusal("entity", name, self._entities[name]))
        else:
            self._runner.start_entities(name, calls, at_once)


def _refusal(kind: str, name: str, function: LeftOut) -> UserFunctionError:
    text = f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function: {function.reason}."
    return UserFunctionError("ArgumentException", text)
