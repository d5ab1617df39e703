"""Every call to Azure goes through here: bounded in number and in time, retried where a retry helps.

The Cosmos SDK itself waits out a few 429 by the server's retry-after and follows moved partitions; tenacity retries
what the SDK gives up on, with jitter. Every write of the adapters is safe to send twice, so a call whose answer was
lost is sent again like one that never arrived.

Only a service that does not answer, or errs, uses up a call's time. Waiting for a slot does not, and being throttled
has a longer time of its own where the caller is no person: what a batch asks for comes through slowly, and does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from pipeline.ports import StoreUnavailable

T = TypeVar("T")

THROTTLED = 429
PARTITION_FULL = 1014
"""The sub-status of a 403: a logical partition has its 20 GB."""
BEHIND = 1002
"""The sub-status of a 404: no replica was found that has come as far as this session. Nothing is said of the item."""
PATIENCE = 200.0
"""Seconds: less than the platform lets an HTTP call take."""

_TRANSIENT_STATUS = {408, 410, THROTTLED, 449, 500, 502, 503, 504}
_BACKOFF = wait_random_exponential(multiplier=0.05, max=2)
_MAX_RETRY_AFTER = 10.0


class PartitionFull(StoreUnavailable):
    """A logical partition has no room left. Other partitions have, and this one takes no harm."""


class Calls:
    """``limit`` patient requests at once in this process, and a third as many for those who are waited for by
    somebody: they do not stand behind a batch. Times in seconds."""

    def __init__(self, *, limit: int = 48, deadline: float = 30.0, patience: float = PATIENCE) -> None:
        self._patient = asyncio.Semaphore(limit)
        self._hurried = asyncio.Semaphore(max(1, limit // 3))
        self._deadline = deadline
        self._patience = max(patience, deadline)

    async def run(self, what: str, call: Callable[[], Awaitable[T]], *, patient: bool = False) -> T:
        """The call's result, or whatever it raises that no retry cures. ``StoreUnavailable`` names ``what`` failed, and
        never holds a key, a token or a connection string."""
        spent = _Spent(self._deadline, self._patience if patient else self._deadline)
        slots = self._patient if patient else self._hurried

        async def once() -> T:
            async with slots:
                with spent:
                    return await asyncio.wait_for(call(), spent.left)

        retrying = AsyncRetrying(retry=retry_if_exception(is_transient), stop=spent.charge, wait=_wait, reraise=True)
        try:
            return await retrying(once)
        except asyncio.TimeoutError as error:
            raise StoreUnavailable(f"{what}: no answer within {self._deadline:g} seconds") from error
        except ClientAuthenticationError as error:
            raise StoreUnavailable(f"{what}: access denied to the app's identity") from error
        except Exception as error:
            if is_full(error):
                raise PartitionFull(f"{what}: its logical partition has the 20 GB that one may have") from error
            if _status(error) == THROTTLED:
                raise StoreUnavailable(f"{what}: throttled for {spent.throttled:.0f} seconds (HTTP 429)") from error
            if is_transient(error) or _status(error) in (401, 403):
                raise StoreUnavailable(f"{what}: {_plainly(error)}") from error
            if _status(error) == 404:  # of one item the adapters take care; this is the container or the account
                raise StoreUnavailable(f"{what}: it does not exist") from error
            raise


class _Spent:
    """What a call has used up of its time, and of its time for being throttled. Entered for each try."""

    def __init__(self, deadline: float, patience: float) -> None:
        self._deadline = deadline
        self._patience = patience
        self._began = self._ended = 0.0
        self._used = 0.0
        self.throttled = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._ended = time.monotonic()

    @property
    def left(self) -> float:
        return max(0.001, self._deadline - self._used)

    def charge(self, state: RetryCallState) -> bool:
        """Count the try that failed, and the wait that would follow it; whether that was the last."""
        seconds = self._ended - self._began + state.upcoming_sleep
        error = state.outcome.exception() if state.outcome else None
        if error is not None and _status(error) == THROTTLED:
            self.throttled += seconds
        else:
            self._used += seconds
        return self._used >= self._deadline or self.throttled >= self._patience


def is_transient(error: BaseException) -> bool:
    if isinstance(error, ClientAuthenticationError):
        return False
    if isinstance(error, (ServiceRequestError, ServiceResponseError, aiohttp.ClientError, ConnectionError)):
        return True
    if isinstance(error, HttpResponseError):
        return _status(error) in _TRANSIENT_STATUS or (_status(error) == 404 and _sub_status(error) == BEHIND)
    # Anything else of azure-core is a transport's failure without an answer: half a body, a decode of it.
    return isinstance(error, AzureError) and not isinstance(error, HttpResponseError)


def is_full(error: BaseException) -> bool:
    return _status(error) == 403 and _sub_status(error) == PARTITION_FULL


def is_missing(error: BaseException) -> bool:
    """Whether a 404 is of the item that was asked for, and not of its container (1003), or of a replica."""
    return _status(error) == 404 and not _sub_status(error)


def _status(error: BaseException) -> int | None:
    return getattr(error, "status_code", None)


def _sub_status(error: BaseException) -> int | None:
    return getattr(error, "sub_status", None)


def _plainly(error: BaseException) -> str:
    # The SDKs' own texts hold request headers and bodies: only the status and the kind of error are passed on.
    status = _status(error)
    return f"HTTP {status}" if status else type(error).__name__


def _wait(state: RetryCallState) -> float:
    """Jitter, or longer where the server says how long."""
    wait = _BACKOFF(state)
    error = state.outcome.exception() if state.outcome else None
    headers = getattr(error, "headers", None) or getattr(getattr(error, "response", None), "headers", None) or {}
    for name, seconds in (("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = max(wait, min(float(headers.get(name, 0)) * seconds, _MAX_RETRY_AFTER))
        except (TypeError, ValueError):
            continue
    return wait
