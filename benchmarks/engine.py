"""The durable engine: a chain of four activities here and in durabletask's in-memory backend, in the same run."""

from __future__ import annotations

import os
import tempfile
import time
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from durabletask import client, task, worker
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.testing.in_memory_backend import InMemoryOrchestrationBackend

from benchmarks.report import Row
from tools.local_host import LocalHost, wait_until

APP = Path(__file__).resolve().parent / "apps" / "chain"
INSTANCES = "/runtime/webhooks/durabletask/instances"


def measure(*, quick: bool) -> list[Row]:
    count = 100 if quick else 400
    theirs = _in_memory(count)
    with tempfile.TemporaryDirectory() as folder, _host(Path(folder)) as host:
        _chains(host, "warm", 50)
        before = _cpu_seconds(host)
        ours = _chains(host, "chain", count)
        host_cpu, worker_cpu = (after - b for after, b in zip(_cpu_seconds(host), before, strict=True))
        by_orchestrations = _signals_by_orchestrations(host, 500 if quick else 2_000)
        by_client = _signals_by_client(host, 500 if quick else 2_000)
        small, large = (_fan_out(host, size) for size in (100, 1_000))
        widest, slowest = _others_beside_a_fan_out(host, 1_000 if quick else 10_000)
        finished = 500 if quick else 10_000
        _chains(host, "fill", finished)
        full = _chains(host, "late", count)
    return [
        Row("engine", f"{count} chains of 4, durabletask in memory", theirs, "orchestrations/s"),
        Row("engine", f"{count} chains of 4, this engine on disk", ours, "orchestrations/s"),
        Row("engine", "CPU of a chain of 4: the host", host_cpu / count * 1000, "ms"),
        Row("engine", "CPU of a chain of 4: the workers", worker_cpu / count * 1000, "ms"),
        Row("engine", "against durabletask in memory", ours / theirs, "x", 2),
        Row("engine", f"with {finished:,} finished instances, against the empty engine", full / ours, "x", 0.9),
        Row("engine", "entity signals by orchestrations", by_orchestrations, "signals/s", 2_000),
        Row("engine", "entity signals by a durable client", by_client, "signals/s", 1_000),
        Row("engine", "fan-out of 100 activities in one orchestration", 100 / small, "activities/s"),
        Row("engine", "fan-out of 1,000 activities in one orchestration", 1_000 / large, "activities/s"),
        Row("engine", f"fan-out of {widest:,}: slowest answer to others meanwhile", slowest, "s", 0.5, False),
    ]


def _host(folder: Path) -> LocalHost:
    return LocalHost(folder / "data", app=APP, arguments=("--no-event-hubs",), ready="/admin/host/status")


def _chains(host: LocalHost, prefix: str, count: int) -> float:
    """Starts ``count`` chains from eight connections at once and waits until all have completed; chains per second."""
    began = time.monotonic()
    with futures.ThreadPoolExecutor(8) as pool:
        path = "/runtime/webhooks/durabletask/orchestrators/chain"
        for answer in pool.map(lambda n: host.request("POST", f"{path}/{prefix}-{n}", _input(0)), range(count)):
            assert answer.status == 202, answer
    _wait_completed(host, prefix, count)
    return count / (time.monotonic() - began)


def _wait_completed(host: LocalHost, prefix: str, count: int) -> None:
    query = f"{INSTANCES}?instanceIdPrefix={prefix}-&runtimeStatus=Pending,Running&top=1&showInput=false"
    wait_until(lambda: host.get(query) == [], 300, lambda: f"{count} {prefix} did not complete")


def _fan_out(host: LocalHost, size: int) -> float:
    began = time.monotonic()
    host.request("POST", f"/runtime/webhooks/durabletask/orchestrators/fan_out/fan-{size}", _input(size))
    _wait_completed(host, "fan", 1)
    took = time.monotonic() - began
    assert host.get(f"{INSTANCES}/fan-{size}")["output"] == size * (size + 1) // 2
    return took


def _others_beside_a_fan_out(host: LocalHost, size: int) -> tuple[int, float]:
    """The slowest of the status requests and HTTP functions that others ask one after another until it is over."""
    host.request("POST", f"/runtime/webhooks/durabletask/orchestrators/fan_out/wide-{size}", _input(size))
    slowest, status = 0.0, 202
    while status == 202:
        for method, path in (("POST", "/signal/0"), ("GET", f"{INSTANCES}/wide-{size}")):
            began = time.monotonic()
            status = host.request(method, path).status
            slowest = max(slowest, time.monotonic() - began)
    return size, slowest


def _cpu_seconds(host: LocalHost) -> tuple[float, float]:
    """What the host's process has used so far, and what its workers have (Linux)."""
    assert host.process is not None
    pid = host.process.pid
    started = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return _cpu_seconds_of(pid), sum(_cpu_seconds_of(int(child)) for child in started.split())


def _cpu_seconds_of(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _signals_by_orchestrations(host: LocalHost, signals: int) -> float:
    began = time.monotonic()
    for number in range(10):
        path = f"/runtime/webhooks/durabletask/orchestrators/signal_many/signal-{number}"
        host.request("POST", path, _input(signals // 10))
    _wait_counted(host, "by-orchestration", signals)
    return signals / (time.monotonic() - began)


def _signals_by_client(host: LocalHost, signals: int) -> float:
    began = time.monotonic()
    with futures.ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda _: host.request("POST", f"/signal/{signals // 8}"), range(8)):
            assert answer.status == 202, answer
    _wait_counted(host, "by-client", signals // 8 * 8)
    return signals / (time.monotonic() - began)


def _wait_counted(host: LocalHost, prefix: str, signals: int) -> None:
    def all_counted() -> bool:
        listed = host.get("/runtime/webhooks/durabletask/entities/counter?fetchState=true&top=2000")
        mine = [entity["state"] for entity in listed if entity["entityId"]["key"].startswith(prefix)]
        return bool(sum(mine) == signals)

    wait_until(all_counted, 300, lambda: f"not every signal of {signals} arrived")


def _input(value: int) -> str:
    """As the SDK's client posts an input: JSON inside a JSON string."""
    return str(value)


def _in_memory(count: int) -> float:
    backend = _LoopbackBackend()
    address = backend.start()
    try:
        with worker.TaskHubGrpcWorker(host_address=address) as hub_worker:
            hub_worker.add_orchestrator(_chain)
            hub_worker.add_activity(_add_one)
            hub_worker.start()
            hub_client = client.TaskHubGrpcClient(host_address=address)
            _run_in_memory(hub_client, 20)
            began = time.monotonic()
            _run_in_memory(hub_client, count)
            return count / (time.monotonic() - began)
    finally:
        backend.stop()


def _run_in_memory(hub_client: client.TaskHubGrpcClient, count: int) -> None:
    ids = [hub_client.schedule_new_orchestration(_chain, input=0) for _ in range(count)]
    for instance_id in ids:
        state = hub_client.wait_for_orchestration_completion(instance_id, timeout=300)
        assert state is not None
        assert state.serialized_output == "4"


def _chain(context: task.OrchestrationContext, number: int) -> Any:
    for _ in range(4):
        number = yield context.call_activity(_add_one, input=number)
    return number


def _add_one(_: task.ActivityContext, number: int) -> int:
    return number + 1


class _LoopbackBackend(InMemoryOrchestrationBackend):  # type: ignore[misc]
    """The same backend, listening on loopback instead of on every interface, on a free port."""

    def start(self) -> str:
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"
