"""host.json and local.settings.json, as .NET reads them: with comments and trailing commas."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from functions_host.errors import StartError

# A string, a comment, or a comma that only white space and comments part from the closing bracket.
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<comma>,(?=(?:\s|//[^\n]*\n|/\*.*?\*/)*[\]}]))""",
    re.VERBOSE | re.DOTALL,
)


def read_json_file(path: Path) -> dict[str, Any]:
    """The file's object. StartError, in one line with the file's name, for anything else."""
    try:
        document = json.loads(plain_json(path.read_text(encoding="utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise StartError(f"{path.name} is not valid JSON: {error}") from None
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from None
    if not isinstance(document, dict):
        raise StartError(f"{path.name} must hold a JSON object, not {shown(document)}")
    return document


def plain_json(text: str) -> str:
    """The same text with blanks for comments and trailing commas: lines and columns of an error stay right."""

    def blank(match: re.Match[str]) -> str:
        found = match.group()
        return found if match.lastgroup == "string" else re.sub(r"[^\n]", " ", found)

    return _TOKEN.sub(blank, text)


def shown(value: Any) -> str:
    """A value as it may stand in a message of one line."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) or value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
