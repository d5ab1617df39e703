"""What a worker says goes out in few writes, but does not wait for a function that blocks its loop."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from functions_host.channel import DONE, SIGNALS, TURNED, Message, Receiver
from functions_host.worker.outbox import Outbox


class Heard:
    """The other end."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._receiver = Receiver()
        self.writes: list[list[Message]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def messages(self) -> list[Message]:
        return [message for write in self.writes for message in write]

    def _listen(self) -> None:
        while data := self._socket.recv(1 << 20):
            self.writes.append(self._receiver.feed(data))

    def wait(self, messages: int) -> None:
        until = time.monotonic() + 10
        while len(self.messages) < messages:
            assert time.monotonic() < until, self.messages
            time.sleep(0.002)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Heard]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        yield ours, Heard(theirs)


async def test_what_is_said_in_one_turn_goes_out_in_one_write(ends: tuple[socket.socket, Heard]) -> None:
    outbox = Outbox(ends[0], asyncio.get_running_loop())
    for number in range(50):
        outbox.send((DONE, number))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.to_thread(ends[1].wait, 50)
    assert [len(write) for write in ends[1].writes] == [50]


async def test_what_is_posted_in_one_turn_is_one_message_of_its_kind(ends: tuple[socket.socket, Heard]) -> None:
    outbox = Outbox(ends[0], asyncio.get_running_loop())
    for number in range(50):
        outbox.post(TURNED, (number, None))
    outbox.post(SIGNALS, (1, "log"))
    outbox.send((DONE, 7))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.to_thread(ends[1].wait, 3)
    assert ends[1].writes == [[(DONE, 7), (TURNED, [(number, None) for number in range(50)]), (SIGNALS, [(1, "log")])]]


async def test_what_is_posted_goes_out_while_the_loop_is_blocked(ends: tuple[socket.socket, Heard]) -> None:
    outbox = Outbox(ends[0], asyncio.get_running_loop())
    outbox.post(TURNED, (1, None))
    ends[1].wait(1)  # blocks the loop
    outbox.post(TURNED, (2, None))
    ends[1].wait(2)


async def test_what_waits_goes_out_while_the_loop_is_blocked(ends: tuple[socket.socket, Heard]) -> None:
    outbox = Outbox(ends[0], asyncio.get_running_loop())
    outbox.send((DONE, 1))
    ends[1].wait(1)  # blocks the loop
    outbox.send((DONE, 2))
    ends[1].wait(2)
    await asyncio.sleep(0)
    outbox.send((DONE, 3))
    ends[1].wait(3)
    assert ends[1].messages == [(DONE, 1), (DONE, 2), (DONE, 3)]


async def test_threads_and_loop_lose_nothing_and_keep_their_order(ends: tuple[socket.socket, Heard]) -> None:
    outbox = Outbox(ends[0], asyncio.get_running_loop())

    def from_thread() -> None:
        for number in range(200):
            outbox.send((DONE, number, "thread"))

    thread = threading.Thread(target=from_thread)
    thread.start()
    for number in range(2000):
        outbox.send((DONE, number, "loop"))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await asyncio.to_thread(thread.join)
    await asyncio.to_thread(ends[1].wait, 2200)
    for who, count in (("loop", 2000), ("thread", 200)):
        assert [message[1] for message in ends[1].messages if message[2] == who] == list(range(count))
