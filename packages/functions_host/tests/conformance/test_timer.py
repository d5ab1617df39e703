"""Timer triggers and the admin API, over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from host_support import http, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def web(base_url: Callable[[str], str]) -> str:
    return base_url("web")


def test_a_timer_fires_at_start_and_each_second(web: str) -> None:
    def three() -> list[dict[str, object]] | None:
        runs = [run for run in http("GET", f"{web}/api/timer").json() if "yearly" not in run]
        return runs if len(runs) >= 4 else None

    runs = wait_for(three, "four timer runs")
    times = [float(str(run["at"])) for run in runs[1:]]
    # Each second at most once; a busy machine may be late for one, or miss it.
    assert all(int(later) > int(sooner) for sooner, later in itertools.pairwise(times))
    assert min(moment % 1 for moment in times) < 0.5
    assert runs[0]["past_due"] is False
    assert runs[0]["schedule"] == {"AdjustForDST": True}


def test_the_admin_api_runs_a_timer_now(web: str) -> None:
    assert http("POST", f"{web}/admin/functions/once_a_year", json_body={"input": ""}).status == 202
    wait_for(lambda: [run for run in http("GET", f"{web}/api/timer").json() if "yearly" in run], "the timer's run")


def test_the_admin_api_describes_host_and_functions(web: str) -> None:
    assert http("GET", f"{web}/admin/host/status").json()["state"] == "Running"
    functions = {function["name"]: function for function in http("GET", f"{web}/admin/functions").json()}
    assert functions["text"]["invoke_url_template"].endswith("/api/text")
    assert functions["text"]["config"]["bindings"][0]["type"] == "httpTrigger"
    assert not functions["once_a_year"].get("invoke_url_template")
    assert http("GET", f"{web}/admin/functions/text").json()["name"] == "text"
    assert http("GET", f"{web}/admin/functions/nobody").status == 404
    assert http("POST", f"{web}/admin/functions/nobody", json_body={}).status == 404
