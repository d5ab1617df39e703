from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from amqtt.broker import Broker as MqttBroker

from gateway.dji import Broker, BrokerFeed, InvalidBroker
from tests.support.gateway.fake_hub import FakeHub, forwarding

OSD = {"timestamp": 1767225600123, "gateway": "4TADKAQ000002J", "data": {"latitude": 52.51, "longitude": 13.4}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def started(port: int) -> MqttBroker:
    broker = MqttBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    return broker


@pytest.fixture
async def port() -> AsyncIterator[int]:
    number = free_port()
    broker = await started(number)
    yield number
    await broker.shutdown()


async def until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not true():
        assert loop.time() < deadline
        await asyncio.sleep(0.02)


async def running(folder: Path, hub: FakeHub, port: int, body: Callable[[BrokerFeed], Awaitable[None]]) -> BrokerFeed:
    forwarder = forwarding(folder, hub)
    feed = BrokerFeed(Broker.parse(f"mqtt://127.0.0.1:{port}"), forwarder, "test-gateway")
    task = asyncio.create_task(feed.run())
    try:
        await body(feed)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await feed.flush()
        await forwarder.drain(5)
        await forwarder.close()
    return feed


async def test_what_is_published_arrives_untouched_with_its_topic_and_the_serial_as_key(
    tmp_path: Path, port: int
) -> None:
    hub = FakeHub()
    bodies = [json.dumps({**OSD, "n": n}).encode() for n in range(20)]

    async def fly(feed: BrokerFeed) -> None:
        await until(lambda: feed.trouble is None)
        async with aiomqtt.Client("127.0.0.1", port) as drone:
            for n, body in enumerate(bodies):
                await drone.publish(f"thing/product/1581F5F{n % 2}/{'state' if n % 5 == 0 else 'osd'}", body, qos=n % 2)
            await drone.publish("thing/product/1581F5F0/services", b"{}")
            await drone.publish("sys/product/1581F5F0/status", b"{}")
        await until(lambda: len(hub.got) == 20)

    feed = await running(tmp_path, hub, port, fly)
    assert feed.received == feed.messages == 20
    assert hub.of("1581F5F0") == bodies[0::2]
    assert hub.of("1581F5F1") == bodies[1::2]
    assert {p["topic"] for p in hub.properties if p} == {
        f"thing/product/1581F5F{n}/{kind}" for n in (0, 1) for kind in ("osd", "state")
    }


async def test_a_broker_that_goes_and_comes_back_is_reached_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dji._AGAIN_SECONDS", 0.05)
    hub = FakeHub()
    number = free_port()

    async def publish(body: bytes) -> None:
        async with aiomqtt.Client("127.0.0.1", number) as drone:
            await drone.publish("thing/product/1581F5F/osd", body, qos=1)

    def got(body: bytes) -> bool:
        return ("1581F5F", body) in hub.got

    async def fly(feed: BrokerFeed) -> None:
        await until(lambda: feed.trouble not in (None, "not connected yet"))
        assert "broker not reached" in feed.describe()
        for body in (b'{"n":1}', b'{"n":2}'):
            broker = await started(number)
            await until(lambda: feed.trouble is None)
            await publish(body)
            await until(partial(got, body))
            await broker.shutdown()
            await until(lambda: feed.trouble is not None)

    await running(tmp_path, hub, number, fly)
    assert [body for _, body in hub.got] == [b'{"n":1}', b'{"n":2}']


def test_broker_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MQTT_PASSWORD", "from-outside")
    assert Broker.parse("mqtt://broker.local") == Broker("mqtt", "broker.local", 1883, "/mqtt", None, "from-outside")
    secret = Broker.parse("wss://me:p%40ss@broker:8084/ws")
    assert (secret.username, secret.password, secret.port, secret.path) == ("me", "p@ss", 8084, "/ws")
    assert "p@ss" not in repr(secret)
    assert secret.arguments()["websocket_path"] == "/ws"
    assert secret.arguments()["tls_context"] is not None
    assert Broker.parse("10.0.0.4:1884").port == 1884
    for wrong in ("http://broker", "mqtt://", "mqtt://broker:port"):
        with pytest.raises(InvalidBroker, match="mqtt://HOST:PORT"):
            Broker.parse(wrong)
