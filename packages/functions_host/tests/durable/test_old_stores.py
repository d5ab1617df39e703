"""Stores that earlier engines left are opened by this one, and everything in them goes on."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from functions_host.durable import DurableEngine, DurableOptions
from moved_clock import CountedIds, MovedClock

from . import old_store_app
from .durable_support import Host

STORES = Path(__file__).parent / "stores"
DAY = 86_400 * 1_000_000


class Woken(Host):
    """Over an old store, a day after it was left."""

    clock: MovedClock


@pytest.fixture(params=sorted(path.name for path in STORES.glob("version*.db")))
async def host(request: Any, tmp_path: Path) -> Any:
    shutil.copyfile(STORES / request.param, tmp_path / "durable.db")
    with sqlite3.connect(tmp_path / "durable.db") as connection:
        ((latest,),) = connection.execute("SELECT max(updated) FROM instances")
    one = Woken(old_store_app.build(), tmp_path, DurableOptions())
    one.clock = MovedClock(latest + DAY)
    one.engine = DurableEngine(tmp_path, DurableOptions(), one.runner, one.clock, CountedIds())
    await one.start()
    yield one
    await one.stop()


async def body(host: Host, path: str) -> Any:
    return (await host.call("GET", path)).body


async def test_what_was_under_way_goes_on(host: Woken) -> None:
    await host.quiet()
    assert (await body(host, "instances/f"))["output"] == [0, 2, 4, 6], "its open activities ran again"
    assert (await body(host, "instances/pending"))["output"] == [0, 2, 4, 6]
    # 10 and 5 before, then 7 and 5: what had arrived was taken up, in its order.
    assert (await body(host, "entities/total/k")) == 27
    assert (await body(host, "instances/w"))["output"] == [2, "now", 27]
    assert (await body(host, "instances/done"))["output"] == [2, 1, 15]
    sleeper = await body(host, "instances/s")
    assert sleeper["runtimeStatus"] == "Running"
    await host.clock.advance(5 * 86_400)
    await host.quiet()
    assert (await body(host, "instances/s"))["output"] == "awake"


async def test_what_waited_waits_and_can_be_woken(host: Woken) -> None:
    await host.quiet()
    held = await body(host, "instances/held")
    assert (held["runtimeStatus"], held["customStatus"]) == ("Suspended", {"waits": "é"})
    await host.call("POST", "instances/held/raiseEvent/go", 1)
    await host.call("POST", "instances/held/resume")
    await host.call("POST", "instances/kid/raiseEvent/go", 2)
    await host.quiet()
    assert (await body(host, "instances/held"))["output"][:2] == [2, 1]
    assert (await body(host, "instances/p"))["output"] == (await body(host, "instances/kid"))["output"]
    history = (await body(host, "instances/p?showHistory=true"))["historyEvents"]
    assert history[1]["EventType"] == "SubOrchestrationInstanceCompleted"


async def test_what_had_failed_can_be_rewound_and_what_is_over_restarted(host: Woken) -> None:
    await host.quiet()
    assert (await body(host, "instances/x"))["runtimeStatus"] == "Failed"
    await host.call("POST", "instances/x/rewind?reason=mended")
    assert (await host.end_of("x"))["output"] == "again"
    again = await host.call("POST", "instances/x/restart?restartWithNewInstanceId=false")
    assert again.status == 202
    assert (await host.end_of("x"))["output"] == "again"
    contexts = [json.loads(text) for kind, _, text, _ in host.runner.contexts if '"instanceId":"x"' in text]
    assert contexts[-1]["history"][1]["Generation"] == 1


async def test_the_store_is_of_this_version_then_and_nothing_is_left(host: Woken) -> None:
    await host.clock.advance(6 * 86_400)
    for instance_id in ("kid", "held"):
        await host.call("POST", f"instances/{instance_id}/terminate")
    await host.quiet()
    ((version,),) = host.engine.store.read("PRAGMA user_version")
    assert version >= 3
    assert host.engine.orchestrations.live.under_way() == {}
    assert host.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]
