"""Listens to live links and makes each interval's messages; nothing heard is lost when the process is killed."""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.forward import Forwarder
from gateway.journal import Heard, Journal
from gateway.mavlink import rates
from gateway.mavlink.fold import Fold
from gateway.mavlink.links import Reply
from gateway.mavlink.packets import Packets
from gateway.spool import Message

_TICK_SECONDS = 0.1
_MOST_SENDERS = 4096
_DONE = "mavlink.done"
"""The spool's note of the intervals it holds messages of."""


@dataclass
class _Sender:
    packets: Packets = field(default_factory=Packets)
    reply: Reply | None = None
    unasked: list[tuple[int, int]] = field(default_factory=list)


class Station:
    """What the links hear goes to ``received``; ``run`` passes on what they said."""

    def __init__(
        self,
        interval: float,
        device_ids: Mapping[str, str],
        forwarder: Forwarder,
        journal: Journal,
        *,
        request_rates: float | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``request_rates``: ask each vehicle for its position so many times a second; None: ask nothing of anybody."""
        self._fold = Fold(interval, device_ids, warn=tell, appeared=self._appeared)
        self._forwarder = forwarder
        self._journal = journal
        self._request_rates = request_rates
        self._senders: OrderedDict[str, _Sender] = OrderedDict()
        self._gone = Packets()
        self._troubles: dict[str, str] = {}
        self.messages = 0
        self._tell = tell
        self._writing = False

    async def restore(self) -> None:
        """Go on from what an earlier run had heard when it was killed."""
        self._fold.hear_again(json.loads(await self._forwarder.note(_DONE) or "{}"))
        for heard in self._journal.left:
            self._hear(heard)
        self._fold.heard_again()
        await self._pass_on()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            now = time.time()
            self._fold.tick(now)
            self._fold.forget(now)
            await self._pass_on()

    async def flush(self) -> None:
        """What was heard in the intervals that are open, at the end."""
        self._fold.close()
        await self._pass_on()
        try:
            self._journal.clear()
        except OSError as error:
            self._troubles["journal"] = str(error)

    def listening(self, where: str) -> None:
        self._tell(f"listening on {where}")

    def received(self, source: str, data: bytes, reply: Reply, *, datagram: bool) -> None:
        heard = Heard(time.time(), source, data, datagram)
        self._journal.add(heard)
        if not self._writing:
            # When all that is there now has been received: one write for many datagrams.
            self._writing = True
            asyncio.get_running_loop().call_soon(self._write)
        self._hear(heard, reply)

    def trouble(self, link: str, text: str | None) -> None:
        if text is None:
            self._troubles.pop(link, None)
        else:
            self._troubles[link] = text

    def _appeared(self, source: str, system: int, component: int) -> None:
        """A vehicle that is new, or was booted anew."""
        if self._request_rates is not None:
            self._senders[source].unasked.append((system, component))

    def describe(self) -> str:
        """One line about what is heard."""
        everyone = [self._gone, *(sender.packets for sender in self._senders.values())]
        received, bad = (sum(getattr(p, name) for p in everyone) for name in ("received", "bad"))
        line = f"{received:,} packets, {bad:,} bad, {self._fold.vehicles} vehicles"
        return line + "".join(f"; {link}: {text}" for link, text in self._troubles.items())

    def _write(self) -> None:
        self._writing = False
        try:
            self._journal.write()
        except OSError as error:
            self._troubles["journal"] = str(error)

    def _hear(self, heard: Heard, reply: Reply | None = None) -> None:
        sender = self._senders.get(heard.source)
        if sender is None:
            sender = self._senders[heard.source] = _Sender()
            if len(self._senders) > _MOST_SENDERS:
                _, oldest = self._senders.popitem(last=False)
                self._gone.received += oldest.packets.received
                self._gone.bad += oldest.packets.bad
        else:
            self._senders.move_to_end(heard.source)
        if reply is not None:
            sender.reply = reply
        feed = sender.packets.feed_datagram if heard.datagram else sender.packets.feed
        for packet in feed(heard.data):
            self._fold.hear(heard.source, packet, heard.at)
        if sender.unasked and sender.reply is not None and self._request_rates is not None:
            for system, component in sender.unasked:
                for command in rates.requests(system, component, self._request_rates):
                    sender.reply(command)
            sender.unasked.clear()

    async def _pass_on(self) -> None:
        messages = self._fold.take()
        if messages:
            self.messages += len(messages)
            # In one transaction: an interval is either in the spool and noted, or heard again after a kill.
            await self._forwarder.put(encoded(messages), {_DONE: json.dumps(self._fold.done)})


def encoded(messages: Iterable[dict[str, Any]]) -> list[Message]:
    """Messages as they are sent: the bytes that are sent again are the same bytes."""
    return [Message(message["deviceId"], orjson.dumps(message)) for message in messages]
