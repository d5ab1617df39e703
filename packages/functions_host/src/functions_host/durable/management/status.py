"""GET instances: one, and lists with filters and pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from functions_host.durable.clock import parse, wire_seconds
from functions_host.durable.jsontext import compact, quote, strict
from functions_host.durable.management.answers import Query, empty, json_text, message, request_url
from functions_host.durable.management.history import history_json
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.orchestration import ACTIVE, ENTITY
from functions_host.durable.schema import LIVE
from functions_host.durable.transport import ManagementRequest, ManagementResponse

# Ids are compared byte by byte: what begins with a prefix lies between it and it with this behind.
LAST_CHARACTER = "\U0010ffff"
FINAL = ("Completed", "Failed", "Terminated", "Canceled")
STATUSES = ("Running", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated", "Pending", "Suspended")

TOKEN_HEADER = "x-ms-continuation-token"

# While an instance runs its last episode says when it was last updated: its row is written only when that changes.
_UPDATED = (
    "max(updated, coalesce((SELECT started FROM history h WHERE h.instance_id=i.instance_id "
    "ORDER BY episode DESC LIMIT 1), 0))"
)
_COLUMNS = (
    f"i.instance_id, kind, name, status, input, custom_status, output, created, {_UPDATED}, entity_exists, entity_state"
)
_TABLES = "FROM instances i LEFT JOIN inputs USING(instance_id)"
FEW = 20_000
"""Instances that are sorted for a page rather than all of them gone through in the order of their ids."""


class Status:
    """Everything read here is committed."""

    def __init__(self, hub: TaskHub) -> None:
        self._hub = hub

    def one(self, request: ManagementRequest, instance_id: str, query: Query) -> ManagementResponse:
        """202 while it is not over, 200 then; 500 for a failed one only if asked."""
        row = self._row(instance_id)
        if row is None:
            return empty(404)
        history = ""
        if query.flag("showHistory", False) and row[3] != "Pending":
            events = history_json(self._hub, row, query.flag("showHistoryOutput", False))
            history = f',"historyEvents":{events}'
        text = status_json(row, query.flag("showInput", True), history)
        if row[3] in ACTIVE:
            return json_text(202, text, {"Location": request_url(request), "Retry-After": "5"})
        failed = row[3] == "Failed" and query.flag("returnInternalServerErrorOnFailure", False)
        return json_text(500 if failed else 200, text)

    def output_if_over(self, request: ManagementRequest, instance_id: str) -> ManagementResponse | None:
        """What a start that waits answers: the bare output, or the status of one that ended otherwise."""
        row = self._row(instance_id)
        if row is None or row[3] in ACTIVE:
            return None
        return json_text(200, (row[6] or "null") if row[3] == "Completed" else status_json(row, True, ""))

    def list(self, request: ManagementRequest, query: Query) -> ManagementResponse:
        """200 with up to `top` instances in the order of their ids, entities among them."""
        where, values = filters(query)
        prefix = query.get("instanceIdPrefix")
        if prefix:
            where.append("i.instance_id >= ? AND i.instance_id < ?")
            values += [prefix, prefix + LAST_CHARACTER]
        try:
            after = page_start(request)
        except NoTokenError as wrong:
            return wrong.answer
        if after is not None:
            where.append("i.instance_id >= ?")
            values.append(after)
        top = max(0, query.number("top", 100))
        index = self._index(query, prefix)
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        if index:
            # First which they are: a page's columns are read for those that are in it.
            among = f" AND {LIVE}" if index == "live" else ""
            condition = (
                f"WHERE i.instance_id IN (SELECT i.instance_id FROM instances i INDEXED BY {index} {condition}{among} "
                "ORDER BY i.instance_id LIMIT ?)"
            )
            values.append(top + 1)
        rows = self._hub.read(
            f"SELECT {_COLUMNS} {_TABLES} {condition} ORDER BY i.instance_id LIMIT ?", (*values, top + 1)
        )
        following = encode_token(rows[top][0]) if len(rows) > top else ""
        show_input = query.flag("showInput", True)
        items = ",".join(status_json(row, show_input, "") for row in rows[:top])
        return json_text(200, f"[{items}]", {TOKEN_HEADER: following})

    def _index(self, query: Query, prefix: str | None) -> str:
        """The index that leads to the few that are asked for; none: a walk in the order of the ids.

        SQLite would always walk, because it knows nothing of how many there are: through a million that have ended to
        find the few that run, or that are old.
        """
        wanted = _statuses(query, STATUSES)
        # No orchestration's id begins as an entity's does.
        if prefix and not prefix.startswith("@") and wanted and set(wanted) <= set(ACTIVE):
            return "live"
        where, values = _created(query)
        if not where:
            return ""
        few = f"SELECT 1 FROM instances INDEXED BY created WHERE {' AND '.join(where)} LIMIT {FEW + 1}"
        return "created" if self._hub.read(f"SELECT count(*) FROM ({few})", values)[0][0] <= FEW else ""

    def _row(self, instance_id: str) -> tuple[Any, ...] | None:
        rows = self._hub.read(f"SELECT {_COLUMNS} {_TABLES} WHERE i.instance_id=?", (instance_id,))
        return rows[0] if rows else None


def filters(query: Query, statuses: Sequence[str] = STATUSES) -> tuple[list[str], list[Any]]:
    """Conditions on creation and status; what cannot be understood, or is not in `statuses`, is left out, as there."""
    where, values = _created(query)
    wanted = _statuses(query, statuses)
    if wanted:
        where.append(f"status IN ({','.join('?' * len(wanted))})")
        values += wanted
    return where, values


def _created(query: Query) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for name, operator in (("createdTimeFrom", ">="), ("createdTimeTo", "<=")):
        moment = parse(query.get(name) or "")
        if moment is not None:
            where.append(f"created {operator} ?")
            values.append(moment)
    return where, values


def _statuses(query: Query, known: Sequence[str]) -> list[str]:
    return [status for text in query.all("runtimeStatus") for status in text.split(",") if status in known]


class NoTokenError(Exception):
    """A continuation token that this host did not give; `answer` is what the caller gets."""

    def __init__(self, answer: ManagementResponse) -> None:
        self.answer = answer


def page_start(request: ManagementRequest) -> str | None:
    """The first id of the page that is asked for; None: the first page. Raises NoTokenError.

    A token of the right letters that means nothing gets an empty page, as recorded.
    """
    token = request.headers.get(TOKEN_HEADER, "").strip(" ")
    if not token:
        return None
    if not (token.isascii() and token.isprintable()):
        raise NoTokenError(message(400, f"The header {TOKEN_HEADER} holds characters that are in no token."))
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise NoTokenError(json_text(200, "[]", {TOKEN_HEADER: ""})) from None


def encode_token(instance_id: str) -> str:
    """Names the next page's first id."""
    return base64.b64encode(instance_id.encode()).decode()


def status_json(row: tuple[Any, ...], show_input: bool, history: str) -> str:
    """One instance's object; `history` is text to append, from its comma on."""
    instance_id, kind, name, status, input_text, custom, output, created, updated, exists, state = row
    if kind == ENTITY:
        input_text = compact({"exists": bool(exists), "state": state, "sorter": {}})
    return (
        f'{{"name":{quote(name)},"instanceId":{quote(instance_id)},"runtimeStatus":"{status}",'
        f'"input":{strict(input_text) if show_input and input_text is not None else "null"},'
        f'"customStatus":{custom or "null"},"output":{output or "null"},'
        f'"createdTime":"{wire_seconds(created)}","lastUpdatedTime":"{wire_seconds(updated)}"{history}}}'
    )
