"""Traces and metrics reach an OTLP endpoint, cost nothing without one, and never cost a batch."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import settings
from observability import exporting, metrics
from observability.exporting import configure
from observability.tracing import observe_stage, trace_id_of
from pipeline.ports import StoreUnavailable
from pipeline.records import BatchStatus
from tests.support.pipeline import all_batches, delivery, make_pipeline, message, open_sqlite


class Collector:
    """An OTLP endpoint that keeps what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.bodies.append((self.path, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def metrics(self) -> dict[str, list[Any]]:
        """Data points by metric."""
        found: dict[str, list[Any]] = {}
        for path, body in self.bodies:
            if path == "/v1/metrics":
                for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    for scope in resource.scope_metrics:
                        for metric in scope.metrics:
                            data = metric.sum if metric.HasField("sum") else metric.histogram
                            found.setdefault(metric.name, []).extend(data.data_points)
        return found

    def spans(self) -> list[Any]:
        requests = [ExportTraceServiceRequest.FromString(body) for path, body in self.bodies if path == "/v1/traces"]
        return [span for r in requests for one in r.resource_spans for scope in one.scope_spans for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.close()


def attributes(point: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in point.attributes}


async def run_batch(folder: Path) -> Any:
    """One batch that needs one retry, has a duplicate and a rejected message."""
    store = await open_sqlite(folder)
    pipeline = make_pipeline(store)
    await pipeline.receive([delivery(1, message("a", 1)), delivery(2, [message("a", 1), message("b", 1, battery=7)])])
    put, failures = store.messages.put, [1]

    async def once(*args: Any) -> Any:
        if failures:
            failures.pop()
            raise StoreUnavailable("away")
        return await put(*args)

    store.messages.put = once  # type: ignore[method-assign, assignment]
    await pipeline.engine.run()
    [batch] = await all_batches(store)
    await store.close()
    return batch


async def test_metrics_and_traces_arrive(tmp_path: Path, collector: Collector) -> None:
    end = configure(replace(settings.read_settings({}), otlp_endpoint=collector.url))
    assert end is not None
    batch = await run_batch(tmp_path)
    end()
    points = collector.metrics()
    assert [point.sum for point in points["telemetry.batch.events"]] == [2]
    assert [point.sum for point in points["telemetry.batch.messages"]] == [3]
    assert {attributes(p)["outcome"]: p.as_int for p in points["telemetry.messages"]} == {
        "stored": 1,
        "duplicate": 1,
        "rejected": 1,
    }
    assert [(attributes(p)["code"], p.as_int) for p in points["telemetry.rejections"]] == [("battery_out_of_range", 1)]
    assert [(attributes(p)["step"], p.as_int) for p in points["telemetry.retries"]] == [("store", 1)]
    assert points["telemetry.lag"][0].count == 1
    stages = {(attributes(p)["stage"], attributes(p)["outcome"]): p.count for p in points["telemetry.stage.duration"]}
    assert stages[("store", "failed")] == stages[("store", "done")] == stages[("update_drones", "done")] == 1
    spans = collector.spans()
    assert [span.name for span in spans].count("batch store") == 2
    assert {span.trace_id for span in spans} == {trace_id_of(batch.instance_id).to_bytes(16, "big")}
    assert {attributes(span)["batch.id"] for span in spans} == {batch.id}


async def test_an_endpoint_that_is_not_there_costs_no_batch_and_no_long_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SHUTDOWN_SECONDS", 0.5)
    end = configure(replace(settings.read_settings({}), otlp_endpoint="http://127.0.0.1:9"))
    assert end is not None
    batch = await run_batch(tmp_path)
    assert batch.status is BatchStatus.COMPLETED
    end()


async def test_a_measurement_that_fails_costs_no_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("meter is broken")

    monkeypatch.setattr(metrics, "_instruments", Broken())
    assert (await run_batch(tmp_path)).status is BatchStatus.COMPLETED
    assert "measurement lost" in caplog.text


def test_a_wrong_destination_is_logged_and_the_app_starts(caplog: pytest.LogCaptureFixture) -> None:
    assert configure(replace(settings.read_settings({}), application_insights="nonsense")) is None
    assert "traces and metrics do not go there" in caplog.text
    assert "Application Insights" in caplog.text
    assert not metrics.enabled()


@pytest.mark.parametrize("broken", ["_otlp", "_application_insights"])
async def test_one_destination_does_not_take_the_other_down(
    tmp_path: Path,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    def refused(_: str) -> Any:
        raise TypeError("Descriptors cannot be created directly")  # as protobuf says beside another one

    working = exporting._otlp
    monkeypatch.setattr(exporting, "_application_insights", working)
    monkeypatch.setattr(exporting, broken, refused)
    both = replace(settings.read_settings({}), otlp_endpoint=collector.url, application_insights=collector.url)
    end = configure(both)
    assert end is not None
    await run_batch(tmp_path)
    end()
    assert collector.metrics()["telemetry.lag"]
    assert collector.spans()
    assert "Descriptors" in caplog.text


async def test_spans_are_kept_by_ratio_and_metrics_are_not(tmp_path: Path, collector: Collector) -> None:
    end = configure(replace(settings.read_settings({}), otlp_endpoint=collector.url, trace_ratio=0.0))
    assert end is not None
    await run_batch(tmp_path)
    end()
    assert collector.spans() == []
    assert [point.as_int for point in collector.metrics()["telemetry.received"]] == [2]


def test_without_a_destination_nothing_is_set_up_and_no_exporter_imported() -> None:
    code = (
        "import sys, function_app;"
        "from observability import metrics;"
        "assert not metrics.enabled();"
        "assert not [m for m in sys.modules if m.startswith(('opentelemetry.exporter', 'opentelemetry.sdk.metrics'))]"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=settings.APP_ROOT, timeout=60)


def test_an_error_in_a_stage_passes_through() -> None:
    with pytest.raises(ValueError, match="mine"), observe_stage("store", {"batchId": "b", "instanceId": "b~1"}):
        raise ValueError("mine")
