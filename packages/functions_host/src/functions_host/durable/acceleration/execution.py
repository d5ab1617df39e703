"""One step of an orchestrator as the SDK's executor walks it, copied from azure-functions-durable.

The SDK asks every event of the history a dozen questions, most of them of enum members, whose comparisons are slow;
and it makes each action and its answer by attributes' names. Here an event's number says at once what it does. What is
rare is left to the SDK's own methods. Every step still begins at the history's first event.
"""

from __future__ import annotations

import importlib
from types import GeneratorType
from typing import Any

from azure.durable_functions.models.actions.Action import Action
from azure.durable_functions.models.actions.CallActivityAction import CallActivityAction
from azure.durable_functions.models.ReplaySchema import ReplaySchema
from azure.durable_functions.models.Task import AtomicTask, TaskBase, TaskState, TimerTask

from functions_host.durable import events as ev
from functions_host.durable.acceleration.codec import plain_dumps
from functions_host.durable.acceleration.patches import ANSWER, EXECUTE, EXECUTOR, RESUME

# The name `df_loads` there may be another's by now.
_executor: Any = importlib.import_module(EXECUTE.module)

_made = _executor.TaskOrchestrationExecutor()
_payloads: dict[Any, Any] = _made.event_to_SetTaskValuePayload
_completions: set[Any] = _made.task_completion_events
_V1 = ReplaySchema.V1
_RUNNING, _SUCCEEDED, _FAILED = TaskState.RUNNING, TaskState.SUCCEEDED, TaskState.FAILED
_CALL_ENTITY = "CallEntityAction"
# Is it a success, the attribute with the task's id, and the one with the value.
_ENDS = {
    ev.TASK_COMPLETED: (True, "TaskScheduledId", "Result"),
    ev.TASK_FAILED: (False, "TaskScheduledId", None),
    ev.SUB_COMPLETED: (True, "TaskScheduledId", "Result"),
    ev.SUB_FAILED: (False, "TaskScheduledId", None),
    ev.TIMER_FIRED: (True, "TimerId", None),
    ev.EVENT_RAISED: (True, "Name", "Input"),
}
_CONTINUED = 16
_RARE = frozenset({ev.EVENT_SENT, _CONTINUED})


def init(self: Any) -> None:
    """`TaskOrchestrationExecutor.__init__`, which makes two collections of enum members, whose hashes are slow."""
    self.event_to_SetTaskValuePayload = _payloads.copy()
    self.task_completion_events = _completions.copy()
    self.initialize()


def execute(self: Any, context: Any, history: list[Any], fn: Any) -> str:
    """`TaskOrchestrationExecutor.execute`."""
    if len(history) < 2:
        refused: str = EXECUTE.original(self, context, history, fn)
        return refused
    self.context = context
    evaluated = fn(context)
    new_from = -1
    for index in range(len(history) - 1, -1, -1):
        if history[index]._event_type == ev.ORCHESTRATOR_STARTED:
            new_from = index
            break
    self._new_events_start_index = new_from
    self.current_task.is_played = history[1]._is_played or new_from > 0
    if isinstance(evaluated, GeneratorType):
        self.generator = evaluated
        _walk(self, context, history, new_from)
    elif not context._continue_as_new_flag:
        self.orchestrator_returned = True
        self.output = evaluated
    answer: str = self.get_orchestrator_state_str()
    return answer


def _walk(self: Any, context: Any, history: list[Any], new_from: int) -> None:
    resume = self.resume_user_code
    for index, event in enumerate(history):
        if index >= new_from:
            self._is_processing_new_events = True
        kind = event._event_type
        if type(kind) is not int or kind in _RARE:
            self.process_event(event)
        elif kind == ev.ORCHESTRATOR_STARTED:
            if event._timestamp > context._current_utc_datetime:
                context._current_utc_datetime = event._timestamp
        elif kind in _ENDS:
            _end_task(self, context, event, kind)
            resume()
        elif kind == ev.EXECUTION_STARTED:
            resume()
        if self.orchestrator_returned or context._continue_as_new_flag or self.exception is not None:
            return


def _end_task(self: Any, context: Any, event: Any, kind: int) -> None:
    """`set_task_value`, for a task that is not one of several of its name."""
    is_success, id_key, value_key = _ENDS[kind]
    key = getattr(event, id_key)
    open_tasks = context.open_tasks
    task: Any = open_tasks.get(key) if isinstance(key, (int, str)) else None
    if (type(task) is not AtomicTask and type(task) is not TimerTask) or task._api_name == _CALL_ENTITY:
        self.set_task_value(event, is_success, id_key)
        return
    del open_tasks[key]
    value: Any = None
    if not is_success:
        value = Exception(f"{event.Reason} \n {event.Details}")
    elif value_key is not None:
        text = getattr(event, value_key)
        if text is not None:
            value = _executor.df_loads(text, expected_type=task._expected_output_type)
    task.is_played = event._is_played or not self._is_processing_new_events
    if task.parent is None:
        task.state = _SUCCEEDED if is_success else _FAILED
        task.result = value
    else:
        task.set_value(is_error=not is_success, value=value)


def resume_user_code(self: Any) -> None:
    """`TaskOrchestrationExecutor.resume_user_code`; as deep in calls, for their depth has a limit that a long walk over
    tasks that are done comes to.
    """
    current = self.current_task
    context = self.context
    context._set_is_replaying(current.is_played)
    state = current.state
    if state is _RUNNING:
        return
    task = None
    try:
        value = current.result
        task = self.generator.send(value) if state is _SUCCEEDED else self.generator.throw(value)
        if isinstance(task, TaskBase) and not task._is_scheduled:
            if type(task) is AtomicTask and task.id is None and not context.deferred_tasks:
                number = task.id = context._sequence_number
                context._sequence_number = number + 1
                context.open_tasks[number] = task
            else:
                context._add_to_open_tasks(task)
    except StopIteration as stop:
        self.orchestrator_returned = True
        self.output = stop.value
    except Exception as error:
        self.exception = error
    self.current_task = task
    if task is not None:
        if not task._is_scheduled:
            action = task.action_repr
            if type(task) is AtomicTask and context._replay_schema is not _V1 and isinstance(action, Action):
                if not context._continue_as_new_flag:
                    context._action_payload_v2.append(action)
                task._is_scheduled_flag = True
            else:
                context._add_to_actions(action)
                self._mark_as_scheduled(task)
        if task.state is not _RUNNING:
            self.resume_user_code()


def get_orchestrator_state_str(self: Any) -> str:
    """`TaskOrchestrationExecutor.get_orchestrator_state_str`; failures, and what is not plain JSON, are the SDK's."""
    context = self.context
    if self.exception is None and context._replay_schema is not _V1:
        document = {
            "isDone": self.orchestrator_returned or context._continue_as_new_flag,
            "schemaVersion": context._replay_schema.value,
            "actions": [[_action(action) for action in context._action_payload_v2]],
        }
        if self.output is not None:
            document["output"] = self.output
        if context._custom_status:
            document["customStatus"] = context._custom_status
        try:
            return plain_dumps(document)
        except Exception:
            pass
    answer: str = ANSWER.original(self)
    return answer


def _action(action: Any) -> Any:
    if type(action) is CallActivityAction:
        return {"actionType": 0, "functionName": action.function_name, "input": action.input_}
    return action.to_json()


def install() -> None:
    EXECUTOR.install(init)
    EXECUTE.install(execute)
    RESUME.install(resume_user_code)
    ANSWER.install(get_orchestrator_state_str)
