"""Chains on durabletask's in-memory backend. For each line ``[chains, at once]`` on stdin the seconds they took."""

from __future__ import annotations

import json
import sys
import time
from concurrent import futures

import grpc
from durabletask import client, task, worker
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.testing.in_memory_backend import InMemoryOrchestrationBackend


class LoopbackBackend(InMemoryOrchestrationBackend):
    """The same backend, listening on loopback instead of on every interface, on a free port."""

    def start(self) -> str:
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"


def chain(context: task.OrchestrationContext, number: int):
    for _ in range(4):
        number = yield context.call_activity(add_one, input=number)
    return number


def add_one(_: task.ActivityContext, number: int) -> int:
    return number + 1


def run(hub: client.TaskHubGrpcClient, chains: int, at_once: int) -> float:
    began = time.monotonic()
    for start in range(0, chains, at_once):
        ids = [hub.schedule_new_orchestration(chain, input=0) for _ in range(min(at_once, chains - start))]
        for instance_id in ids:
            state = hub.wait_for_orchestration_completion(instance_id, timeout=300)
            assert state is not None
            assert state.serialized_output == "4", state
    return time.monotonic() - began


def main() -> None:
    backend = LoopbackBackend()
    address = backend.start()
    try:
        with worker.TaskHubGrpcWorker(host_address=address) as hub_worker:
            hub_worker.add_orchestrator(chain)
            hub_worker.add_activity(add_one)
            hub_worker.start()
            hub = client.TaskHubGrpcClient(host_address=address)
            print("ready", flush=True)
            for line in sys.stdin:
                print(run(hub, *json.loads(line)), flush=True)
    finally:
        backend.stop()


if __name__ == "__main__":
    main()
