"""Orchestrators and histories that an orchestrator's step is compared over."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import datetime
import json
from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

TIME = "2026-01-01T00:00:{:02}.1234567Z"


def event(kind: Any, number: int = -1, second: int = 0, **more: Any) -> dict[str, Any]:
    return {"EventType": kind, "EventId": number, "IsPlayed": False, "Timestamp": TIME.format(second), **more}


def completed(task: Any, result: Any = 1, **more: Any) -> dict[str, Any]:
    return event(5, TaskScheduledId=task, Result=json.dumps(result), **more)


BEGIN = (event(12), event(0, Name="o", Version="2", Input=None))
FAILED = event(6, TaskScheduledId=0, Reason="bad", Details="much")


def context(*events: Any, **more: Any) -> str:
    document = {
        "history": [*BEGIN, *events],
        "input": "3",
        "instanceId": "i",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 3,
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "maximumShortTimerDuration": "6.00:00:00",
        "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
        **more,
    }
    return json.dumps(document)


class Own:
    """Of an app, which the SDK serialises by its own methods."""

    @staticmethod
    def to_json(_: Own) -> str:
        return "own"


Steps = Generator[Any, Any, Any]


def in_turn(context: Any) -> Steps:
    found = [context.is_replaying, str(context.current_utc_datetime), context.version]
    for number in range(3):
        try:
            found.append((yield context.call_activity("a", {"n": number, "é": 10**25})))
        except Exception as error:
            found.append(str(error))
        found.append((context.is_replaying, str(context.current_utc_datetime), str(context.new_uuid())))
        context.set_custom_status(number and {"at": number})
    return found


def fails(context: Any) -> Steps:
    yield context.call_activity("a", context.get_input())
    raise ValueError


def refuses_its_input(context: Any) -> Steps:
    yield context.call_activity("a", object())


def nameless(context: Any) -> Steps:
    yield context.call_activity("")


def of_a_function(context: Any) -> Steps:
    yield context.call_activity(print, 1)


def of_a_typed_activity(context: Any) -> Steps:
    return (yield context.call_activity("a", None, list))


APP = df.DFApp()


@APP.activity_trigger(input_name="given")
def counts(given: Any) -> list:  # type: ignore[type-arg]
    return []


@APP.orchestration_trigger(context_name="context")
def another(context: Any) -> Steps:
    yield context.call_activity("a")


def of_the_app_s_own(context: Any) -> Steps:
    found = yield context.call_activity(counts, 1)
    typed = context.call_activity(counts, 2, dict)
    return [found, typed._expected_output_type.__name__, (yield typed)]


def of_another_kind(context: Any) -> Steps:
    yield context.call_activity(another, 1)


def yields_nothing(context: Any) -> Steps:
    yield None
    yield context.call_activity("a")


def yields_a_number(context: Any) -> Steps:
    yield 5


def again_and_again(context: Any) -> Steps:
    one, other = context.call_activity("a", 1), context.call_activity("b", 2)
    return [(yield one), (yield one), (yield other), (yield one), (yield context.task_all([one, other]))]


def deep(context: Any) -> Steps:
    one = context.call_activity("a", 1)
    for _ in range(3000):
        yield one


def together(context: Any) -> Steps:
    first = yield context.task_any([context.call_activity("a", 1), context.wait_for_external_event("go")])
    rest = yield context.task_all([context.call_activity("b", 2), context.call_sub_orchestrator("s", 3, "x")])
    return [str(first.result), rest]


def with_retries(context: Any) -> Steps:
    return (yield context.call_activity_with_retry("a", df.RetryOptions(5, 2), "x"))


def by_events(context: Any) -> Steps:
    same = [context.wait_for_external_event("go") for _ in range(2)]
    first = yield context.task_any(same)
    return [str(first.result), (yield context.wait_for_external_event("go")), (yield context.call_activity("a"))]


def by_entities(context: Any) -> Steps:
    context.signal_entity(df.EntityId("e", "k"), "add", 1)
    return (yield context.call_entity(df.EntityId("e", "k"), "get"))


def with_timers(context: Any) -> Steps:
    soon = context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=1))
    late = context.create_timer(context.current_utc_datetime + datetime.timedelta(days=9))
    first = yield context.task_any([soon, late])
    late.cancel()
    soon.cancel()
    return first is soon


def continues(context: Any) -> Steps:
    yield context.call_activity("a", 1)
    context.continue_as_new({"n": 1})
    yield context.call_activity("a", 2)


def continues_at_once(context: Any) -> Any:
    context.continue_as_new(1)
    return in_turn(context)


def plain(context: Any) -> Any:
    return [context.instance_id, context.get_input(), context.is_replaying]


def plain_and_broken(context: Any) -> Any:
    raise KeyError("no generator")


def returns_its_own(context: Any) -> Steps:
    context.set_custom_status(Own())
    yield context.call_activity("a", Own())
    return Own()


def returns_a_cycle(context: Any) -> Steps:
    cycle: list[Any] = []
    cycle.append(cycle)
    yield context.call_activity("a", 10**4000)
    return cycle


def stops(context: Any) -> Steps:
    yield context.call_activity("a", 1)
    raise StopIteration(3)


HISTORIES: dict[str, tuple[Any, ...]] = {
    "nothing yet": (),
    "one": (completed(0),),
    "three": (completed(0, [1, {"a": None}]), event(13), event(12, second=5), completed(1), completed(2, None)),
    "played": (completed(0, IsPlayed=True), event(13, IsPlayed=True), event(12, second=2), completed(1)),
    "failed": (FAILED, event(13), event(12, second=3), completed(1)),
    "failed and tried": (FAILED, event(11, TimerId=1), completed(2)),
    "scheduled": (event(4, 0, Name="a"), event(10, 1), event(7, 2), event(99), event(17), completed(0)),
    "twice": (completed(0), completed(0, 2), completed(1), completed(1)),
    "too early": (completed(1, "early"), completed(0)),
    "of no task": (completed(7),),
    "without result": (event(5, TaskScheduledId=0, Result=None),),
    "without the field": (event(5, TaskScheduledId=0),),
    "without a task": (event(11),),
    "of a list": (completed([1]),),
    "no JSON": (event(5, TaskScheduledId=0, Result="{"),),
    "a class": (completed(0, {"__class__": "X", "__module__": "no.such", "__data__": 1}),),
    "timers": (event(11, TimerId=0), event(12, second=9), event(11, TimerId=1)),
    "children": (completed(0), event(8, TaskScheduledId=2, Result="[]"), completed(1, "b")),
    "child failed": (completed(0), event(9, TaskScheduledId=2, Reason=None, Details=""), completed(1, "b")),
    "events": tuple(event(15, Name="go", Input=json.dumps(n)) for n in range(4)),
    "empty event": (event(15, Name="go", Input=None), completed(0)),
    "entity": (
        event(14, 1, Input='{"id": "g"}', Name="op"),
        event(15, Name="g", Input='{"result": "4", "exceptionType": null}'),
    ),
    "entity broken": (
        event(14, 1, Input='{"id": "g"}', Name="op"),
        event(15, Name="g", Input='{"result": "\\"bad\\"", "exceptionType": "E"}'),
    ),
    "sent elsewhere": (event(14, 0, Input="{}", Name="op"), completed(0)),
    "anew": (completed(0), event(16), event(0), completed(1)),
    "kinds of no number": (
        event("5"),
        event(None),
        event(5.0, TaskScheduledId=0, Result="1"),
        event(12.0),
        event(True),
    ),
    "a kind that is a list": (event([5]),),
    "times": (event(12, second=50), completed(0), event(12, second=10), completed(1)),
    "time without zone": (event(12, Timestamp="2026-01-01T00:00:09"), completed(0)),
    "ended": (completed(0), event(1), event(3, Input="x"), event(19, Reason=""), event(20, Reason=""), event(2)),
}
ORCHESTRATORS = (
    in_turn, fails, refuses_its_input, nameless, of_a_function, of_a_typed_activity, of_the_app_s_own,
    of_another_kind, yields_nothing, yields_a_number, again_and_again, together, with_retries, by_events, by_entities,
    with_timers, continues, continues_at_once, plain, plain_and_broken, returns_its_own, returns_a_cycle, stops,
)  # fmt: skip
