"""The registry and the zones as their files say at the moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reference_data import WatchedFile


class Watched:
    """A watched file whose content is its text; "broken" cannot be parsed. Every ``get`` looks at the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.reads = 0
        self._file = WatchedFile(path, self._parse, check_seconds=1.0, clock=lambda: self.now)

    def get(self) -> str | None:
        self.now += 2.0
        return self._file.get()

    def get_at_once(self) -> str | None:
        return self._file.get()

    def write(self, text: str) -> None:
        """As an editor does it: a new file in the place of the old one."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)

    def _parse(self, content: bytes) -> str:
        self.reads += 1
        if content == b"broken":
            raise ValueError("line 1: broken")
        return content.decode()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "drones.json")


def test_a_file_that_was_never_there_is_none_and_no_error(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    assert watched.get() is None
    assert caplog.text == ""


def test_a_file_that_comes_later_is_picked_up(watched: Watched) -> None:
    assert watched.get() is None
    watched.write("one")
    assert watched.get() == "one"


def test_a_changed_file_is_picked_up_and_an_unchanged_one_not_read_again(watched: Watched) -> None:
    watched.write("one")
    assert [watched.get() for _ in range(5)] == ["one"] * 5
    assert watched.reads == 1
    watched.write("two")
    assert watched.get() == "two"


def test_the_file_is_looked_at_once_a_second_at_most(watched: Watched) -> None:
    watched.write("one")
    assert watched.get() == "one"
    watched.write("two")
    assert watched.get_at_once() == "one"
    assert watched.get() == "two"


def test_a_broken_file_is_reported_once_and_the_last_good_one_stays(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.write("one")
    watched.get()
    watched.write("broken")
    assert [watched.get() for _ in range(3)] == ["one"] * 3
    assert caplog.text.count("file not taken over") == 1
    assert "line 1: broken" in caplog.text
    watched.write("three")
    assert watched.get() == "three"


def test_a_file_that_is_gone_is_reported_and_its_content_stays(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.write("one")
    watched.get()
    watched.path.unlink()
    assert [watched.get() for _ in range(3)] == ["one"] * 3
    assert caplog.text.count("file not taken over") == 1
