"""Alerts over HTTP: listed, acknowledged once, sent again where they were given up."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from settings import get_settings
from storage.sqlite import SqliteStore
from telemetry.episodes import told, with_delivery
from tests.support.episodes import active, ended, pending
from tests.support.extension import Extension
from tests.support.flown import START, said
from tests.support.http_client import Client
from tests.support.records import at

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def test_an_alert_with_all_its_fields(ask: Client, store: SqliteStore) -> None:
    episode = active(5)
    await store.alerts.begin(episode)
    answer = (await ask.get(f"/api/alerts/{episode['id']}")).json()
    link = answer.pop("statusQueryGetUri")
    assert answer == {
        "id": "d~low_battery~" + episode["id"].rpartition("~")[2],
        "deviceId": "d",
        "code": "low_battery",
        "status": "active",
        "raisedAt": at(5),
        "clearedAt": None,
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "note": None,
        "escalatedAt": None,
        "value": 0.1,
        "position": {"latitude": 47.5, "longitude": 8.5},
        "flightId": None,
        "undelivered": [],
        "instanceId": "~alert~" + episode["id"],
    }
    assert "SECRET" not in link
    assert "%7E" in link or "~alert~" in link


async def test_filters_and_what_is_not_yet_one(ask: Client, store: SqliteStore) -> None:
    for episode in (active(0), ended(1, "e"), pending(2, "f")):
        await store.alerts.begin(episode)
    listed = (await ask.get("/api/alerts")).json()
    assert [item["deviceId"] for item in listed["items"]] == ["e", "d"]
    assert [item["deviceId"] for item in (await ask.get("/api/alerts?status=active")).json()["items"]] == ["d"]
    assert (await ask.get(f"/api/alerts?from={at(2)}")).json() == {"items": [], "continuation": None}
    assert [i["deviceId"] for i in (await ask.get("/api/alerts?acknowledged=false&deviceId=e")).json()["items"]] == [
        "e"
    ]
    assert (await ask.get(f"/api/alerts/{pending(2, 'f')['id']}")).status == 404


@pytest.mark.parametrize(
    "query", ["status=pending", "acknowledged=1", "code=fire", "deviceId=a%20b", "from=now", "limit=0", "drone=d"]
)
async def test_wrong_parameters_are_named(ask: Client, query: str) -> None:
    answer = await ask.get(f"/api/alerts?{query}")
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize("wrong", ["nonsense", "d~low_battery~1", "d~~1", "~low_battery~1"])
async def test_what_is_none_is_not_found(ask: Client, wrong: str) -> None:
    assert (await ask.get(f"/api/alerts/{wrong}")).status == 404
    assert (await ask.post(f"/api/alerts/{wrong}/acknowledge", {})).status == 404
    assert (await ask.post(f"/api/alerts/{wrong}/notify", {})).status == 404


async def test_the_first_who_takes_it_up_has_it(ask: Client, store: SqliteStore, extension: Extension) -> None:
    episode = active(0)
    await store.alerts.begin(episode)
    url = f"/api/alerts/{episode['id']}/acknowledge"
    wrong = await ask.post(url, {"note": 5})
    assert (wrong.status, "note" in wrong.json()["detail"]) == (400, True)
    first = await ask.post(url, {"note": "on my way\nin ten minutes"})
    assert first.status == 200
    assert first.json()["note"] == "on my way\nin ten minutes"
    assert first.json()["acknowledgedAt"] is not None
    # The stand-in knows no instance that could take the event: the episode is started, and finds it in the store.
    raised = f"/durabletask/instances/~alert~{episode['id']}/raiseEvent/acknowledged"
    assert any(unquote(one).startswith(f"POST {raised}") for one in extension.requests)
    assert extension.started == {f"~alert~{episode['id']}": {"alertId": episode["id"]}}
    again = await ask.post(url, {"note": "me too"})
    assert (again.status, again.json()) == (200, first.json())
    assert (await ask.get("/api/alerts?acknowledged=true")).json()["items"] == [first.json()]


async def test_given_up_notices_are_told_and_sent_again(
    ask: Client, store: SqliteStore, environment: pytest.MonkeyPatch, extension: Extension
) -> None:
    environment.setenv("ALERT_WEBHOOKS", "http://127.0.0.1:9/x")
    environment.setenv("ALERT_WEBHOOK_SECRET", SECRET)
    [webhook] = get_settings().alerts.webhooks
    episode = told(active(0), "raised", [webhook.key, "gone"], at(3)) or active(0)
    await store.alerts.begin(episode)
    url = f"/api/alerts/{episode['id']}"
    assert (await ask.post(f"{url}/notify", {})).status == 200
    for receiver in (webhook.key, "gone"):
        await store.alerts.change(
            episode["id"],
            lambda one, r=receiver: with_delivery(one, "raised", r, 1, "given_up"),  # type: ignore[misc]
        )
    assert (await ask.get(url)).json()["undelivered"] == ["drone.alert.raised"]
    answer = await ask.post(f"{url}/notify", {})
    assert answer.status == 202
    [instance] = extension.started
    assert (instance.startswith("~notice~"), extension.started[instance]["round"]) == (True, 2)
    kept = await store.alerts.get(episode["id"])
    assert kept is not None
    deliveries = kept["notices"]["raised"]["deliveries"]
    assert (deliveries[webhook.key]["state"], deliveries[webhook.key]["round"]) == ("sending", 2)
    assert deliveries["gone"]["state"] == "given_up"  # nobody would get it


async def test_the_flight_in_which_it_was_raised(ask: Client, store: SqliteStore) -> None:
    modes = ["takeoff", "inflight", "landing", "ready"]
    await store.messages.put([said(n * 10, "d", flightMode=mode) for n, mode in enumerate(modes)], "b")
    for episode in (active(0), active(0, code="altitude_limit")):
        raised = START.replace("10:00:00", "10:00:15" if episode["code"] == "low_battery" else "11:00:00")
        await store.alerts.begin({**episode, "raisedAt": raised})
    [flight] = (await ask.get("/api/flights")).json()["items"]
    found = {item["code"]: item["flightId"] for item in (await ask.get("/api/alerts")).json()["items"]}
    assert found == {"low_battery": flight["id"], "altitude_limit": None}
