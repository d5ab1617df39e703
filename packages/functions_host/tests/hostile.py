"""What the tests of hostile apps ask of a host."""

from __future__ import annotations

import threading
from typing import Any

from azure.eventhub import EventData, EventHubProducerClient
from host_support import Answer, HostProcess, http, wait_for

DURABLE = "/runtime/webhooks/durabletask"
RAISED = ("exit", "interrupt", "generator", "cancelled", "stop", "text")


def start(host: HostProcess, name: str, instance: str, given: Any) -> None:
    answer = http("POST", f"{host.url}{DURABLE}/orchestrators/{name}/{instance}", json_body=f'"{given}"')
    assert answer.status == 202, answer.text


def end_of(host: HostProcess, instance: str, seconds: float = 30) -> dict[str, Any]:
    """Its status once it is over."""

    def over() -> dict[str, Any] | None:
        answer = http("GET", f"{host.url}{DURABLE}/instances/{instance}")
        status: dict[str, Any] = answer.json() if answer.body else {}
        return status if answer.status == 200 and status["runtimeStatus"] in ("Completed", "Failed") else None

    return wait_for(over, f"{instance} to end", seconds)


def signal_entity(host: HostProcess, key: str, operation: str) -> None:
    answer = http("POST", f"{host.url}{DURABLE}/entities/counter/{key}?op={operation}", json_body="null")
    assert answer.status == 202, answer.text


def state_of(host: HostProcess, key: str) -> Any:
    answer = http("GET", f"{host.url}{DURABLE}/entities/counter/{key}")
    return answer.json() if answer.status == 200 else None


def send(host: HostProcess, bodies: list[str], partition: str = "0") -> None:
    producer = EventHubProducerClient.from_connection_string(host.ready["eventHubConnection"], eventhub_name="main")
    with producer:
        batch = producer.create_batch(partition_id=partition)
        for body in bodies:
            batch.add(EventData(body))
        producer.send_batch(batch)


def notes(host: HostProcess, name: str) -> list[int]:
    """The process ids that a function noted, one for each time it ran."""
    path = host.data / "app" / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def in_background(url: str) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []

    def ask() -> None:
        try:
            answers.append(http("GET", url, timeout=60))
        except OSError:
            return

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers
