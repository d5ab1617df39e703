"""Where the tests keep what several of them need."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.order import LONGEST, longest_first

TESTS = Path(__file__).resolve().parents[1]
# Rooms that are run by themselves, as ``python -m tests.…``: their tests look at them, not into a helper.
RUN_ALONE = ("tests.replay_gate", "tests.faults.chaos", "tests.browser.screenshots")


def test_helpers_stand_in_support() -> None:
    wrong = []
    for path in TESTS.rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            wrong += [
                f"{path.relative_to(TESTS.parent)} imports {module}"
                for module in modules
                if module.partition(".")[0] == "tests" and not module.startswith(("tests.support", *RUN_ALONE))
            ]
    assert wrong == []


def test_support_holds_no_tests() -> None:
    assert [path.name for path in (TESTS / "support").rglob("test_*.py")] == []


def test_long_files_come_first_and_whole() -> None:
    tests = ["a::1", "b::1", "c::1", "c::2", "b::2 waits", f"{LONGEST[1]}::1", f"{LONGEST[0]}::1", "a::2", "c::3"]
    ordered = longest_first(tests, lambda test: test.partition("::")[0], lambda test: "waits" in test)
    assert ordered[:2] == [f"{LONGEST[0]}::1", f"{LONGEST[1]}::1"]
    assert ordered[2:] == ["b::1", "b::2 waits", "c::1", "c::2", "c::3", "a::1", "a::2"]


def test_files_that_are_said_to_be_long_are_there() -> None:
    assert [file for file in LONGEST if not (TESTS.parent / file).is_file()] == []
