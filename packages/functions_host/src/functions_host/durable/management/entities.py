"""Entities over HTTP: signal, read, list."""

from __future__ import annotations

import json
from typing import Any

from functions_host.durable.clock import parse, wire
from functions_host.durable.entities import entity_instance_id
from functions_host.durable.failures import unknown_function
from functions_host.durable.instance_ids import wrong_key
from functions_host.durable.jsontext import compact, quote, strict
from functions_host.durable.management.answers import Query, empty, is_json_type, json_error, json_text, message
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.management.status import (
    LAST_CHARACTER,
    TOKEN_HEADER,
    NoTokenError,
    encode_token,
    page_start,
)
from functions_host.durable.orchestration import ENTITY
from functions_host.durable.transport import ManagementRequest, ManagementResponse


class EntityApi:
    """Names are compared without case, keys with it; ``$`` is the empty key, on GET only."""

    def __init__(self, hub: TaskHub) -> None:
        self._hub = hub

    async def handle(
        self, request: ManagementRequest, rest: list[str], query: Query, trailing: bool
    ) -> ManagementResponse:
        method = request.method.upper()
        if method == "GET":
            if len(rest) == 2 and rest[1]:
                return self._read(rest[0], rest[1])
            if len(rest) > 2:
                return empty(404)
            return self._list(request, rest[0] if rest else "", query)
        if len(rest) == 1 and trailing:
            rest = [rest[0], ""]
        if method not in ("POST", "DELETE") or len(rest) != 2 or not rest[0]:
            return empty(404)
        return await self._signal(request, rest[0], rest[1], query)

    async def _signal(self, request: ManagementRequest, name: str, key: str, query: Query) -> ManagementResponse:
        """202 once the operation is stored; 400 for an entity that is not registered or a body that is no JSON."""
        names = self._hub.entity_names
        if not names.has(name):
            return message(400, unknown_function("entity", name, names.all()))
        if wrong := wrong_key(key):
            return message(400, wrong)
        if request.method.upper() == "DELETE":
            await self._hub.signal_entity(name, key, "delete", '""')
            return empty(202)
        text = request.body.decode("utf-8", "replace")
        input_text: str | None = None
        if text and is_json_type(request):
            if error := json_error(text):
                return message(400, f"Could not parse JSON content: {error}")
            input_text = compact(json.loads(text))
        elif text:
            input_text = quote(text)
        await self._hub.signal_entity(name, key, query.get("op") or "", input_text)
        return empty(202)

    def _read(self, name: str, key: str) -> ManagementResponse:
        """200 with the bare state, ``null`` for one whose state is gone; 404 for one never written."""
        instance_id = entity_instance_id(name, "" if key == "$" else key)
        rows = self._hub.read("SELECT entity_state FROM instances WHERE instance_id=? AND kind=1", (instance_id,))
        return json_text(200, strict(rows[0][0] or "null")) if rows else empty(404)

    def _list(self, request: ManagementRequest, name: str, query: Query) -> ManagementResponse:
        """200 with up to `top` entities; without fetchState those that do not exist are left out.

        As on the real one a page is cut from all ids that begin like an entity's, then what is no entity is left out:
        it may be short, even empty, and still have a successor.
        """
        where, values = list[str](), list[Any]()
        prefix = f"@{name.lower()}@" if name else "@"
        where.append("instance_id >= ? AND instance_id < ?")
        values += [prefix, prefix + LAST_CHARACTER]
        for parameter, operator in (("lastOperationTimeFrom", ">="), ("lastOperationTimeTo", "<=")):
            moment = parse(query.get(parameter) or "")
            if moment is not None:
                where.append(f"updated {operator} ?")
                values.append(moment)
        fetch_state = query.flag("fetchState", False)
        try:
            after = page_start(request)
        except NoTokenError as wrong:
            return wrong.answer
        if after is not None:
            where.append("instance_id >= ?")
            values.append(after)
        top = max(0, query.number("top", 100))
        rows = self._hub.read(
            "SELECT instance_id, updated, entity_exists, entity_state, kind FROM instances "
            f"WHERE {' AND '.join(where)} ORDER BY instance_id LIMIT ?",
            (*values, top + 1),
        )
        following = encode_token(rows[top][0]) if len(rows) > top else ""
        items = ",".join(
            _entity_json(row, fetch_state) for row in rows[:top] if row[4] == ENTITY and (row[2] or fetch_state)
        )
        return json_text(200, f"[{items}]", {TOKEN_HEADER: following})


def _entity_json(row: tuple[Any, ...], fetch_state: bool) -> str:
    instance_id, updated, exists, state, _ = row
    name, _, key = instance_id[1:].partition("@")
    shown = strict(state) if fetch_state and exists and state is not None else "null"
    return (
        f'{{"entityId":{{"name":{quote(name)},"key":{quote(key)}}},'
        f'"lastOperationTime":"{wire(updated)}","state":{shown}}}'
    )
