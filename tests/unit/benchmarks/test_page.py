"""docs/measurements.md keeps what was written by hand, and each measurement's last run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.page import LINE, PAGE, read, write
from benchmarks.report import Row


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "measurements.md"
    page.write_text(f"# Measurements\n\nWhy the second one is slow.\n\n{LINE}\n\n")
    return page


def test_a_section_is_replaced_and_the_rest_stays(page: Path) -> None:
    write("hub", "the hub", [Row("hub", "send", 1000, "events/s", 900)], page, of="Monday")
    write("engine", "the engine", [Row("engine", "chains", 10, "chains/s", 20)], page, of="Monday")
    write("hub", "the hub", [Row("hub", "send", 800, "events/s", 900)], page, of="Tuesday")
    text = page.read_text()
    assert text.startswith("# Measurements\n\nWhy the second one is slow.\n\n<!--")
    above, sections = read(page)
    assert list(sections) == ["hub", "engine"]
    assert "The hub (Tuesday)." in sections["hub"]
    assert "| hub | send | 800 events/s | ≥ 900 events/s | **not reached** |" in sections["hub"]
    assert "1,000" not in text
    assert text.count(LINE) == 1
    assert above.endswith("slow.\n\n")


def test_a_page_without_the_line_is_left_alone(page: Path) -> None:
    page.write_text("# Measurements\n")
    with pytest.raises(ValueError, match="has no line"):
        write("hub", "the hub", [], page)
    assert page.read_text() == "# Measurements\n"


def test_the_page_in_the_docs_has_sections_of_known_measurements() -> None:
    sections = set(read(PAGE)[1])
    assert sections
    assert sections <= set(MEASUREMENTS)
