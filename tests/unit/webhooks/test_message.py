"""A notice as a request: a CloudEvent that anybody's library reads, signed so that anybody's library believes it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from telemetry.episodes import cleared
from tests.support.alerting import SECRET
from tests.support.episodes import active, seen
from tests.support.records import at
from webhooks.message import cloud_event, message_id, signed

LINKS = {"instanceId": "~alert~x", "statusQueryGetUri": "http://localhost/x"}


def test_a_cloud_event_with_the_alert() -> None:
    episode = cleared(seen(active(0), 50), at(60)) or active(0)
    event = cloud_event(episode, "cleared", "d~f~1", LINKS)
    assert event | {"data": None} == {
        "specversion": "1.0",
        "id": message_id(episode["id"], "cleared"),
        "source": "urn:drone-telemetry:alerts",
        "type": "drone.alert.cleared",
        "subject": "d",
        "time": at(60),
        "datacontenttype": "application/json",
        "data": None,
    }
    data = event["data"]
    assert (data["id"], data["clearedAt"], data["note"], data["flightId"]) == (episode["id"], at(60), "on it", "d~f~1")
    assert data["instanceId"] == "~alert~x"
    before = cloud_event(episode, "raised", None, LINKS)["data"]
    assert (before["status"], before["clearedAt"], before["acknowledgedAt"], before["note"]) == (
        "active",
        None,
        None,
        None,
    )
    taken_up = cloud_event(episode, "acknowledged", None, LINKS)["data"]
    assert (taken_up["status"], taken_up["acknowledgedBy"]) == ("active", "Ann")


def test_ids_tell_notices_apart_and_stay() -> None:
    ids = {message_id(alert, kind) for alert in ("a", "b") for kind in ("raised", "cleared")}
    assert len(ids) == 4
    assert message_id("a", "raised") in ids
    assert all(one.startswith("msg_") and "." not in one for one in ids)


def test_signed_as_the_standard_says() -> None:
    body, headers = signed(cloud_event(active(0), "raised", None, LINKS), SECRET)
    assert headers["content-type"] == "application/cloudevents+json"
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"low", b"bad"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(body, headers)


def test_every_try_has_its_own_time_under_the_same_id() -> None:
    event = cloud_event(active(0), "raised", None, LINKS)
    now = datetime.now(timezone.utc)
    (_, first), (_, second) = signed(event, SECRET, now - timedelta(seconds=60)), signed(event, SECRET, now)
    assert first["webhook-id"] == second["webhook-id"] == event["id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["webhook-signature"] != second["webhook-signature"]
