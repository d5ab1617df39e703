"""The documented Durable Functions patterns, over HTTP only."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from host_support import Answer, http, wait_for

pytestmark = pytest.mark.e2e
UNFINISHED = ("Pending", "Running", "ContinuedAsNew", "Suspended")


@pytest.fixture(scope="module")
def patterns(base_url: Callable[[str], str]) -> str:
    return base_url("patterns")


def fresh(name: str = "it") -> str:
    return f"{name}-{uuid.uuid4().hex}"


def start(url: str, orchestration: str, given: Any = None, *, instance: str = "", query: str = "") -> dict[str, str]:
    path = f"{url}/api/start/{orchestration}" + (f"/{instance}" if instance else "") + query
    answer = http("POST", path, json_body=given)
    assert answer.status == 202, answer.text
    links: dict[str, str] = answer.json()
    return links


def finished(links: dict[str, str], seconds: float = 30) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        status: dict[str, Any] = http("GET", links["statusQueryGetUri"]).json()
        return None if status["runtimeStatus"] in UNFINISHED else status

    return wait_for(look, f"{links['id']} to finish", seconds)


def running(links: dict[str, str], custom: bool = False) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        status: dict[str, Any] = http("GET", links["statusQueryGetUri"]).json()
        return status if status["runtimeStatus"] == "Running" and (status["customStatus"] or not custom) else None

    return wait_for(look, f"{links['id']} to run")


def run(url: str, orchestration: str, given: Any = None) -> Any:
    status = finished(start(url, orchestration, given))
    assert status["runtimeStatus"] == "Completed", status
    return status["output"]


def test_chaining(patterns: str) -> None:
    assert run(patterns, "chaining", "London") == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]


def test_fan_out_and_in(patterns: str) -> None:
    assert run(patterns, "fan_out", list(range(20))) == sum(number * number for number in range(20))
    assert run(patterns, "fan_out", [7]) == 49


def test_async_http_with_its_links(patterns: str) -> None:
    instance = fresh()
    answer = http("POST", f"{patterns}/api/start/approval/{instance}", json_body=600)
    links = answer.json()
    assert answer.status == 202
    assert answer.headers["location"] == links["statusQueryGetUri"]
    assert int(answer.headers["retry-after"]) > 0
    assert links["id"] == instance
    expected = "statusQueryGetUri sendEventPostUri terminatePostUri purgeHistoryDeleteUri suspendPostUri resumePostUri"
    assert set(expected.split()) <= set(links)
    running(links)
    status = http("GET", links["statusQueryGetUri"])
    assert status.status == 202
    assert status.headers["location"].split("?")[0] == links["statusQueryGetUri"].split("?")[0]
    assert http("POST", links["terminatePostUri"].replace("{text}", "enough")).status == 202
    ended = finished(links)
    assert (ended["runtimeStatus"], ended["output"]) == ("Terminated", "enough")
    assert http("GET", links["statusQueryGetUri"]).status == 200
    assert http("DELETE", links["purgeHistoryDeleteUri"]).json() == {"instancesDeleted": 1}
    assert http("GET", links["statusQueryGetUri"]).status == 404


def test_async_http_that_waits(patterns: str) -> None:
    done = http("POST", f"{patterns}/api/wait/chaining?timeout=20000", json_body="Rome")
    assert (done.status, done.json()[2]) == (200, "Hello Rome!")
    late = http("POST", f"{patterns}/api/wait/approval?timeout=500", json_body=600)
    assert late.status == 202
    http("POST", late.json()["terminatePostUri"].replace("{text}", "end"))


def test_monitor(patterns: str) -> None:
    links = start(patterns, "monitor", {"id": fresh(), "looks": 3})
    assert running(links, custom=True)["customStatus"]["state"] == "running"
    status = finished(links)
    assert (status["output"], status["customStatus"]) == (3, {"looks": 3, "state": "done"})


@pytest.mark.parametrize("early", [False, True])
def test_human_interaction(patterns: str, early: bool) -> None:
    links = start(patterns, "approval", 600)
    if not early:
        running(links)
    answer = http("POST", links["sendEventPostUri"].replace("{eventName}", "Decision"), json_body={"approved": True})
    assert answer.status == 202
    assert finished(links)["output"] == {"approved": True}
    late = http("POST", links["sendEventPostUri"].replace("{eventName}", "Decision"), json_body=1)
    assert late.status == 410


def test_human_interaction_that_times_out(patterns: str) -> None:
    assert run(patterns, "approval", 1) == "escalated"


def test_aggregator(patterns: str) -> None:
    url = f"{patterns}/api/counter/{fresh('Key')}"
    assert http("GET", url).json() == {"exists": False, "state": None}
    for number in range(1, 11):
        assert http("POST", f"{url}/add", json_body=number).status == 202
    wait_for(lambda: http("GET", url).json() == {"exists": True, "state": 55}, "all ten signals")
    http("POST", f"{url}/reset")
    wait_for(lambda: http("GET", url).json()["state"] == 0, "the reset")


def test_aggregator_by_the_management_api(patterns: str) -> None:
    key = fresh("k")
    url = f"{patterns}/runtime/webhooks/durabletask/entities/counter/{key}"
    assert http("GET", url).status == 404
    # The SDK's get_input wants JSON within a JSON string.
    assert http("POST", f"{url}?op=add", json_body="5").status == 202
    wait_for(lambda: http("GET", url).status == 200 and http("GET", url).json() == 5, "the state")
    listed = http("GET", f"{patterns}/runtime/webhooks/durabletask/entities/counter?fetchState=true&top=1000").json()
    assert {"name": "counter", "key": key} in [entry["entityId"] for entry in listed]


def test_an_orchestration_calls_and_signals_an_entity(patterns: str) -> None:
    assert run(patterns, "counts", fresh()) == 7
    assert "as asked" in run(patterns, "entity_fails", fresh())


def test_eternal(patterns: str) -> None:
    links = start(patterns, "eternal", 3)
    assert finished(links)["output"] == "all generations done"


def test_sub_orchestrations(patterns: str) -> None:
    instance = fresh()
    links = start(patterns, "parent", instance=instance)
    assert finished(links)["output"] == [
        {"greeting": f"Hello {instance}-{name}!", "parent": instance} for name in ("a", "b")
    ]
    children = http("GET", f"{patterns}/runtime/webhooks/durabletask/instances/{instance}-a").json()
    assert (children["name"], children["runtimeStatus"]) == ("child", "Completed")
    assert "broken inner" in run(patterns, "child_fails")


def test_versioning(patterns: str) -> None:
    assert run(patterns, "which_version") == "2.0"
    older = finished(start(patterns, "which_version", query="?version=1.0"))
    assert older["output"] == "1.0"


def test_retries(patterns: str) -> None:
    assert run(patterns, "retries", {"id": fresh(), "succeeds_at": 3}) == "attempt 3 succeeded"
    status = finished(start(patterns, "retries", {"id": fresh(), "succeeds_at": 9}))
    assert status["runtimeStatus"] == "Failed"
    assert "attempt 3" in status["output"]


def test_a_failure_reaches_the_caller_as_text(patterns: str) -> None:
    links = start(patterns, "fails", "loudly")
    status = finished(links)
    assert status["runtimeStatus"] == "Failed"
    assert status["output"].startswith("Orchestrator function 'fails' failed: broken loudly")
    assert http("GET", links["statusQueryGetUri"]).status == 200
    flagged = links["statusQueryGetUri"] + "&returnInternalServerErrorOnFailure=true"
    assert http("GET", flagged).status == 500


def test_values_that_replay_alike(patterns: str) -> None:
    guid, text, moment = run(patterns, "deterministic")
    assert uuid.UUID(guid).version == 5
    assert uuid.UUID(text) != uuid.UUID(guid)
    assert moment.startswith("20")


def test_durable_http(patterns: str) -> None:
    answer = run(patterns, "calls_http", f"{patterns}/api/counter/none")
    assert answer["status"] == 200
    assert "exists" in answer["content"]


def test_one_id_runs_once(patterns: str) -> None:
    instance = fresh()
    links = start(patterns, "approval", 600, instance=instance)
    running(links)
    direct = f"{patterns}/runtime/webhooks/durabletask/orchestrators/approval/{instance}"
    again = http("POST", direct, json_body=600)
    assert again.status == 409
    assert "Message" in again.json()
    http("POST", links["terminatePostUri"].replace("{text}", "end"))
    finished(links)


def test_suspend_and_resume(patterns: str) -> None:
    links = start(patterns, "approval", 600)
    running(links)
    assert http("POST", links["suspendPostUri"].replace("{text}", "pause")).status == 202
    wait_for(lambda: http("GET", links["statusQueryGetUri"]).json()["runtimeStatus"] == "Suspended", "the suspension")
    http("POST", links["sendEventPostUri"].replace("{eventName}", "Decision"), json_body="yes")
    assert http("GET", links["statusQueryGetUri"]).json()["runtimeStatus"] == "Suspended"
    assert http("POST", links["resumePostUri"].replace("{text}", "on")).status == 202
    assert finished(links)["output"] == "yes"


def test_status_history_list_and_paging(patterns: str) -> None:
    prefix = fresh("page")
    for number in range(3):
        finished(start(patterns, "chaining", "x", instance=f"{prefix}-{number}"))
    base = f"{patterns}/runtime/webhooks/durabletask/instances"
    names = []
    token = ""
    for _ in range(6):
        page: Answer = http(
            "GET", f"{base}?instanceIdPrefix={prefix}&top=2", headers={"x-ms-continuation-token": token}
        )
        names += [entry["instanceId"] for entry in page.json()]
        token = page.headers.get("x-ms-continuation-token", "")
        if not token:
            break
    assert sorted(names) == [f"{prefix}-{number}" for number in range(3)]
    shown = http("GET", f"{base}/{prefix}-0?showHistory=true&showHistoryOutput=true").json()
    types = [event["EventType"] for event in shown["historyEvents"]]
    assert types == ["ExecutionStarted", "TaskCompleted", "TaskCompleted", "TaskCompleted", "ExecutionCompleted"]
    assert shown["historyEvents"][1]["FunctionName"] == "hello"
    assert shown["historyEvents"][1]["Result"] == "Hello Tokyo!"
    assert shown["input"] == '"x"'
    assert http("GET", f"{base}/{prefix}-9").status == 404


def test_the_client_reads_a_status(patterns: str) -> None:
    links = start(patterns, "chaining", "x")
    finished(links)
    answer = http("GET", f"{patterns}/api/status/{links['id']}").json()
    assert answer["name"] == "chaining"
    assert (answer["status"], answer["output"][2]) == ("Completed", "Hello x!")
