"""An orchestration that uses everything a crash could break: fan-out, timer, event, child, entity."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import datetime
from collections.abc import Generator
from typing import Any

import azure.durable_functions as df


def build(executions: list[str] | None = None) -> df.DFApp:
    """`executions` collects which activities ran, in order, with repetitions."""
    app = df.DFApp()
    ran = executions if executions is not None else []

    @app.activity_trigger(input_name="value")
    async def double(value: int) -> int:
        ran.append(f"double {value}")
        return value * 2

    @app.orchestration_trigger(context_name="context")
    def child(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        result = yield context.call_activity("double", context.get_input())
        return result

    @app.orchestration_trigger(context_name="context")
    def journey(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        fan = yield context.task_all([context.call_activity("double", n) for n in range(3)])
        context.set_custom_status("fanned out")
        yield context.create_timer(context.current_utc_datetime + datetime.timedelta(milliseconds=20))
        event = yield context.wait_for_external_event("go")
        nested = yield context.call_sub_orchestrator("child", 21, f"{context.instance_id}-child")
        total = df.EntityId("total", "one")
        context.signal_entity(total, "add", 5)
        context.signal_entity(total, "add", 7)
        value = yield context.call_entity(total, "get")
        return {"fan": fan, "event": event, "nested": nested, "value": value}

    @app.entity_trigger(context_name="context")
    def total(context: df.DurableEntityContext) -> None:
        state = context.get_state(lambda: 0)
        if context.operation_name == "add":
            state += context.get_input()
            context.set_state(state)
        context.set_result(state)

    return app


OUTPUT = {"fan": [0, 2, 4], "event": "now", "nested": 42, "value": 12}
EXECUTIONS = ["double 0", "double 1", "double 2", "double 21"]
EVENTS = [
    "ExecutionStarted",
    "TaskCompleted",
    "TaskCompleted",
    "TaskCompleted",
    "TimerCreated",
    "TimerFired",
    "EventRaised",
    "SubOrchestrationInstanceCompleted",
    "EventSent",
    "EventSent",
    "EventSent",
    "EventRaised",
    "ExecutionCompleted",
]
