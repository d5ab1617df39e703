"""Records the histories of today's orchestrators: ``python -m tests.replay_gate.record NAME`` writes histories/NAME/.

It never overwrites: a recording stands for instances that may still be under way (README.md says when one may go).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from pipeline.attempts import ORCHESTRATOR
from pipeline.windows import FLUSH
from tests.replay_gate import flush_scenarios, scenarios
from tests.replay_gate.gate import HISTORIES, answer, handle_of, prefixes

RECORDED: dict[str, Any] = {ORCHESTRATOR: scenarios, FLUSH: flush_scenarios}
"""What is started today, and the lives of it that are recorded (``SCENARIOS``, ``play``)."""


async def record(folder: Path) -> list[Path]:
    """Writes one file a scenario into ``folder``, named as the orchestrator. ``FileExistsError`` if it is there."""
    folder.mkdir(parents=True)
    written = []
    lives, handle = RECORDED[folder.name], handle_of(folder.name)
    for scenario in lives.SCENARIOS:
        instance = await lives.play(scenario)
        context = json.loads(instance.contexts[-1])
        answers = [answer(handle, text) for text in prefixes(context)]
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
