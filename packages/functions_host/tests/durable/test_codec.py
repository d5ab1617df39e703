"""JSON by the quicker ways is what the standard library's is, errors included."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum
from functions_host.durable.acceleration.codec import df_dumps, install_codec, plain_dumps, plain_loads
from functions_host.durable.acceleration.patches import ACTIVITY_CODEC
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = [
    "", " ", "null", " true\n", "[1,]", "{'a':1}", '"', '"a"x', "-0", "-0.0", "1E400", "-1e400", "1e-400", "01", "1.",
    "NaN", "[Infinity,-Infinity]", "9223372036854775807", "18446744073709551615", "18446744073709551616",
    "-9223372036854775809", "[1234567890123456789012345678901234567890]", "0.1234567890123456789012", "1e5",
    '{"a":1,"a":{"b":2},"":3}', '"\\ud800"', '"\\ud83d\\ude00"', '"\ud800"', '"\t"', '"\x00"', '"\\u0000"', "\ufeff1",
    "[" * 1100 + "]" * 1100, "[" * 100_000, '{"k":"18446744073709551616"}', '"99999999999999999999"', "\u00a01",
]  # fmt: skip


def outcome(call: Callable[[Any], Any], value: Any) -> Any:
    try:
        got = call(value)
    except Exception as error:
        return type(error), str(error)
    return got, repr(got)


@pytest.mark.parametrize("text", TEXTS)
def test_hard_texts_are_read_alike(text: str) -> None:
    if "NaN" not in text:
        assert outcome(plain_loads, text) == outcome(json.loads, text)
    assert repr(outcome(plain_loads, text)) == repr(outcome(json.loads, text))


@pytest.mark.parametrize("value", [b"[1]", bytearray(b"1"), None, 3])
def test_what_is_no_text_is_read_alike(value: Any) -> None:
    assert outcome(plain_loads, value) == outcome(json.loads, value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_values_are_written_and_read_alike(value: Any) -> None:
    text = json.dumps(value)
    assert plain_dumps(value) == text
    for spelt in (text, json.dumps(value, ensure_ascii=False, separators=(",", ":")), json.dumps(value, indent=1)):
        assert repr(plain_loads(spelt)) == repr(json.loads(spelt))


class Own:
    pass


def cycle() -> list[Any]:
    one: list[Any] = []
    one.append({"again": one})
    return one


@pytest.mark.parametrize(
    "value",
    [
        {"nan": [float("nan"), float("inf")]},
        {1: 1, None: 2, False: 3, 2.5: 4},
        {(1, 2): 3},
        [Own()],
        {"tuple": (1, "\ud800")},
        cycle(),
        {"é": "\U0001f600 \x7f"},
        type("List", (list,), {})([1]),
        "text",
        7,
        (1, 2),
    ],
)
def test_what_is_hard_to_write_is_written_or_refused_alike(value: Any) -> None:
    assert outcome(plain_dumps, value) == outcome(json.dumps, value)


def test_the_sdk_s_own_way_with_an_app_s_objects_is_kept() -> None:
    with pytest.raises(TypeError):
        df_dumps({"own": Own()})


class Wrapped:
    """Of an app, which the SDK serialises by its own methods."""

    @staticmethod
    def to_json(_: Wrapped) -> int:
        return 7

    @staticmethod
    def from_json(_: int) -> str:
        return "a wrapped one"


def by_converter(call: Callable[[], Any]) -> Any:
    try:
        return repr(call())
    except Exception as error:
        cause = error.__cause__
        return type(error), str(error), type(cause), str(cause)


@pytest.fixture
def slow_and_quick() -> Callable[[Callable[[], Any]], tuple[Any, Any]]:
    def both(call: Callable[[], Any]) -> tuple[Any, Any]:
        ACTIVITY_CODEC.uninstall()
        slow = by_converter(call)
        install_codec()
        assert ACTIVITY_CODEC.original is not None
        return slow, by_converter(call)

    return both


@pytest.mark.parametrize("text", [*TEXTS, "plain words", '{"__class__": 1}', None, b"1", 5, "\\u0031"])
def test_activities_get_the_same(text: Any, slow_and_quick: Any) -> None:
    for kind in ("string", "json", "bytes"):
        slow, quick = slow_and_quick(lambda: ActivityTriggerConverter.decode(Datum(text, kind), trigger_metadata={}))  # noqa: B023
        assert slow == quick


@pytest.mark.parametrize("strict", ["", "1"])
@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(10**30), 10**5000, 1.5, float("nan"), "é\ud800", [1, [None]], {"a": {1: 2}}, {(1,): 2}, (1, 2),
     {1}, b"1", Own(), [Own()], Wrapped(), [{"a": Wrapped()}], cycle(), HTTPStatus.OK],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_activities_answer_the_same(value: Any, strict: str, slow_and_quick: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", strict)
    slow, quick = slow_and_quick(lambda: ActivityTriggerConverter.encode(value, expected_type=None).value)
    assert slow == quick
    if isinstance(slow, str):
        text = ActivityTriggerConverter.encode(value, expected_type=None).value
        slow, quick = slow_and_quick(
            lambda: ActivityTriggerConverter.decode(Datum(text, "string"), trigger_metadata={})
        )
        assert slow == quick
