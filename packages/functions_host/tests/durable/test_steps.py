"""An orchestrator's step comes to the same by the quicker walk as by the SDK's own, whatever is in the history."""

from __future__ import annotations

import importlib
import json
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest
from azure.durable_functions.models.history import HistoryEvent
from functions_host.durable.acceleration import install_codec, install_executor, install_timestamps
from functions_host.durable.acceleration.patches import ALL, CONTEXT, EXECUTE, STEPS

from . import recorded_app, step_cases
from .durable_support import AppRunner
from .recorded import FOLDER, load
from .step_cases import BEGIN, HISTORIES, ORCHESTRATORS, completed, context, deep, event, fails, in_turn, plain
from .test_random_orchestrations import Maker, build

CONTEXTS = importlib.import_module(CONTEXT.module)
HostMaker = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick() -> None:
    install_timestamps()
    install_executor()
    install_codec()
    assert EXECUTE.original is not None


@contextmanager
def the_sdk_s_own() -> Iterator[None]:
    stand_ins = [(patch, getattr(*patch._place())) for patch in ALL if patch.original is not None]
    for patch, _ in stand_ins:
        patch.uninstall()
    try:
        yield
    finally:
        for patch, stand_in in stand_ins:
            patch.install(stand_in)


def outcome(call: Callable[[], Any]) -> Any:
    """What it returned or raised, with the frames of the orchestrator's file, and what it warned of and where."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as error:
            chain: list[Any] = []
            one: BaseException | None = error
            while one is not None:
                frames = [
                    frame for frame in traceback.extract_tb(one.__traceback__) if frame.filename == step_cases.__file__
                ]
                chain.append((type(one), str(one), [(frame.name, frame.lineno) for frame in frames]))
                one = one.__cause__ or one.__context__
            result = chain
    told = [(str(one.message), one.category, one.filename, one.lineno) for one in caught]
    return result, [one for one in told if "expected_type" not in one[0]]


def both(call: Callable[[], Any]) -> Any:
    quick = outcome(call)
    with the_sdk_s_own():
        assert quick == outcome(call)
    return quick[0]


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("orchestrator", ORCHESTRATORS, ids=lambda one: one.__name__)
def test_each_history_leads_each_orchestrator_to_the_same(orchestrator: Callable[[Any], Any], history: str) -> None:
    handle = df.Orchestrator.create(orchestrator)
    for version in ({}, {"upperSchemaVersion": 0, "upperSchemaVersionNew": None}, {"upperSchemaVersionNew": 9}):
        text = context(*HISTORIES[history], **version)
        both(lambda text=text: handle(func.OrchestrationContext(text)))  # type: ignore[misc]


def test_results_are_those_that_are_expected() -> None:
    handle = df.Orchestrator.create(in_turn)
    answer = json.loads(both(lambda: handle(context(*HISTORIES["failed"], completed(2)))))
    assert (answer["isDone"], answer["customStatus"], len(answer["actions"][0])) == (True, {"at": 2}, 3)
    assert answer["output"][3] == "bad \n much"
    error = both(lambda: df.Orchestrator.create(fails)(context(completed(0))))[1]
    assert (error[0], [name for name, _ in error[2]]) == (ValueError, ["fails"])


def test_a_walk_too_deep_for_the_sdk_is_too_deep_here() -> None:
    answer = both(lambda: df.Orchestrator.create(deep)(context(completed(0))))
    # Caught or not, as the limit is met inside the orchestrator's call or outside: that differs by Python's version.
    assert answer[-1][0] is RecursionError


@pytest.mark.parametrize(
    "more",
    [
        {"history": []},
        {"history": list(BEGIN[:1])},
        {"history": [BEGIN[1], BEGIN[0]]},
        {"history": [BEGIN[1], BEGIN[1]]},
        {"history": None},
        {"history": [BEGIN[0], event(0, Name="o")]},
        {"input": {"a": [1]}},
        {"input": None},
        {"upperSchemaVersion": 7},
        {"upperSchemaVersion": [1]},
        {"upperSchemaVersion": None},
        {"upperSchemaVersionNew": "3"},
        {"upperSchemaVersionNew": 1.5},
        {"maximumShortTimerDuration": None, "longRunningTimerIntervalDuration": "x"},
        {"own": {"field": 1}, "__class__": 3},
    ],
    ids=str,
)
def test_each_context_is_what_the_sdk_makes_of_it(more: dict[str, Any]) -> None:
    def fields() -> Any:
        made = vars(df.DurableOrchestrationContext.from_json(context(**more)))
        made["_histories"] = [list(vars(one).items()) for one in made["_histories"]]
        made["decision_started_event"] = vars(made["decision_started_event"])
        made["_function_context"] = vars(made["_function_context"])
        return list(made.items())

    for call in (fields, lambda: df.Orchestrator.create(plain)(context(**more))):
        both(call)


@pytest.mark.parametrize(
    "given",
    [
        *BEGIN, completed(0), event(5, Name=[1], Input=2, Details={}), event(5, is_processed=True),
        event(5, event_type=3), event(5, timestamp=3), event(5, _event_type=9, _is_processed=4, _timestamp=None),
        event(5, __class__=3), event(5, __dict__={"a": 1}), event(5, __doc__="x"), event(5, __weakref__=None),
        event(5, self=1), {**event(5), "__setattr__": 1, "b": 2}, {**event(5), "not a name": 1, "": 2, "é": 3},
        {}, {"EventType": 5}, {**event(5), "Timestamp": "soon"}, {**event(5), "Timestamp": ""}, [], None, "EventType",
    ],
    ids=str,
)  # fmt: skip
def test_each_event_is_what_the_sdk_makes_of_it(given: Any) -> None:
    from functions_host.durable.acceleration.contexts import history_event

    def told(make: Callable[[], Any]) -> Any:
        got = outcome(lambda: list(vars(make()).items()))[0]
        return [one[:2] for one in got] if isinstance(got[0], tuple) and isinstance(got[0][0], type) else got

    quick = told(lambda: history_event(given))
    with the_sdk_s_own():
        slow = told(lambda: HistoryEvent(**given))
    assert str(quick) == str(slow)


@pytest.mark.parametrize("seed", range(4))
async def test_random_programs_step_alike(host: HostMaker, seed: int) -> None:
    maker = Maker(100 + seed)
    programs = [maker.program() for _ in range(8)]
    one = await host(build({}), accelerate=True)
    for number, program in enumerate(programs):
        await one.start_new("program", f"p{number}", program)
    for number in range(len(programs)):
        await one.end_of(f"p{number}")
    await one.quiet()
    steps = [step for step in one.runner.contexts if step[0] == "orchestrator"]
    assert len(steps) > 20
    handle = one.runner.orchestrators["program"]
    with the_sdk_s_own():
        for _, _, text, answer in steps:
            assert handle(func.OrchestrationContext(text)) == answer


def test_recorded_steps_are_alike() -> None:
    runner = AppRunner(recorded_app.build())
    for path in sorted(FOLDER.glob("*.json")):
        for exchange in load(path.stem):
            if exchange["kind"] == "orchestrator" and exchange["name"] in runner.orchestrators:
                text = json.dumps(exchange["context"])
                both(lambda name=exchange["name"], text=text: runner.orchestrators[name](text))  # type: ignore[misc]


def test_with_another_sdk_its_own_walk_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with the_sdk_s_own():
        monkeypatch.setattr(STEPS[-1], "digest", "another")
        install_executor()
        assert EXECUTE.original is None
        assert CONTEXT.original is None
