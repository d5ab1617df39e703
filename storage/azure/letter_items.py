"""A dead letter as an item: its own fields, and those that queries and counters need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from storage.azure.ids import bucket_of, digest, safe_id
from storage.azure.items import Item, without_system_fields
from telemetry.model import Correction, DeadLetter, Error, Message
from telemetry.vocabulary import OPEN

KEY_FIELDS = (
    "id", "letterId", "bucket", "kind", "sort", "statusSort", "codes", "status", "batchId", "deviceId", "createdAt",
    "attempts", "resolvedAt", "attemptedAt", "claimedAt", "corrected",
)  # fmt: skip
_OWN_FIELDS = (
    "letterId", "bucket", "kind", "sort", "statusSort", "codes", "attemptedAt", "errorsJson", "claimedAt", "claimJson",
    "contextJson", "correctionJson", "corrected",
)  # fmt: skip


def to_item(letter: DeadLetter) -> Item:
    when = f"{letter['createdAt']}|{letter['id']}"
    item = {name: value for name, value in letter.items() if name not in ("errors", "context")} | {
        "id": safe_id(letter["id"]),
        "letterId": letter["id"],
        "bucket": bucket_of(letter["id"]),
        "kind": "letter",
        "sort": when,
        "attemptedAt": None,
        "contextJson": orjson.dumps(letter.get("context")).decode(),  # as text, for what ``with_errors`` says
    }
    return _with_status_sort(with_errors(item, letter["errors"], letter["attempts"]))


def from_item(item: Item) -> DeadLetter:
    letter = without_system_fields(item)
    fields: Any = {name: value for name, value in letter.items() if name not in _OWN_FIELDS}
    fields |= {"id": letter["letterId"], "errors": orjson.loads(letter["errorsJson"])}
    if "contextJson" in letter:
        fields["context"] = orjson.loads(letter["contextJson"])
    if "correctionJson" in letter:
        fields["correction"] = orjson.loads(letter["correctionJson"])
    kept: DeadLetter = fields
    return kept


def with_errors(item: Item, errors: Sequence[Error], attempts: int) -> Item:
    """Errors as text: they quote values as sent, and Cosmos DB would change large integers among them."""
    text = orjson.dumps(list(errors)).decode()
    codes = sorted({error["code"] for error in errors})
    return item | {"errorsJson": text, "codes": codes, "attempts": attempts}


def with_status(item: Item, status: str, at: str, reason: str | None) -> Item:
    return _with_status_sort(item | {"status": status, "resolvedAt": at, "reason": reason})


def is_open(item: Item) -> bool:
    """Neither resolved nor claimed."""
    return item["status"] == OPEN and item.get("claimedAt") is None


def with_claim(item: Item, messages: Sequence[Message], at: str) -> Item:
    """Messages as text, for the same reason as errors. ``claimedAt`` is absent without a claim: its index holds claims
    only."""
    return item | {"claimedAt": at, "claimJson": orjson.dumps(list(messages)).decode()}


def with_correction(item: Item, correction: Correction) -> Item:
    """``corrected`` beside it is for the counting, which asks without the text."""
    return item | {"correctionJson": orjson.dumps(correction).decode(), "corrected": correction["count"]}


def without_claim(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in ("claimedAt", "claimJson")}


def claimed_messages(item: Item) -> list[Message] | None:
    text = item.get("claimJson")
    if text is None:
        return None
    messages: list[Message] = orjson.loads(text)
    return messages


def codes_of(item: Item) -> list[str]:
    codes: list[str] = item["codes"]
    return codes


def folder(item: Item) -> str:
    """Where the letter's fields go that are too large for an item."""
    return f"letters/{digest(item['letterId'])}"


def _with_status_sort(item: Item) -> Item:
    return item | {"statusSort": f"{item['status']}|{item['sort']}"}
