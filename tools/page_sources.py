"""The page's sources: ``web/src/api/types.ts`` is made of the OpenAPI document, and no file imports in circles.

``python -m tools.page_sources [--check]``. The types are committed, so that the page is built without this; ``--check``
writes nothing and exits with 1 when they are not what the document says. Exits with 0 and a sentence where npm's
registry cannot be reached. The tools stand in ``web/tools``, pinned by a lock file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from http_api.openapi import DOCUMENT
from pipeline.durable import InstanceStatus
from pipeline.records import BatchStatus
from pipeline.steps import FAIL, STEPS, STEPS_BEFORE
from telemetry.vocabulary import ERROR_CODES, LETTER_STATUSES
from web.build import WEB, NodeMissing, find_node, install, path_of

TYPES, TOOLS = WEB / "src" / "api" / "types.ts", WEB / "tools"
_HEAD = "// Made by `make web` out of the OpenAPI document; changes belong there.\n"


class ToolsMissing(Exception):
    """Node.js or the tools cannot be had on this machine."""


def types() -> str:
    """The text of the file."""
    # The page asks for paths by name, in one file; what it needs to know is what comes back.
    described = {**DOCUMENT, "paths": {}, "components": {"schemas": DOCUMENT["components"]["schemas"]}}
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "openapi.json"), Path(folder, "types.ts")
        source.write_text(json.dumps(described))
        options = ("--root-types", "--root-types-no-schema-prefix")
        done = _tool("openapi-typescript/bin/cli.js", str(source), "--output", str(made), *options)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        text = made.read_text()
    # Its own head says only that it is generated.
    return _HEAD + text[text.index("*/") + 2 :].lstrip("\n") + words()


def words() -> str:
    """The lists that filters and steps are made of: the types name the same words, and are gone when the page runs."""
    lists = {
        "BATCH_STATUSES": [status.value for status in BatchStatus],
        "LETTER_STATUSES": LETTER_STATUSES,
        "ERROR_CODES": ERROR_CODES,
        "STEPS": [step.stage for step in STEPS],
        "INSTANCE_STATUSES": [status.value for status in InstanceStatus],
    }
    text = "".join(f"export const {name} = {json.dumps(list(words))} as const;\n" for name, words in lists.items())
    stages = {step.activity: step.stage for step in (*STEPS, *STEPS_BEFORE, FAIL)}
    return f"{text}export const STAGE_OF_ACTIVITY: Readonly<Record<string, string>> = {json.dumps(stages)};\n"


def circles(page: Path = WEB) -> str:
    """What is wrong with the imports of ``page``/src; empty when nothing is."""
    config = str(TOOLS / "cruiser.cjs")
    done = _tool("dependency-cruiser/bin/dependency-cruise.mjs", "--config", config, "src", folder=page)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _tool(script: str, *arguments: str, folder: Path = WEB) -> subprocess.CompletedProcess[str]:
    try:
        node, npm = find_node()
        environment = path_of(node)
        install(npm, environment, TOOLS)
    except (NodeMissing, subprocess.CalledProcessError) as error:
        raise ToolsMissing(str(error)) from error
    command = [str(node), str(TOOLS / "node_modules" / script), *arguments]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, cwd=folder)


def main(arguments: Sequence[str]) -> int:
    try:
        text, wrong = types(), circles()
    except ToolsMissing as error:
        print(f"the page's sources are taken as they are: {error}", file=sys.stderr)
        return 0
    if TYPES.read_text() != text:
        if "--check" in arguments:
            wrong += f"{TYPES} is not what the OpenAPI document says; `make web` writes it\n"
        else:
            TYPES.write_text(text)
    print(wrong, end="", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
