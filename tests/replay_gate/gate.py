"""Replays recorded histories through an orchestrator and says where it would now act differently.

A recording is a file in ``histories/``: the context of an instance's last episode, as the extension handed it over, and
what the orchestrator answered in every episode. Every prefix of the history that ends an episode is handed to the
orchestrator anew, which is what the engine does with an instance that was under way when new code was deployed.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HISTORIES = Path(__file__).parent / "histories"
ORCHESTRATOR_STARTED = 12
ORCHESTRATOR_COMPLETED = 13
INCOMING = (0, 5, 6, 11, 15)

Handle = Callable[[str], str]
Recording = dict[str, Any]


def recordings() -> dict[str, Recording]:
    """By ``<orchestrator>/<scenario>``."""
    return {
        f"{path.parent.name}/{path.stem}": json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(HISTORIES.glob("*/*.json"))
    }


def handle_of(orchestrator: str) -> Handle:
    """The function of that name in ``orchestrators/<name>.py``, as the SDK runs it."""
    module = importlib.import_module(f"orchestrators.{orchestrator}")
    handle: Handle = getattr(module, orchestrator)._function._func
    return handle


def prefixes(context: dict[str, Any]) -> Iterator[str]:
    """The contexts of all episodes, first to last."""
    events = context["history"]
    starts = [i for i, event in enumerate(events) if event["EventType"] == ORCHESTRATOR_STARTED]
    for number, start in enumerate(starts):
        end = len(events)
        if number + 1 < len(starts):
            # What the episode itself brought about comes after its incoming events; Python had not seen that then.
            end = next(i for i in range(start + 1, len(events)) if events[i]["EventType"] not in INCOMING)
        history = [
            {**event, "IsPlayed": i < start and event["EventType"] in INCOMING} for i, event in enumerate(events[:end])
        ]
        yield json.dumps({**context, "history": history, "isReplaying": number > 0})


def answer(handle: Handle, context: str) -> dict[str, Any]:
    """What the orchestrator says to one context; an error is part of the answer, its trace is not."""
    try:
        said: dict[str, Any] = json.loads(handle(context))
    except Exception as error:
        message, _, state = str(error).partition("\n\n$OutOfProcData$:")
        said = {**(json.loads(state) if state else {}), "error": message}
    return said


def divergences(handle: Handle, recording: Recording) -> list[str]:
    """One line an episode whose answer is not the recorded one; none when the code may take the instance over."""
    found = []
    contexts = list(prefixes(recording["context"]))
    assert len(contexts) == len(recording["answers"]), "the recording is not whole"
    for number, (context, recorded) in enumerate(zip(contexts, recording["answers"], strict=True)):
        for key in sorted(recorded.keys() | (now := answer(handle, context)).keys()):
            if now.get(key) != recorded.get(key):
                found.append(f"episode {number}, {key}: recorded {recorded.get(key)!r}, now {now.get(key)!r}")
    return found
