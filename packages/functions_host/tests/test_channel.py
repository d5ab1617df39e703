"""Frames between host and worker."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from functions_host.channel import CALL, Message, Receiver, Stream, packed
from functions_host.page import Page

MESSAGES: list[Message] = [
    (CALL, 1, "f", "id", None, None, ("plain", "json", "{}")),
    (CALL, 2, "\ud800 é \0", b"\xff" * 70_000, [1.5, float("inf")], {"a": True}),
    (CALL, 2**70, "", b"", [], {}),
]


@pytest.mark.parametrize("seed", range(20))
def test_messages_survive_however_their_bytes_are_cut(seed: int) -> None:
    choose = random.Random(seed)
    data = b"".join(packed(message) for message in MESSAGES * 3)
    receiver, found = Receiver(), []
    while data:
        size = choose.choice([1, 3, 100, 50_000])
        found += receiver.feed(data[:size])
        data = data[size:]
    assert found == MESSAGES * 3


class Own(str):
    __slots__ = ()


@pytest.mark.parametrize("value", [object(), Own("x"), {"a": [Own("x")]}])
def test_what_is_no_plain_value_is_refused_where_it_is_sent(value: Any) -> None:
    with pytest.raises(ValueError, match="unmarshallable"):
        packed((CALL, value))


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Stream, list[list[Message]], asyncio.Event, socket.socket]]:
    one, other = socket.socketpair()
    got: list[list[Message]] = []
    lost = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sock in (one, other):
        sock.setblocking(False)
    sender, receiver = Stream(lambda messages: None, lambda: None), Stream(got.append, lost.set)
    await loop.create_connection(lambda: sender, sock=one)
    await loop.create_connection(lambda: receiver, sock=other)
    yield sender, got, lost, one
    sender.close()
    receiver.close()
    await asyncio.sleep(0)


async def test_what_is_sent_in_one_turn_arrives_together() -> None:
    async with pair() as (sender, got, _, _):
        for message in MESSAGES:
            sender.send(message)
        while sum(map(len, got)) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        sender.send((CALL, 4))
        sender.send((CALL, 5))
        while sum(map(len, got)) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert got[-1] == [(CALL, 4), (CALL, 5)]


async def test_the_end_of_the_other_side_is_told_and_what_is_sent_then_is_dropped() -> None:
    async with pair() as (sender, _, lost, _):
        sender.close()
        await asyncio.wait_for(lost.wait(), 5)
        sender.send((CALL, 1))
        await asyncio.sleep(0.01)


def test_both_sides_see_one_page() -> None:
    page = Page.make()
    other = Page(page.descriptor)
    other.begun = 7
    assert page.begun == 7
    page.take_back(7, 9)
    assert [other.is_taken_back(number) for number in (7, 8, 9, 10)] == [False, True, True, False]
