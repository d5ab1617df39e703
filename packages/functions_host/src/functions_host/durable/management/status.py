"""GET instances: one, and lists with filters and pages."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from functions_host.durable.clock import parse, wire_seconds
from functions_host.durable.jsontext import compact, quote
from functions_host.durable.management.answers import Query, empty, json_text, request_url
from functions_host.durable.management.history import history_json
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.orchestration import ACTIVE, ENTITY
from functions_host.durable.transport import ManagementRequest, ManagementResponse

# Ids are compared byte by byte: what begins with a prefix lies between it and it with this behind.
LAST_CHARACTER = "\U0010ffff"
STATUSES = ("Running", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated", "Pending", "Suspended")

_COLUMNS = (
    "i.instance_id, kind, name, status, input, custom_status, output, created, updated, entity_exists, entity_state"
)
_TABLES = "FROM instances i LEFT JOIN inputs USING(instance_id)"


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
        token = request.headers.get("x-ms-continuation-token", "").strip()
        after = decode_token(token) if token else None
        if token and after is None:
            return json_text(200, "[]", {"x-ms-continuation-token": ""})
        if after is not None:
            where.append("i.instance_id >= ?")
            values.append(after)
        top = max(0, query.number("top", 100))
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        rows = self._hub.read(
            f"SELECT {_COLUMNS} {_TABLES} {condition} ORDER BY i.instance_id LIMIT ?", (*values, top + 1)
        )
        following = encode_token(rows[top][0]) if len(rows) > top else ""
        show_input = query.flag("showInput", True)
        items = ",".join(status_json(row, show_input, "") for row in rows[:top])
        return json_text(200, f"[{items}]", {"x-ms-continuation-token": following})

    def _row(self, instance_id: str) -> tuple[Any, ...] | None:
        rows = self._hub.read(f"SELECT {_COLUMNS} {_TABLES} WHERE i.instance_id=?", (instance_id,))
        return rows[0] if rows else None


def filters(query: Query) -> tuple[list[str], list[Any]]:
    """Conditions on creation and status; what cannot be understood is left out, as on the real one."""
    where: list[str] = []
    values: list[Any] = []
    for name, operator in (("createdTimeFrom", ">="), ("createdTimeTo", "<=")):
        moment = parse(query.get(name) or "")
        if moment is not None:
            where.append(f"created {operator} ?")
            values.append(moment)
    wanted = [status for text in query.all("runtimeStatus") for status in text.split(",") if status in STATUSES]
    if wanted:
        where.append(f"status IN ({','.join('?' * len(wanted))})")
        values += wanted
    return where, values


def encode_token(instance_id: str) -> str:
    """Names the next page's first id."""
    return base64.b64encode(instance_id.encode()).decode()


def decode_token(token: str) -> str | None:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def status_json(row: tuple[Any, ...], show_input: bool, history: str) -> str:
    """One instance's object; `history` is text to append, from its comma on."""
    instance_id, kind, name, status, input_text, custom, output, created, updated, exists, state = row
    if kind == ENTITY:
        input_text = compact({"exists": bool(exists), "state": state, "sorter": {}})
    return (
        f'{{"name":{quote(name)},"instanceId":{quote(instance_id)},"runtimeStatus":"{status}",'
        f'"input":{input_text if show_input and input_text is not None else "null"},'
        f'"customStatus":{custom or "null"},"output":{output or "null"},'
        f'"createdTime":"{wire_seconds(created)}","lastUpdatedTime":"{wire_seconds(updated)}"{history}}}'
    )
