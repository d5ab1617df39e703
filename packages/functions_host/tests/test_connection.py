from __future__ import annotations

import os
import socket
import threading

import pytest
from functions_host.errors import StartError
from functions_host.eventhubs.connection import (
    local_connection_string,
    names_emulator,
    point_settings_at_local_hub,
    source_of,
    speaks_amqp,
)

AZURE = "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k="
EMULATOR = "Endpoint=sb://localhost;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EventHubConnection", "EventHubConnection__fullyQualifiedNamespace", "Own"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def trigger(**more: str) -> dict[str, object]:
    return {"type": "eventHubTrigger", "connection": "Own", "eventHubName": "hub", **more}


@pytest.mark.parametrize(
    ("text", "is_emulator"),
    [
        (EMULATOR, True),
        (EMULATOR.replace("localhost", "127.0.0.1:5672/"), True),
        (local_connection_string(9), True),
        (AZURE, False),
        ("UseDevelopmentStorage=true", False),
        (EMULATOR.replace("UseDevelopmentEmulator=true;", ""), False),
    ],
)
def test_an_emulators_connection_string_is_recognised(text: str, is_emulator: bool) -> None:
    assert names_emulator(text) is is_emulator


def test_settings_that_name_the_emulator_get_the_real_port() -> None:
    environ = {"Own": EMULATOR, "Azure": AZURE, "Port": EMULATOR.replace("localhost", "localhost:5672")}
    assert sorted(point_settings_at_local_hub(4242, environ, lambda _: False)) == ["EventHubConnection", "Own", "Port"]
    assert environ["Own"].startswith("Endpoint=sb://localhost:4242;SharedAccessKeyName=n;")
    assert environ["Port"] == environ["Own"]
    assert environ["Azure"] == AZURE
    assert names_emulator(environ["EventHubConnection"])


def test_a_setting_that_names_another_hub_that_runs_keeps_it(caplog: pytest.LogCaptureFixture) -> None:
    other = EMULATOR.replace("localhost", "localhost:5999")
    environ = {"Own": other, "EventHubConnection": EMULATOR, "Gone": EMULATOR.replace("localhost", "127.0.0.1:5998")}
    changed = point_settings_at_local_hub(4242, environ, lambda port: port == 5999)
    assert sorted(changed) == ["EventHubConnection", "Gone"]
    assert environ["Own"] == other
    assert "the setting Own names the Event Hubs on port 5999" in caplog.text


def test_only_what_speaks_amqp_is_a_hub() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for said, is_hub in ((b"AMQP\x03\x01\x00\x00", True), (b"HTTP/1.1 400\r\n\r\n", False), (b"", False)):
            asked = threading.Thread(target=_answer, args=(server, said))
            asked.start()
            assert speaks_amqp(port) is is_hub
            asked.join()
    assert not speaks_amqp(port)


def _answer(server: socket.socket, said: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(8)
        connection.sendall(said)


@pytest.mark.parametrize("name", ["EventHubConnection", "EventHubConnection__fullyQualifiedNamespace"])
def test_a_connection_that_is_set_is_left_alone(name: str) -> None:
    environ = {name: AZURE}
    point_settings_at_local_hub(4242, environ)
    assert environ == {name: AZURE}


def test_a_connection_set_nowhere_is_the_local_hub() -> None:
    source = source_of(trigger(), "f", local_port=4242)
    assert source.is_local
    assert source.connection_string == local_connection_string(4242) == os.environ.pop("Own")
    assert source.checkpoint_key == "local/hub"


def test_without_a_local_hub_the_missing_setting_is_named() -> None:
    with pytest.raises(StartError, match=r"function 'f'.*'Own'"):
        source_of(trigger(), "f", local_port=None)


def test_a_namespace_in_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Own", AZURE + ";EntityPath=other")
    source = source_of(trigger(), "f", local_port=4242)
    assert (source.hub, source.is_local) == ("hub", False)
    assert source.checkpoint_key == "ns.servicebus.windows.net/hub"
    assert "EntityPath" not in str(source.connection_string)
    assert source_of(trigger(eventHubName=""), "f", local_port=None).hub == "other"


def test_the_identity_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Own__fullyQualifiedNamespace", "ns.servicebus.windows.net")
    source = source_of(trigger(), "f", local_port=4242)
    assert (source.namespace, source.connection_string) == ("ns.servicebus.windows.net", None)
    assert source.checkpoint_key == "ns.servicebus.windows.net/hub"


def test_an_emulator_elsewhere_is_not_the_local_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Own", EMULATOR.replace("localhost", "localhost:5999"))
    assert not source_of(trigger(), "f", local_port=None).is_local


@pytest.mark.parametrize("text", ["nonsense", "HostName=x"])
def test_a_setting_that_is_no_connection_string_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("Own", text)
    with pytest.raises(StartError, match="'Own'"):
        source_of(trigger(), "f", local_port=4242)
