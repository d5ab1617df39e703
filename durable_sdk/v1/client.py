"""The client of 1.x. Its call for several instances gives the first page only: the API itself is asked for the rest."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import orjson
from yarl import URL

from durable_sdk.client import CommonClient
from durable_sdk.v1.session import TOKEN_HEADER, session
from pipeline.durable import InstanceStatus, Walk

PAGE = 100


class Client(CommonClient):
    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus], walk: Walk
    ) -> list[str]:
        url = URL(str(self._client._orchestration_bindings.rpc_base_url).rstrip("/") + "/instances")
        query = {
            "createdTimeTo": created_before.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "runtimeStatus": ",".join(sorted(status.value for status in statuses)),
            "instanceIdPrefix": prefix,
            "top": str(PAGE),
        }
        # A call that fails has the next one begin anew: its token may be what the engine does not like.
        token, walk.token, walk.over = walk.token, None, False
        found: list[str] = []
        for _ in range(walk.pages):
            async with session().get(url, params=query, headers={TOKEN_HEADER: token} if token else {}) as response:
                response.raise_for_status()
                found += [row["instanceId"] for row in orjson.loads(await response.read())]
                token = response.headers.get(TOKEN_HEADER, "").strip() or None
            if token is None:  # a page may be short, or empty, and still carry one
                break
        walk.token, walk.over = token, token is None
        return found
