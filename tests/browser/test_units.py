"""The page's own unit tests and its types, run by Node.js."""

from __future__ import annotations

import os
import subprocess

import pytest

from web import build


def node_runs(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        node, npm = build.find_node()
    except build.NodeMissing as error:
        pytest.skip(str(error))
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    build.install(npm, environment)
    return subprocess.run([str(node), *arguments], cwd=build.WEB, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("arguments", [("test.mjs",), ("node_modules/typescript/bin/tsc", "--noEmit")], ids=str)
def test_node_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    done = node_runs(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
