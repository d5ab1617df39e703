"""One notice as a signed request: CloudEvents 1.0 in structured JSON, with the headers of Standard Webhooks."""

from __future__ import annotations

from datetime import datetime, timezone
from hashlib import blake2b
from typing import Any

import orjson
from standardwebhooks import Webhook

from telemetry.episodes import Episode, NoticeType, as_of, cause_of, event_type, show

MEDIA_TYPE = "application/cloudevents+json"
SOURCE = "urn:drone-telemetry:alerts"


def message_id(alert_id: str, kind: NoticeType) -> str:
    """The same for every try and every receiver, so that whoever has it already knows it again."""
    return "msg_" + blake2b(f"{alert_id}~{kind}".encode(), digest_size=16).hexdigest()


def cloud_event(episode: Episode, kind: NoticeType, flight_id: str | None, links: dict[str, str]) -> dict[str, Any]:
    """``data`` is the alert as it was when the cause of the notice came; ``links`` lead to its instance."""
    return {
        "specversion": "1.0",
        "id": message_id(episode["id"], kind),
        "source": SOURCE,
        "type": event_type(kind),
        "subject": episode["deviceId"],
        "time": cause_of(episode, kind),
        "datacontenttype": "application/json",
        "data": {**show(as_of(episode, kind), flight_id), **links},
    }


def signed(event: dict[str, Any], secret: str, at: datetime | None = None) -> tuple[bytes, dict[str, str]]:
    """Body and headers. ``at`` is the time of this try."""
    moment = at or datetime.now(timezone.utc)
    body = orjson.dumps(event)
    return body, {
        "content-type": MEDIA_TYPE,
        "webhook-id": event["id"],
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(event["id"], moment, body.decode()),
    }
