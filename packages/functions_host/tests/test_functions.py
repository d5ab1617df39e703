"""Indexing: what the Python worker accepts is accepted, what it or this host refuses is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, List  # noqa: UP035

import azure.durable_functions as df
import azure.functions as func
import pytest
from functions_host.errors import StartError
from functions_host.functions import LoadedFunction, index


def indexed(build: Callable[[df.DFApp], Any]) -> dict[str, LoadedFunction]:
    app = df.DFApp()
    build(app)
    return {function.name: function for function in index(app.get_functions())}


def test_triggers_and_bindings_are_described() -> None:
    def build(app: df.DFApp) -> None:
        @app.route(route="start/{id}", methods=["POST"])
        @app.durable_client_input(client_name="client")
        @app.event_hub_output(arg_name="out", event_hub_name="hub", connection="C")
        async def start(req: func.HttpRequest, client: Any, out: func.Out[str], context: func.Context) -> str: ...

        @app.orchestration_trigger(context_name="context", orchestration="Renamed")
        def orchestrate(context: df.DurableOrchestrationContext) -> Any:
            yield

        @app.activity_trigger(input_name="word")
        def shout(word: str) -> str: ...

        @app.entity_trigger(context_name="context", entity_name="Counter")
        def count(context: df.DurableEntityContext) -> None: ...

    functions = indexed(build)
    start = functions["start"]
    assert (start.kind, start.is_async, start.requires_context) == ("httpTrigger", True, True)
    assert start.trigger["route"] == "start/{id}"
    assert start.trigger["methods"] == ["POST"]
    assert [slot.name for slot in start.inputs] == ["client"]
    assert [slot.name for slot in start.outputs] == ["out"]
    assert start.returns is not None
    assert start.returns.binding["type"] == "http"
    assert functions["orchestrate"].durable_name == "Renamed"
    assert functions["count"].durable_name == "Counter"
    assert functions["shout"].durable_name == "shout"
    assert not functions["shout"].is_async


def _extra_parameter(app: df.DFApp) -> None:
    @app.route(route="a")
    def f(req: func.HttpRequest, other: str) -> str: ...


def _missing_parameter(app: df.DFApp) -> None:
    @app.route(route="a", trigger_arg_name="request")
    def f(req: func.HttpRequest) -> str: ...


def _wrong_annotation(app: df.DFApp) -> None:
    @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
    def f(tick: func.HttpRequest) -> None: ...


def _wrong_context(app: df.DFApp) -> None:
    @app.route(route="a")
    def f(req: func.HttpRequest, context: int) -> str: ...


def _output_not_out(app: df.DFApp) -> None:
    @app.route(route="a")
    @app.event_hub_output(arg_name="out", event_hub_name="hub", connection="C")
    def f(req: func.HttpRequest, out: str) -> str: ...


def _input_as_out(app: df.DFApp) -> None:
    @app.route(route="a")
    def f(req: func.Out[func.HttpRequest]) -> str: ...


def _builtin_list(app: df.DFApp) -> None:
    @app.event_hub_message_trigger(arg_name="events", event_hub_name="h", connection="C", cardinality="many")
    def f(events: list[func.EventHubEvent]) -> None: ...


def _wrong_return(app: df.DFApp) -> None:
    @app.route(route="a")
    def f(req: func.HttpRequest) -> int: ...


def _context_by_another_name(app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="ctx")
    def f(ctx: df.DurableOrchestrationContext) -> Any:
        yield


def _retry_with_fractions(app: df.DFApp) -> None:
    @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
    @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:00.5")
    def f(tick: func.TimerRequest) -> None: ...


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (_extra_parameter, "no binding: other"),
        (_missing_parameter, "no binding: req"),
        (_wrong_annotation, "timerTrigger"),
        (_wrong_context, "context"),
        (_output_not_out, r"func\.Out"),
        (_input_as_out, "an input"),
        (_builtin_list, r"typing\.List"),
        (_wrong_return, "'http'"),
        (_context_by_another_name, "context_name must be 'context'"),
        (_retry_with_fractions, "HH:MM:SS"),
    ],
)
def test_what_the_worker_would_not_load_is_refused(build: Callable[[df.DFApp], None], message: str) -> None:
    with pytest.raises(StartError, match=message) as caught:
        indexed(build)
    assert "function 'f'" in str(caught.value)


def test_typing_list_of_events_is_accepted() -> None:
    def build(app: df.DFApp) -> None:
        @app.event_hub_message_trigger(arg_name="events", event_hub_name="h", connection="C", cardinality="many")
        @app.retry(
            strategy="exponential_backoff",
            max_retry_count="-1",
            minimum_interval="00:00:01",
            maximum_interval="00:01:00",
        )
        def f(events: List[func.EventHubEvent]) -> None: ...  # noqa: UP006

    function = indexed(build)["f"]
    assert function.trigger["cardinality"] == "MANY"
    assert function.retry is not None
    assert (function.retry.max_retries, function.retry.maximum) == (-1, 60)


@pytest.mark.parametrize(
    ("given", "many"), [({}, False), ({"cardinality": "one"}, False), ({"cardinality": "many"}, True)]
)
def test_without_a_cardinality_events_come_one_a_call(given: dict[str, Any], many: bool) -> None:
    def build(app: df.DFApp) -> None:
        @app.event_hub_message_trigger(arg_name="event", event_hub_name="h", connection="C", **given)
        def f(event: func.EventHubEvent) -> None: ...

    assert indexed(build)["f"].takes_many is many
