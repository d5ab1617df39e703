"""Every call to Azure goes through here: bounded in number and in time, retried where a retry helps.

The Cosmos SDK itself waits out 429 by the server's retry-after and follows moved partitions; tenacity retries what the
SDK gives up on, with jitter. Every write of the adapters is safe to send twice, so a call whose answer was lost is sent
again like one that never arrived.
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
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, wait_random_exponential

from pipeline.ports import StoreUnavailable

T = TypeVar("T")

_TRANSIENT_STATUS = {408, 410, 429, 449, 500, 502, 503, 504}
_BACKOFF = wait_random_exponential(multiplier=0.05, max=2)
_MAX_RETRY_AFTER = 10.0


class Calls:
    """``limit`` requests at once in this process; each call ends within ``deadline`` seconds, waiting included."""

    def __init__(self, *, limit: int = 48, deadline: float = 30.0) -> None:
        self._slots = asyncio.Semaphore(limit)
        self._deadline = deadline

    async def run(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """The call's result, or whatever it raises that no retry cures. ``StoreUnavailable`` names ``what`` failed, and
        never holds a key, a token or a connection string."""
        end = time.monotonic() + self._deadline

        async def once() -> T:
            async with self._slots:
                return await call()

        retrying = AsyncRetrying(
            retry=retry_if_exception(is_transient), stop=stop_after_delay(self._deadline), wait=_wait, reraise=True
        )
        try:
            return await asyncio.wait_for(retrying(once), max(0.001, end - time.monotonic()))
        except asyncio.TimeoutError as error:
            raise StoreUnavailable(f"{what}: no answer within {self._deadline:g} seconds") from error
        except ClientAuthenticationError as error:
            raise StoreUnavailable(f"{what}: access denied to the app's identity") from error
        except Exception as error:
            if is_transient(error) or _status(error) in (401, 403):
                raise StoreUnavailable(f"{what}: {_plainly(error)}") from error
            if _status(error) == 404:  # of one item the adapters take care; this is the container or the account
                raise StoreUnavailable(f"{what}: it does not exist") from error
            raise


def is_transient(error: BaseException) -> bool:
    if isinstance(error, ClientAuthenticationError):
        return False
    if isinstance(error, (ServiceRequestError, ServiceResponseError, aiohttp.ClientError, ConnectionError)):
        return True
    if isinstance(error, HttpResponseError):
        return _status(error) in _TRANSIENT_STATUS
    # Anything else of azure-core is a transport's failure without an answer: half a body, a decode of it.
    return isinstance(error, AzureError) and not isinstance(error, HttpResponseError)


def _status(error: BaseException) -> int | None:
    return getattr(error, "status_code", None)


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
