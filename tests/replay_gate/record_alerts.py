"""Records the histories of one of the alerts' orchestrators: ``python -m tests.replay_gate.record_alerts NAME`` writes
histories/NAME/. It never overwrites: a recording stands for instances that may still be under way."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.replay_gate.alert_scenarios import SCENARIOS, played
from tests.replay_gate.gate import HISTORIES, answer, handle_of, prefixes


def record(orchestrator: str, folder: Path) -> list[Path]:
    """Writes one file a scenario into ``folder``, which must not exist. ``FileExistsError`` if it does."""
    folder.mkdir(parents=True)
    written = []
    for scenario in SCENARIOS[orchestrator]:
        context = json.loads(played(orchestrator, scenario).contexts[-1])
        answers = [answer(handle_of(orchestrator), text) for text in prefixes(context)]
        path = folder / f"{scenario}.json"
        text = json.dumps({"scenario": scenario, "context": context, "answers": answers}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in SCENARIOS:
        raise SystemExit(f"usage: python -m tests.replay_gate.record_alerts NAME    (one of {', '.join(SCENARIOS)})")
    for file in record(sys.argv[1], HISTORIES / sys.argv[1]):
        print(file)
