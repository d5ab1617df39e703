"""The tables of docs/messages.md, out of the table of fields and the glossary.

``python -m tools.message_docs [--check]`` writes them between their marks; ``--check`` writes nothing and exits with 1
when they are not what the code says.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from telemetry.export.csv_table import COLUMNS
from telemetry.fields import FIELDS, FINITE, UNITS, Field
from telemetry.glossary import ALERTS, ERRORS, FLAGS
from telemetry.protobuf import FIELD_NUMBERS
from telemetry.rules import Rules
from telemetry.schema import message_schema
from telemetry.vocabulary import EVENT_ERROR_CODES, MESSAGE_ERROR_CODES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "messages.md"
_MARK = "<!-- {name}: made by python -m tools.message_docs -->"
_END = "<!-- end of {name} -->"


def tables() -> dict[str, str]:
    """Each generated part by its name."""
    (example,) = message_schema()["examples"]
    return {
        "fields": _table(("field", "protobuf", "type, unit", "range", "what", "error"), map(_field_row, FIELDS)),
        "example": f"```json\n{json.dumps(example, indent=2)}\n```",
        "event errors": _words({code: ERRORS[code] for code in EVENT_ERROR_CODES}),
        "message errors": _words({code: ERRORS[code] for code in MESSAGE_ERROR_CODES}),
        "flags": _words(FLAGS),
        "alerts": _words(ALERTS),
        "columns": ", ".join(f"`{name}`" for name, _ in COLUMNS) + ".",
    }


def rendered(page: str) -> str:
    """The page with today's tables. Raises ValueError when a mark is missing."""
    for name, text in tables().items():
        mark, end = re.escape(_MARK.format(name=name)), re.escape(_END.format(name=name))
        places = re.findall(f"{mark}\n.*?{end}", page, flags=re.S)
        if len(places) != 1:
            raise ValueError(f"{PAGE.name}: {len(places)} places for {name!r}, not one")
        page = page.replace(places[0], f"{_MARK.format(name=name)}\n{text}\n{_END.format(name=name)}")
    return page


def _field_row(field: Field) -> Sequence[str]:
    number = FIELD_NUMBERS.get(field.path)
    kind = {"number": "number", "boolean": "boolean", "text": "text", "choice": "text", "special": "text or integer"}
    unit = f", {UNITS[field.unit]}" if field.unit else ""
    return (
        f"`{field.path}`",
        "–" if number is None else number,
        kind[field.kind] + unit,
        _range(field),
        field.says,
        "`wrong_type`" if field.code is None else f"`{field.code}`",
    )


def _range(field: Field) -> str:
    if field.kind == "number":
        low, high = field.bounds(Rules())
        return f"{low:g} to {high:g}" if high < FINITE else f"{low:g} or more"
    if field.choices:
        return ", ".join(f"`{choice}`" for choice in field.choices)
    if field.schema is not None:
        return ", ".join(f"`{mode}`" for mode in field.schema["anyOf"][0]["enum"])
    return f"at most {field.longest} characters" if field.longest else ""


def _words(meanings: Mapping[Any, str]) -> str:
    return _table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in meanings.items()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    wanted = rendered(page)
    if "--check" in sys.argv[1:]:
        if page != wanted:
            print(f"{PAGE.name} is not what the code says: python -m tools.message_docs")
        return int(page != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
