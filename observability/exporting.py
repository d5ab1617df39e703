"""Where traces and metrics go: an OTLP endpoint, Application Insights, both, or nowhere.

Nothing of OpenTelemetry's SDK is imported unless a destination is set. The providers are the app's own and not the
process's global ones, which the Functions worker may set for itself. Whatever goes wrong with a destination is logged
and costs no batch: exporting happens in threads of its own, with bounded queues.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from observability import metrics, tracing
from observability.logs import log
from settings import Settings

SERVICE = "drone-telemetry"
EXPORT_SECONDS = 15.0
SHUTDOWN_SECONDS = 3.0


def configure(settings: Settings) -> Callable[[], None] | None:
    """Set the exporters up that the settings name; gives what ends them, None when there are none.

    Never raises: an app that cannot be watched still does its work.
    """
    if settings.otlp_endpoint is None and settings.application_insights is None:
        return None
    try:
        return _configure(settings)
    except Exception as error:
        log(logging.ERROR, "traces and metrics are off", error=repr(error))
        return None


def _configure(settings: Settings) -> Callable[[], None] | None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    exporters = _exporters(settings)
    if not exporters:
        return None
    resource = Resource.create({SERVICE_NAME: SERVICE})
    # By trace id, which is the attempt's: of one attempt either every span is kept or none, whichever process made it.
    tracer_provider = TracerProvider(
        resource=resource, shutdown_on_exit=False, sampler=TraceIdRatioBased(settings.trace_ratio)
    )
    readers = []
    for span_exporter, metric_exporter in exporters:
        tracer_provider.add_span_processor(BatchSpanProcessor(span_exporter))
        readers.append(PeriodicExportingMetricReader(metric_exporter, export_interval_millis=EXPORT_SECONDS * 1000))
    meter_provider = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
    metrics.enable(meter_provider.get_meter(SERVICE))
    tracing.enable(tracer_provider.get_tracer(SERVICE))

    def end() -> None:
        atexit.unregister(end)
        metrics.enable(None)
        tracing.enable(None)
        # A destination that does not answer must not hold the process: what cannot be sent by then is lost.
        threads = [
            threading.Thread(target=provider.shutdown, daemon=True) for provider in (meter_provider, tracer_provider)
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + SHUTDOWN_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    atexit.register(end)
    log(logging.INFO, "traces and metrics are exported", destinations=len(readers))
    return end


def _exporters(settings: Settings) -> list[tuple[Any, Any]]:
    """(span, metric) exporters of the destinations that can be set up. One that cannot takes no other with it.

    That is no far-fetched case in Azure: the worker has loaded a protobuf of its own by then, which OTLP's generated
    messages may refuse.
    """
    found: list[tuple[Any, Any]] = []
    for destination, address, make in (
        ("OTLP", settings.otlp_endpoint, _otlp),
        ("Application Insights", settings.application_insights, _application_insights),
    ):
        if address is not None:
            try:
                found.append(make(address))
            except Exception as error:
                log(logging.ERROR, "traces and metrics do not go there", destination=destination, error=repr(error))
    return found


def _otlp(endpoint: str) -> tuple[Any, Any]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    base = endpoint.rstrip("/")
    return OTLPSpanExporter(f"{base}/v1/traces"), OTLPMetricExporter(f"{base}/v1/metrics")


def _application_insights(connection: str) -> tuple[Any, Any]:
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    return (
        AzureMonitorTraceExporter(connection_string=connection),
        AzureMonitorMetricExporter(connection_string=connection),
    )
