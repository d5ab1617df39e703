"""Records the histories of today's orchestrator: ``python -m tests.replay_gate.record NAME`` writes histories/NAME/.

It never overwrites: a recording stands for instances that may still be under way (README.md says when one may go).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.replay_gate.gate import HISTORIES, answer, prefixes
from tests.replay_gate.scenarios import SCENARIOS, play
from tests.support.engine import ORCHESTRATOR


async def record(folder: Path) -> list[Path]:
    """Writes one file a scenario into ``folder``, which must not exist. ``FileExistsError`` if it does."""
    folder.mkdir(parents=True)
    written = []
    for scenario in SCENARIOS:
        instance = await play(scenario)
        context = json.loads(instance.contexts[-1])
        answers = [answer(ORCHESTRATOR, text) for text in prefixes(context)]
        path = folder / f"{scenario}.json"
        text = json.dumps({"scenario": scenario, "context": context, "answers": answers}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tests.replay_gate.record NAME    (for instance process_batch)")
    for file in asyncio.run(record(HISTORIES / sys.argv[1])):
        print(file)
