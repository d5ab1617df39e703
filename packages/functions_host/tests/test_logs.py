"""Log lines: what they name, what mutes them, and that no record of an app is lost."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from functions_host.context import Origin, current
from functions_host.logs import InvocationFilter, JsonFormatter, LineFormatter


def test_log_lines_name_function_and_invocation() -> None:
    record = logging.LogRecord("user", logging.WARNING, __file__, 1, "hello %s", ("you",), None)
    token = current.set(Origin("work", "0123456789"))
    try:
        assert InvocationFilter({}).filter(record)
    finally:
        current.reset(token)
    assert LineFormatter().format(record).split("Z ", 1)[1] == "WARN  [work 01234567] hello you"
    line = json.loads(JsonFormatter().format(record))
    assert (line["function"], line["invocationId"], line["message"]) == ("work", "0123456789", "hello you")


@pytest.mark.parametrize(
    ("levels", "logger", "level", "passes"),
    [
        ({"default": "Warning"}, "user", logging.INFO, False),
        ({"default": "Warning", "Function": "Information"}, "user", logging.INFO, True),
        ({"default": "Warning", "Function.work.User": "Information"}, "user", logging.INFO, True),
        ({"default": "Information", "Function.work.User": "None"}, "user", logging.CRITICAL, False),
        ({"Function.other": "Error"}, "user", logging.INFO, True),
        ({"Function.work": "Error"}, "functions_host.invoker", logging.INFO, False),
        ({"Function.work.User": "Error"}, "functions_host.invoker", logging.INFO, True),
    ],
)
def test_host_json_log_levels_mute_by_category(levels: dict[str, str], logger: str, level: int, passes: bool) -> None:
    record = logging.LogRecord(logger, level, __file__, 1, "x", (), None)
    token = current.set(Origin("work", "0123456789"))
    try:
        assert InvocationFilter(levels).filter(record) is passes
    finally:
        current.reset(token)


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
@pytest.mark.parametrize(
    "extra",
    [
        {"function": "f", "invocation_id": None},
        {"function": 5},
        {"invocation": {}},
        {"functions_host.origin": None},
        {"origin": object()},
    ],
)
def test_fields_of_an_apps_own_change_nothing_about_its_line(
    formatter: logging.Formatter, extra: dict[str, Any]
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(InvocationFilter({"default": "Information"}))
    logger = logging.Logger("user")
    logger.addHandler(handler)
    token = current.set(Origin("work", "0123456789"))
    try:
        logger.info("a line", extra=extra)
    finally:
        current.reset(token)
    assert stream.getvalue().count("\n") == 1
    for text in ("work", "01234567", "a line"):
        assert text in stream.getvalue()


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_arguments_that_do_not_fit_their_text_are_shown_beside_it(formatter: logging.Formatter) -> None:
    record = logging.LogRecord("user", logging.INFO, __file__, 1, "%d drones", ("many",), None)
    assert "%d drones" in formatter.format(record)
    assert "many" in formatter.format(record)
