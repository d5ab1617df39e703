"""An entity's operations run as the SDK's own handler runs them, without its context and its answer as JSON text.

Copied from azure-functions-durable; where the installed one differs from what was copied, its own handler runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from azure.functions import EntityContext

from functions_host.durable.acceleration import df_dumps
from functions_host.durable.acceleration.patches import ENTITY_HANDLER
from functions_host.durable.entity_calls import EntityAnswer, EntityCall
from functions_host.functions import LoadedFunction
from functions_host.payloads import Payload


def run(function: LoadedFunction, payload: Payload) -> EntityAnswer:
    """Raises whatever the handler raises."""
    entity = getattr(function.call, "entity_function", None)
    if entity is None or not _is_known():
        answer = function.call(EntityContext(EntityCall(*payload[1:]).json()))
        return EntityAnswer.parse(answer if isinstance(answer, str) else str(answer))
    return _handled(entity, payload)


def _handled(entity: Callable[[Any], None], payload: Payload) -> EntityAnswer:
    """`Entity.handle`, line by line."""
    context_class, internal = _sdk()
    _, own_name, key, exists, state, operations = payload
    context = context_class(own_name, key, exists, state)
    context._state_is_raw = state is not None
    results: list[tuple[bool, Any]] = []
    for _, name, given, _ in operations:
        result: Any = None
        failed = False
        try:
            context._operation = name
            context._input = given
            entity(context)
            result = context._result
        except internal:
            raise
        except Exception as error:
            failed, result = True, str(error)
        results.append((failed, result))
    state = context._state if context._state_is_raw else df_dumps(context._state)
    return EntityAnswer(bool(context._exists), state, tuple([(failed, df_dumps(result)) for failed, result in results]))


@lru_cache(maxsize=1)
def _sdk() -> tuple[Any, type[Exception]]:
    models = importlib.import_module("azure.durable_functions.models.DurableEntityContext")
    return models.DurableEntityContext, importlib.import_module(
        "azure.durable_functions.entity"
    ).InternalEntityException


@lru_cache(maxsize=1)
def _is_known() -> bool:
    return all(patch.is_known() for patch in ENTITY_HANDLER)
