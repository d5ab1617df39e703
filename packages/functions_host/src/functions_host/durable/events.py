"""History events as JSON text, keys in the order of the real extension.

Incoming events (what happened to the instance) are a `(head, tail)` pair around the value of IsPlayed: false in the
episode that brings them, true in every later one. Events the orchestration itself causes are never played.
"""

from __future__ import annotations

from functions_host.durable.clock import wire
from functions_host.durable.jsontext import quote

Incoming = tuple[str, str]

EXECUTION_STARTED = 0
EXECUTION_COMPLETED = 1
EXECUTION_TERMINATED = 3
TASK_SCHEDULED = 4
TASK_COMPLETED = 5
TASK_FAILED = 6
SUB_CREATED = 7
SUB_COMPLETED = 8
SUB_FAILED = 9
TIMER_CREATED = 10
TIMER_FIRED = 11
ORCHESTRATOR_STARTED = 12
ORCHESTRATOR_COMPLETED = 13
EVENT_SENT = 14
EVENT_RAISED = 15
GENERIC = 17
SUSPENDED = 19
RESUMED = 20

NAMES = {
    EXECUTION_STARTED: "ExecutionStarted",
    EXECUTION_COMPLETED: "ExecutionCompleted",
    EXECUTION_TERMINATED: "ExecutionTerminated",
    TASK_SCHEDULED: "TaskScheduled",
    TASK_COMPLETED: "TaskCompleted",
    TASK_FAILED: "TaskFailed",
    SUB_CREATED: "SubOrchestrationInstanceCreated",
    SUB_COMPLETED: "SubOrchestrationInstanceCompleted",
    SUB_FAILED: "SubOrchestrationInstanceFailed",
    TIMER_CREATED: "TimerCreated",
    TIMER_FIRED: "TimerFired",
    ORCHESTRATOR_STARTED: "OrchestratorStarted",
    ORCHESTRATOR_COMPLETED: "OrchestratorCompleted",
    EVENT_SENT: "EventSent",
    EVENT_RAISED: "EventRaised",
    GENERIC: "GenericEvent",
    SUSPENDED: "ExecutionSuspended",
    RESUMED: "ExecutionResumed",
}


def render(event: Incoming, played: bool) -> str:
    """Text of an incoming event."""
    return f"{event[0]}{'true' if played else 'false'}{event[1]}"


def _incoming(start: str, at: int) -> Incoming:
    return start + ',"EventId":-1,"IsPlayed":', f',"Timestamp":"{wire(at)}"}}'


def orchestrator_started(at: int) -> str:
    return f'{{"EventType":12,"EventId":-1,"IsPlayed":false,"Timestamp":"{wire(at)}"}}'


def orchestrator_completed(at: int, played: bool = False) -> str:
    flag = "true" if played else "false"
    return f'{{"EventType":13,"EventId":-1,"IsPlayed":{flag},"Timestamp":"{wire(at)}"}}'


def execution_started(
    instance_id: str,
    execution_id: str,
    name: str,
    version: str | None,
    input_text: str | None,
    parent: str,
    generation: int | None,
    at: int,
) -> Incoming:
    """`parent` is the ParentInstance JSON or ``null``; `input_text` the raw JSON, which the event holds as a string."""
    return _incoming(
        f'{{"OrchestrationInstance":{{"InstanceId":{quote(instance_id)},"ExecutionId":"{execution_id}"}},"EventType":0,'
        f'"ParentInstance":{parent},"Name":{quote(name)},"Version":{quote(version)},"Input":{quote(input_text)},'
        '"Tags":null,"Correlation":null,"ParentTraceContext":null,"ScheduledStartTime":null,'
        f'"Generation":{"null" if generation is None else generation},"GenerateNewTrace":false',
        at,
    )


def task_scheduled(event_id: int, name: str, at: int) -> str:
    return (
        f'{{"EventType":4,"Name":{quote(name)},"Version":"","Input":null,"ParentTraceContext":null,"Tags":null,'
        f'"EventId":{event_id},"IsPlayed":false,"Timestamp":"{wire(at)}"}}'
    )


def task_completed(task_id: int, result: str | None, at: int) -> Incoming:
    return _incoming(f'{{"EventType":5,"TaskScheduledId":{task_id},"Result":{quote(result)}', at)


def task_failed(task_id: int, reason: str, details: str | None, at: int) -> Incoming:
    return _incoming(
        f'{{"EventType":6,"TaskScheduledId":{task_id},"Reason":{quote(reason)},"Details":{quote(details)},'
        '"FailureDetails":null',
        at,
    )


def sub_created(event_id: int, name: str, version: str | None, instance_id: str, at: int) -> str:
    return (
        f'{{"EventType":7,"Name":{quote(name)},"Version":{quote(version)},"InstanceId":{quote(instance_id)},'
        f'"Input":null,"ClientSpanId":null,"Tags":null,"EventId":{event_id},"IsPlayed":false,"Timestamp":"{wire(at)}"}}'
    )


def sub_completed(task_id: int, result: str | None, at: int) -> Incoming:
    return _incoming(f'{{"EventType":8,"TaskScheduledId":{task_id},"Result":{quote(result)}', at)


def sub_failed(task_id: int, reason: str, details: str | None, at: int) -> Incoming:
    return _incoming(
        f'{{"EventType":9,"TaskScheduledId":{task_id},"Reason":{quote(reason)},"Details":{quote(details)},'
        '"FailureDetails":null',
        at,
    )


def timer_created(event_id: int, fire_at: int, at: int) -> str:
    return (
        f'{{"EventType":10,"FireAt":"{wire(fire_at)}","EventId":{event_id},"IsPlayed":false,"Timestamp":"{wire(at)}"}}'
    )


def timer_fired(timer_id: int, fire_at: int, created_at: int) -> Incoming:
    """Its Timestamp is the timer's creation, as on the real one: the present is the episode's start."""
    return _incoming(f'{{"EventType":11,"TimerId":{timer_id},"FireAt":"{wire(fire_at)}"', created_at)


def event_sent(event_id: int, target: str, name: str, input_text: str, at: int) -> str:
    return (
        f'{{"EventType":14,"InstanceId":{quote(target)},"Name":{quote(name)},"Input":{quote(input_text)},'
        f'"EventId":{event_id},"IsPlayed":false,"Timestamp":"{wire(at)}"}}'
    )


def event_raised(name: str, input_text: str | None, at: int) -> Incoming:
    return _incoming(f'{{"EventType":15,"Name":{quote(name)},"Input":{quote(input_text)},"ParentTraceContext":null', at)


def rewound(reason: str | None, at: int) -> Incoming:
    return (
        f'{{"Data":{quote(reason)},"EventType":17,"EventId":-1,"IsPlayed":',
        f',"Timestamp":"{wire(at)}"}}',
    )


def terminated(reason: str | None, at: int) -> Incoming:
    return _incoming(f'{{"EventType":3,"Input":{quote(reason)}', at)


def suspended(reason: str | None, at: int) -> Incoming:
    return _incoming(f'{{"EventType":19,"Reason":{quote(reason)}', at)


def resumed(reason: str | None, at: int) -> Incoming:
    return _incoming(f'{{"EventType":20,"Reason":{quote(reason)}', at)


def execution_completed(event_id: int, status: str, result: str | None, at: int) -> str:
    """Only the management API shows it: no context is made after it."""
    return (
        f'{{"EventType":1,"OrchestrationStatus":"{status}","Result":{quote(result)},"FailureDetails":null,'
        f'"EventId":{event_id},"IsPlayed":false,"Timestamp":"{wire(at)}"}}'
    )
