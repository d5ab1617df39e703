"""Doing one thing to many: gather what to do it to, then do it to some at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from pipeline.ports import Page

T = TypeVar("T")
R = TypeVar("R")

PAGE = 1000


async def gather_pages(page: Callable[[int, str | None], Awaitable[Page[T]]], limit: int) -> list[T]:
    """Up to ``limit`` items of a paged query; ``page`` takes a page's size and the continuation.

    Gathered before anything is done to them: what is done may change what the query matches, and would move the pages
    under the reader.
    """
    found: list[T] = []
    continuation: str | None = None
    while len(found) < limit:
        one = await page(min(PAGE, limit - len(found)), continuation)
        found += one.items
        continuation = one.continuation
        if continuation is None:
            break
    return found


async def for_each(items: Iterable[T], at_once: int, work: Callable[[T], Awaitable[R]]) -> list[R]:
    """The results of ``work`` in the order of ``items``, with ``at_once`` under way at any time. The first error is
    raised when all have ended: nothing is still being done when the caller is told."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with gate:
            return await work(item)

    results = await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
