"""The page's sources: the API's types are the document's, and no file imports in circles."""

from __future__ import annotations

from pathlib import Path

import pytest

from http_api.openapi import DOCUMENT
from tools import page_sources


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    try:
        page_sources.circles()
    except page_sources.ToolsMissing as error:
        pytest.skip(str(error))


def test_the_types_are_what_the_document_says() -> None:
    assert page_sources.main(["--check"]) == 0


def test_a_document_that_changed_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    schemas = dict(DOCUMENT["components"]["schemas"])
    schemas["Stats"] = {"type": "object", "properties": {"wings": {"type": "integer"}}}
    monkeypatch.setitem(DOCUMENT["components"], "schemas", schemas)
    before = page_sources.TYPES.read_text()
    assert page_sources.main(["--check"]) == 1
    assert "make web" in capsys.readouterr().err
    assert page_sources.TYPES.read_text() == before


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"views/a.ts": "./b", "views/b.ts": "./c", "views/c.ts": "./a"}, "no-circle"),
        ({"state/a.ts": "../views/b", "views/b.ts": None}, "state-does-not-look-up"),
        ({"api/a.ts": "../domain/b", "domain/b.ts": None}, "api-does-not-look-up"),
        ({"views/a.ts": "../state/b", "state/b.ts": "../api/c", "api/c.ts": None}, None),
    ],
)
def test_circles_and_imports_of_a_room_above_are_named(
    tmp_path: Path, files: dict[str, str | None], rule: str | None
) -> None:
    (tmp_path / "tsconfig.json").write_text('{"compilerOptions": {"module": "ESNext", "moduleResolution": "Bundler"}}')
    for name, wanted in files.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Types only: they make circles for a reader too.
        path.write_text(
            (f'import type {{ T }} from "{wanted}";\nlet x: T;\n' if wanted else "") + "export type T = 1;\n"
        )
    said = page_sources.circles(tmp_path)
    assert (rule in said) if rule else (said == "")
