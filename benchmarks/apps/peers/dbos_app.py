"""Chains on DBOS with SQLite, its default. For each line ``[chains, at once]`` on stdin the seconds they took."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, DBOSConfig


@DBOS.step()
def add_one(number: int) -> int:
    return number + 1


@DBOS.workflow()
def chain(number: int) -> int:
    for _ in range(4):
        number = add_one(number)
    return number


def main(database: str) -> None:
    config: DBOSConfig = {
        "name": "chains",
        "system_database_url": f"sqlite:///{database}",
        "log_level": "CRITICAL",
        "run_admin_server": False,
    }
    DBOS(config=config)
    DBOS.launch()
    print("ready", flush=True)
    for line in sys.stdin:
        chains, at_once = json.loads(line)
        with ThreadPoolExecutor(at_once) as pool:
            began = time.monotonic()
            results = list(pool.map(chain, [0] * chains))
            took = time.monotonic() - began
        assert results == [4] * chains, results
        print(took, flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1])
