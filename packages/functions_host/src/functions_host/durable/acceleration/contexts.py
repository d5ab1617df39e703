"""An orchestrator's context as the SDK makes it of the host's text, copied from azure-functions-durable.

The SDK sets an event's fields one by one by name, and looks at every event again for the time and the version that
are in the first two.
"""

from __future__ import annotations

import datetime
import importlib
from collections import defaultdict
from functools import lru_cache
from typing import Any

from azure.durable_functions.decorators.metadata import ActivityTrigger
from azure.durable_functions.models.actions.CallActivityAction import CallActivityAction
from azure.durable_functions.models.FunctionContext import FunctionContext
from azure.durable_functions.models.history.HistoryEvent import HistoryEvent
from azure.durable_functions.models.ReplaySchema import ReplaySchema
from azure.durable_functions.models.Task import AtomicTask
from azure.durable_functions.models.utils.type_discovery import activity_output_type
from azure.functions.decorators.function_app import FunctionBuilder

from functions_host.durable import events as ev
from functions_host.durable.acceleration.codec import plain_dumps
from functions_host.durable.acceleration.patches import CALL_ACTIVITY, CONTEXT, TIMESTAMPS

# The names `parse_timespan_attrib` and `dt_parse` there may be others' by now.
_contexts: Any = importlib.import_module(CONTEXT.module)
_events: Any = importlib.import_module(TIMESTAMPS.module)

_V1 = ReplaySchema.V1
_blank = object.__new__
_NAMED = frozenset({"EventType", "EventId", "IsPlayed", "Timestamp"})


def history_event(given: Any) -> Any:
    """``HistoryEvent(**given)``, without a call that takes the dictionary apart."""
    event = None
    if type(given) is dict and "self" not in given and "__setattr__" not in given:
        event = _blank(HistoryEvent)
        try:
            event._event_type = given["EventType"]
            event._event_id = given["EventId"]
            event._is_played = given["IsPlayed"]
            timestamp = given["Timestamp"]
        except KeyError:
            event = None
    if event is None:
        return HistoryEvent(**given)
    event._timestamp = _events.dt_parse(timestamp)
    event._is_processed = False
    event.Name = None
    event.InstanceId = None
    event.TaskScheduledId = None
    event.Reason = None
    event.Details = None
    event.Input = None
    if len(given) > len(_NAMED):
        for name in given:
            if name not in _NAMED:
                setattr(event, name, given[name])
    return event


def _schema(upper: Any, newer: Any) -> Any:
    schema = ReplaySchema(upper)
    if newer is not None and newer > schema.value:
        values = [member.value for member in ReplaySchema]
        return ReplaySchema(newer if newer in values else max(values))
    return schema


_known_schema = lru_cache(maxsize=64)(_schema)


def init(
    self: Any,
    history: list[Any],
    instanceId: str,
    isReplaying: bool,
    parentInstanceId: str,
    input: Any = None,
    upperSchemaVersion: int = 0,
    maximumShortTimerDuration: str | None = None,
    longRunningTimerIntervalDuration: str | None = None,
    upperSchemaVersionNew: int | None = None,
    **kwargs: Any,
) -> None:
    """`DurableOrchestrationContext.__init__`."""
    events = self._histories = [history_event(one) for one in history]
    self._instance_id = instanceId
    self._is_replaying = isReplaying
    self._parent_instance_id = parentInstanceId
    self._maximum_short_timer_duration = _timespan(maximumShortTimerDuration)
    self._long_timer_interval_duration = _timespan(longRunningTimerIntervalDuration)
    self._custom_status = None
    self._new_uuid_counter = 0
    self._sub_orchestrator_counter = 0
    self._continue_as_new_flag = False
    started = _first(events, ev.ORCHESTRATOR_STARTED)
    # Without one, the SDK's own list of them is empty.
    self.decision_started_event = started if started is not None else [][0]
    self._current_utc_datetime = started._timestamp
    self._function_context = FunctionContext(**kwargs)
    self._sequence_number = 0
    is_usual = type(upperSchemaVersion) is int and type(upperSchemaVersionNew) is int
    self._replay_schema = (_known_schema if is_usual else _schema)(upperSchemaVersion, upperSchemaVersionNew)
    self._action_payload_v1 = []
    self._action_payload_v2 = []
    self._input = plain_dumps(input) if isinstance(input, dict) else input
    self.open_tasks = defaultdict(list)
    self.deferred_tasks = {}
    execution = _first(events, ev.EXECUTION_STARTED)
    self._version = None if execution is None else execution.Version


def _first(events: list[Any], kind: int) -> Any:
    for event in events:
        if event._event_type == kind:
            return event
    return None


def _timespan(text: str | None) -> datetime.timedelta | None:
    return None if text is None else _contexts.parse_timespan_attrib(text)


def call_activity(self: Any, name: Any, input_: Any = None, expected_type: type | None = None) -> Any:
    """`DurableOrchestrationContext.call_activity`, for a name that is text or a function of the app's."""
    kind = type(name)
    if (kind is not str and kind is not FunctionBuilder) or self._replay_schema is _V1:
        return CALL_ACTIVITY.original(self, name, input_, expected_type)
    result_type = expected_type or None
    if kind is FunctionBuilder:
        result_type = result_type or activity_output_type(name)
        name = self._get_function_name(name, ActivityTrigger)
    task = AtomicTask(None, CallActivityAction(name, input_))
    task._expected_output_type = result_type
    return task


def install() -> None:
    CONTEXT.install(init)
    CALL_ACTIVITY.install(call_activity)
