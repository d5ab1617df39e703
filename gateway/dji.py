"""DJI Cloud API: what docks, remotes and aircraft publish on an operator's MQTT broker.

Source: https://developer.dji.com/doc/cloud-api-tutorial/en/ (topics ``thing/product/{sn}/osd`` and ``/state``). Bodies
are passed on untouched, with the topic as application property: the serial number stands only there. The pipeline reads
them. Nothing is ever published.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.feed import StoppedFeed
from gateway.forward import Forwarder
from gateway.needs import NotInstalled
from gateway.spool import Message

TOPICS = ("thing/product/+/osd", "thing/product/+/state")
TOPIC_PROPERTY = "topic"
_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_AGAIN_SECONDS = 2.0
_AT_LEAST_ONCE = 1
_SERIAL_PART = 2


class InvalidBroker(ValueError):
    """The broker's URL cannot be understood; the text says why."""


@dataclass(frozen=True)
class Broker:
    """Where the broker is and who asks."""

    scheme: str
    host: str
    port: int
    path: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Broker:
        """``mqtt://HOST[:1883]``, ``mqtts://``, ``ws://`` or ``wss://``, with or without ``USER:PASSWORD@``. A password
        can also stand in ``MQTT_PASSWORD``, where no list of processes shows it. Raises InvalidBroker."""
        try:
            parts = urlsplit(url if "://" in url else f"mqtt://{url}")
            port = parts.port
        except ValueError as error:
            raise InvalidBroker(f"{error}: write mqtt://HOST:PORT") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise InvalidBroker("the broker is mqtt://HOST:PORT, mqtts://, ws:// or wss://")
        return cls(
            parts.scheme,
            parts.hostname,
            port or _PORTS[parts.scheme],
            parts.path or "/mqtt",
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else os.environ.get("MQTT_PASSWORD"),
        )

    def arguments(self) -> dict[str, Any]:
        """As aiomqtt takes them."""
        web = self.scheme in ("ws", "wss")
        return {
            "hostname": self.host,
            "port": self.port,
            "username": self.username,
            "password": self.password,
            "transport": "websockets" if web else "tcp",
            "websocket_path": self.path if web else None,
            "tls_context": ssl.create_default_context() if self.scheme in ("mqtts", "wss") else None,
        }


class BrokerFeed:
    """One session with the broker, which it keeps: what is published with quality of service 1 while the gateway is
    away is delivered afterwards."""

    finite = False

    def __init__(self, broker: Broker, forwarder: Forwarder, client_id: str) -> None:
        self.messages = 0
        self.received = 0
        self.trouble: str | None = "not connected yet"
        self._broker = broker
        self._forwarder = forwarder
        self._client_id = client_id
        self._arrived: list[Message] = []
        self._any = asyncio.Event()

    async def run(self) -> None:
        try:
            import aiomqtt
        except ImportError as error:
            raise StoppedFeed(str(NotInstalled.of(error, "`gateway dji`"))) from None
        passing_on = asyncio.create_task(self._pass_on_all())
        try:
            while True:
                try:
                    client = aiomqtt.Client(
                        **self._broker.arguments(), identifier=self._client_id, clean_session=False, keepalive=30
                    )
                    async with client:
                        await client.subscribe([(topic, _AT_LEAST_ONCE) for topic in TOPICS])
                        self.trouble = None
                        async for message in client.messages:
                            self._take(str(message.topic), message.payload)
                except (aiomqtt.MqttError, OSError) as error:
                    self.trouble = " ".join(str(error).split()) or type(error).__name__
                await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            passing_on.cancel()
            await asyncio.gather(passing_on, return_exceptions=True)

    async def flush(self) -> None:
        await self._pass_on()

    def describe(self) -> str:
        return f"{self.received:,} from the broker" + (f"; broker not reached: {self.trouble}" if self.trouble else "")

    def _take(self, topic: str, payload: Any) -> None:
        body = payload if isinstance(payload, bytes) else str(payload).encode()
        if not body:
            return  # a retained message that was taken back
        self.received += 1
        self._arrived.append(Message(topic.split("/")[_SERIAL_PART], body, {TOPIC_PROPERTY: topic}))
        self._any.set()

    async def _pass_on_all(self) -> None:
        """What arrives while the disk is busy goes into the next transaction."""
        while True:
            await self._any.wait()
            self._any.clear()
            await self._pass_on()

    async def _pass_on(self) -> None:
        arrived, self._arrived = self._arrived, []
        if arrived:
            await self._forwarder.put(arrived)
            self.messages += len(arrived)
