"""Entities' operations come to the same in the worker's own handler as in the SDK's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import azure.durable_functions as df
import pytest
from azure.durable_functions.models.utils import df_serialization
from functions_host.durable.acceleration import df_dumps
from functions_host.durable.acceleration.codec import df_loads
from functions_host.durable.entity_calls import EntityAnswer, EntityCall
from functions_host.functions import LoadedFunction, index
from functions_host.worker import entities


class Point:
    """A class of the app's own, as the SDK serialises them."""

    def __init__(self, x: int) -> None:
        self.x = x

    @staticmethod
    def to_json(point: Point) -> str:
        return str(point.x)

    @staticmethod
    def from_json(text: str) -> Point:
        return Point(int(text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x

    __hash__ = None  # type: ignore[assignment]


app = df.DFApp()


@app.entity_trigger(context_name="context")
def keeps(context: df.DurableEntityContext) -> None:
    operation = context.operation_name
    if operation == "add":
        context.set_state(context.get_state(lambda: 0) + context.get_input())
        context.set_result({"é": context.get_state(), "of": [context.entity_name, context.entity_key]})
    elif operation == "look":
        context.set_result(context.get_state())
    elif operation == "delete":
        context.destruct_on_exit()
    elif operation == "object":
        context.set_state(Point(7))
    elif operation == "input":
        context.set_result(context.get_input())
    elif operation == "half":
        context.set_state("half")
        raise ValueError("not this one")
    elif operation == "nothing":
        return
    elif operation == "unserialisable":
        context.set_state(object())
    elif operation == "exits":
        raise SystemExit(3)


@pytest.fixture(scope="module")
def function() -> LoadedFunction:
    return index(app.get_functions())[0]


@pytest.fixture(autouse=True)
def known() -> None:
    assert entities._is_known()


def call(*operations: str | tuple[str, Any], state: Any = None, exists: bool = True) -> EntityCall:
    told = [one if isinstance(one, tuple) else (one, None) for one in operations]
    return EntityCall(
        "keeps",
        'a "key" é',
        exists,
        None if state is None else json.dumps(state),
        tuple((str(number), name, json.dumps(json.dumps(given)), True) for number, (name, given) in enumerate(told)),
    )


@pytest.mark.parametrize(
    "given",
    [
        call(("add", 5), exists=False),
        call(("add", 5), ("add", 6), "look", "nothing", state=4),
        call("look", state={"deep": [1, None, "é"]}),
        call("nothing", state={"kept": "as it was, to the byte"}),
        call("delete", state=1),
        call("delete", ("add", 2), "look", state=1),
        call("half", "look", ("add", 1), state=1),
        call("object", "nothing"),
        call(("input", {"a": ["\u2028", 1.5, 12345678901234567890123]})),
        call(),
    ],
    ids=str,
)
def test_the_answer_is_the_sdk_s_own(function: LoadedFunction, given: EntityCall) -> None:
    theirs = EntityAnswer.parse(function.call(given.json()))
    assert entities.run(function, ("entity", *given)) == theirs


@pytest.mark.parametrize(("operation", "error"), [("unserialisable", TypeError), ("exits", SystemExit)])
def test_what_the_sdk_lets_out_goes_out(function: LoadedFunction, operation: str, error: type[BaseException]) -> None:
    given = call(operation)
    for run in (lambda: function.call(given.json()), lambda: entities.run(function, ("entity", *given))):
        with pytest.raises(error):
            run()


def test_a_handler_of_another_kind_is_called_with_json(function: LoadedFunction) -> None:
    contexts: list[str] = []

    def other(context: Any) -> str:
        contexts.append(context.body)
        return json.dumps({"entityExists": True, "entityState": "1", "results": [{"isError": False, "result": "2"}]})

    given = call(("add", 1))
    answer = entities.run(replace(function, call=other), ("entity", *given))
    assert answer == EntityAnswer(True, "1", ((False, "2"),))
    assert json.loads(contexts[0])["batch"][0]["name"] == "add"


@pytest.mark.parametrize(
    "value", [None, 0, "", "é\u2028", [1, {"a": None}], {"n": float("nan"), "1": 2}, Point(3), [Point(4)], 10**40]
)
def test_the_codec_writes_and_reads_what_the_sdk_s_does(value: Any) -> None:
    text = df_dumps(value)
    assert text == df_serialization.df_dumps(value)
    assert repr(df_loads(text)) == repr(df_serialization.df_loads(text)) or df_loads(text) == value


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\u005f_class__": 1}', "NaN", "1e400", '{"a": 1, "a": 2}', " [1] "])
def test_the_codec_reads_odd_texts_as_the_sdk_does(text: str) -> None:
    assert repr(df_loads(text)) == repr(df_serialization.df_loads(text))


@pytest.mark.parametrize("text", ["", "{", "nul", None, 5])
def test_the_codec_refuses_what_the_sdk_refuses(text: Any) -> None:
    with pytest.raises((ValueError, TypeError)) as theirs:
        df_serialization.df_loads(text)
    with pytest.raises(type(theirs.value)) as ours:
        df_loads(text)
    assert str(ours.value) == str(theirs.value)


def test_strict_typing_is_the_sdk_s(monkeypatch: pytest.MonkeyPatch) -> None:
    text = df_dumps(Point(5))
    monkeypatch.setenv("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")
    with pytest.raises(TypeError, match="expected_type"):
        df_loads(text)
    assert df_loads(text, expected_type=Point) == Point(5)
    with pytest.raises(TypeError):
        df_dumps([Point(5)])
    assert df_loads("[1]") == [1]
