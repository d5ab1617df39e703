"""Starting and restarting instances, waiting for them on request."""

from __future__ import annotations

import math

from functions_host.durable.binding import fixed_query, management_urls
from functions_host.durable.instance_ids import wrong_for_start
from functions_host.durable.jsontext import recompact
from functions_host.durable.management.answers import (
    Query,
    failure,
    invalid_json,
    json_error,
    json_value,
    message,
    unexpected,
)
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.management.status import Status
from functions_host.durable.orchestration import Conflict
from functions_host.durable.transport import ManagementRequest, ManagementResponse

_LONGEST_SECONDS = 2**63 / 10_000_000  # a TimeSpan counts 100 ns in 64 bits
_ARGUMENT = "System.ArgumentException"
_ALREADY_EXISTS = "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException"


class _NoSeconds(Exception):
    """A waiting time that is none; `answer` is what the caller gets."""

    def __init__(self, answer: ManagementResponse) -> None:
        self.answer = answer


def _seconds(text: str | None) -> float | None:
    """A number of seconds; None if there is none. Errors are those of .NET's double.Parse and TimeSpan.FromSeconds."""
    if not text:
        return None
    try:
        seconds = float(text if "_" not in text else "")
    except ValueError:
        wrong = f"The input string '{text}' was not in a correct format."
        raise _NoSeconds(unexpected(wrong, "System.FormatException")) from None
    if math.isnan(seconds):
        raise _NoSeconds(message(400, "TimeSpan does not accept floating point Not-a-Number values."))
    if abs(seconds) > _LONGEST_SECONDS:
        wrong = "TimeSpan overflowed because the duration is too long."
        raise _NoSeconds(unexpected(wrong, "System.OverflowException"))
    return seconds


class Starting:
    """POST orchestrators and POST instances/{id}/restart."""

    def __init__(self, hub: TaskHub, status: Status) -> None:
        self._hub = hub
        self._status = status

    async def start(
        self, request: ManagementRequest, function: str, instance_id: str | None, query: Query
    ) -> ManagementResponse:
        """202 with the URLs, 400 for a body that is no JSON, 409 for an id that is not over.

        The waiting times are read once the instance has started, as the extension does: what is wrong with them is
        an answer about the wait, and the instance runs.
        """
        body = request.body.decode("utf-8", "replace").strip("\ufeff")
        if body.strip() and (error := json_error(body)):
            return invalid_json(error)
        if instance_id is not None and (wrong := wrong_for_start(instance_id)):
            return failure(400, "One or more of the arguments submitted is incorrect", wrong, _ARGUMENT)
        answer = await self._start(function, instance_id, body if body.strip() else None, query.get("version"))
        if not isinstance(answer, str):
            return answer
        return await self._accepted_or_over(request, answer, query)

    async def _accepted_or_over(self, request: ManagementRequest, answer: str, query: Query) -> ManagementResponse:
        """202 with the URLs, or, with both waiting times, what came of it if it is over by then."""
        try:
            timeout, interval = _seconds(query.get("timeout")), _seconds(query.get("pollingInterval"))
        except _NoSeconds as wrong:
            return wrong.answer
        if timeout is not None and interval is not None:
            if interval > timeout:
                text = f"Total timeout {timeout:.15g} should be bigger than retry timeout {interval:.15g}"
                return message(400, text)
            await self._hub.wait_for_end(answer, timeout)
            ended = self._status.output_if_over(request, answer)
            if ended is not None:
                return ended
        return self._accepted(request, answer)

    async def restart(self, request: ManagementRequest, instance_id: str, query: Query) -> ManagementResponse:
        """The same function and input again, under a new id unless told otherwise."""
        rows = self._hub.read(
            "SELECT name, version, input FROM instances LEFT JOIN inputs USING(instance_id) "
            "WHERE instance_id=? AND kind=0",
            (instance_id,),
        )
        if not rows:
            wrong = f"An orchestrastion with the instanceId {instance_id} was not found."
            return failure(400, "InstanceId does not match a valid orchestration instance.", wrong, _ARGUMENT)
        name, version, input_text = rows[0]
        fresh = query.flag("restartWithNewInstanceId", True)
        try:
            new_id = await self._hub.start_instance(
                name, None if fresh else instance_id, recompact(input_text), version, restarted=True
            )
        except Conflict as conflict:
            wrong = f"An Orchestration instance with the status {conflict} already exists."
            return failure(409, "The orchestration instance is not over.", wrong, _ALREADY_EXISTS)
        return await self._accepted_or_over(request, new_id, query)

    async def _start(
        self, function: str, instance_id: str | None, input_text: str | None, version: str | None
    ) -> str | ManagementResponse:
        try:
            return await self._hub.start_instance(function, instance_id, input_text, version)
        except Conflict as conflict:
            return message(409, f"An Orchestration instance with the status {conflict} already exists.")

    def _accepted(self, request: ManagementRequest, instance_id: str) -> ManagementResponse:
        options = self._hub.options
        query = fixed_query(options.hub_name, options.connection_name)
        urls = management_urls(request.base_url, instance_id, query, rewind=False)
        return json_value(202, urls, {"Location": urls["statusQueryGetUri"], "Retry-After": "10"})
