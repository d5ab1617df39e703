"""A stand-in for the HTTP API, for what the real pipeline cannot be made to show at will: a thousand moving drones,
names that are markup, an answer that is refused. It serves the built page with the same headers as the app does."""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from http_api import map_tiles
from http_api.web_page import read_files, security_headers
from tests.support.stub_alerts import Alerts
from tests.support.stub_reference import HOME, StubReference

DIST = Path(__file__).resolve().parents[2] / "web" / "dist"
MODES = ("ready", "takeoff", "inflight", "landing")
Json = dict[str, Any]
TILE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def letter(number: int, body: bytes, errors: list[Json], status: str = "open") -> Json:
    return {
        "id": f"letter-{number}",
        "status": status,
        "errors": errors,
        "body": base64.b64encode(body).decode(),
        "deviceId": f"drone-{number}",
        "hub": "telemetry",
        "partition": str(number % 4),
        "offset": str(number * 100),
        "sequenceNumber": number,
        "enqueuedAt": stamp(time.time() - 60),
        "index": None,
        "batchId": "batch-0",
        "attempts": 1,
        "createdAt": stamp(time.time() - 50 - number),
        "resolvedAt": None,
        "reason": None,
    }


def batch(number: int, status: str) -> Json:
    done = status == "completed"
    return {
        "id": f"batch-{number}",
        "hub": "telemetry",
        "partition": str(number % 4),
        "firstSequenceNumber": number * 100,
        "lastSequenceNumber": number * 100 + 99,
        "events": 100,
        "messages": 100 if done else None,
        "stored": 97 if done else None,
        "duplicates": 2 if done else None,
        "rejected": 1 if done else None,
        "status": status,
        "stage": None if done else "store",
        "attempts": 1,
        "error": "StoreUnavailable: disk I/O error" if status == "failed" else None,
        "receivedAt": stamp(time.time() - 30 - number * 3),
        "completedAt": stamp(time.time() - 29.4 - number * 3) if done else None,
        "instanceId": f"batch-{number}.1",
        "statusQueryGetUri": f"/runtime/webhooks/durabletask/instances/batch-{number}.1",
    }


def instance(number: int, status: str = "Completed", **more: Any) -> Json:
    """An orchestration as the list shows it."""
    at = stamp(time.time() - 20 - number)
    return {
        "id": f"batch-{number}~1",
        "name": "process_batch",
        "status": status,
        "createdAt": at,
        "updatedAt": at,
        "customStatus": {"stage": "completed"},
        "error": None,
        "batchId": f"batch-{number}",
        **more,
    }


def history() -> list[Json]:
    """Of a batch whose first step failed once, and whose second is under way."""
    began = time.time() - 10

    def event(kind: str, at: float, **more: Any) -> Json:
        return {"EventType": kind, "Timestamp": stamp(began + at), **more}

    return [
        event("ExecutionStarted", 0, FunctionName="process_batch_v2", Input=None),
        event(
            "TaskFailed", 0.3, ScheduledTime=stamp(began + 0.1), FunctionName="store_messages", Reason="disk on fire"
        ),
        event("TimerCreated", 0.4, FireAt=stamp(began + 2.4)),
        event("TimerFired", 0.4, FireAt=stamp(began + 2.4)),
        event("TaskCompleted", 2.7, ScheduledTime=stamp(began + 2.5), FunctionName="store_messages", Result=None),
        event("TaskScheduled", 2.8, Name="finish_batch"),
    ]


@dataclass
class Fleet:
    """Drones flying circles, one message a second each; the state is a function of the time alone."""

    size: int = 1000
    began: float = field(default_factory=time.time)
    registrations: dict[int, Json] = field(default_factory=dict)
    remembers: float = 900.0  # seconds of history

    def view(self, number: int, now: float) -> Json:
        offline, stale = number % 41 == 7, number % 29 == 3
        seen = self.began - 4000 if offline else now - 120 if stale else math.floor(now) + number / (self.size + 1) - 1
        phase = seen / (20 + number % 13) + number
        radius = 0.002 + 0.02 * ((number * 37) % 100) / 100
        battery = round(0.12 + 0.88 * ((number * 61) % 100) / 100, 2)
        low = battery < 0.2
        at = stamp(seen)
        return {
            "id": f"drone-{number}",
            "battery": battery,
            "flightMode": MODES[number % 4],
            "position": {
                "latitude": HOME[0] + radius * math.sin(phase) + ((number * 13) % 50 - 25) / 1500,
                "longitude": HOME[1] + 1.5 * radius * math.cos(phase) + ((number * 7) % 50 - 25) / 1000,
                "altitude": round(40 + 60 * math.sin(phase / 3), 1),
            },
            "health": {"gyrometer": True, "accelerometer": number % 50 != 9, "magnetometer": True},
            "groundSpeed": 4.0 + number % 9,
            "heading": round(math.degrees(-phase) % 360, 1) % 360,
            "derived": {"zones": ["airport"] if number % 97 == 5 else [], "healthy": number % 50 != 9}
            | {"outsideGeofence": False, "altitudeLimitExceeded": False, "distanceFromHome": 1234.5},
            "alerts": [{"code": "low_battery", "at": at}] if low else [],
            "updatedAt": dict.fromkeys(("battery", "position", "flightMode", "groundSpeed", "heading"), at)
            | {"health": stamp(seen - 90)},
            "lastSeen": at,
            "ageSeconds": now - seen,
            "connectivity": "offline" if offline else "stale" if stale else "online",
            "registration": self.registrations.get(number, {"name": f"Courier {number}", "model": "X4"}),
            "lastMessage": {"partition": str(number % 4), "sequenceNumber": int(now), "enqueuedAt": at},
        }

    def history(self, number: int, now: float, since: float) -> list[Json]:
        seconds = range(math.floor(max(since, now - self.remembers)), math.floor(now))
        messages = []
        for second in reversed(seconds):
            view = self.view(number, second + 0.99)
            messages.append(
                {key: view[key] for key in ("position", "groundSpeed", "heading", "flightMode", "derived", "alerts")}
                | {"id": f"{number}-{second}", "deviceId": view["id"], "time": stamp(second), "timeSource": "device"}
                | {"battery": max(0.1, 0.9 - (second % 900) / 1800), "partition": "0", "sequenceNumber": second}
                | {"enqueuedAt": stamp(second), "keyFrame": False, "flags": []}
            )
        return messages


@dataclass
class StubApi:
    fleet: Fleet = field(default_factory=Fleet)
    batches: list[Json] = field(
        default_factory=lambda: [batch(n, "failed" if n == 2 else "completed") for n in range(40)]
    )
    letters: list[Json] = field(default_factory=list)
    flights: list[Json] = field(default_factory=list)
    instances: list[Json] = field(default_factory=list)
    reference: StubReference = field(default_factory=StubReference)
    alerts: Alerts = field(default_factory=Alerts)
    past: list[Json] = field(default_factory=list)
    in_the_hub: int = 0
    held: Json = field(default_factory=lambda: {"batches": 0, "since": None})
    health: Json = field(default_factory=lambda: {name: {"status": "healthy"} for name in ("store", "durable")})
    groups: Json = field(default_factory=lambda: {"items": [], "continuation": None, "letters": 0, "complete": True})
    config: Json = field(
        default_factory=lambda: {"mapTilesUrl": None, "lowBattery": 0.2, "staleSeconds": 60, "offlineSeconds": 600}
    )
    pmtiles: Path | None = None
    me: Json = field(default_factory=lambda: {"signedIn": False, "name": None, "roles": []})
    refuse: Callable[[str], int | None] = lambda path: None  # path → status to refuse it with
    requests: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, Any] | Callable[[Any], tuple[int, Any]]] = field(default_factory=dict)
    """What a change is answered, by "METHOD path"; or what answers its body."""
    changes: list[tuple[str, Any]] = field(default_factory=list)  # "METHOD path" and body of each that was asked for

    def answer(self, path: str, query: dict[str, str]) -> Any:
        now = time.time()
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[:2] == ["api", "drones"] and len(parts) > 2:
            number = int(parts[2].removeprefix("drone-"))
            if parts[-1] == "history":
                since = datetime.fromisoformat(query["from"].replace("Z", "+00:00")).timestamp()
                return {"items": self.fleet.history(number, now, since), "continuation": None}
            return self.fleet.view(number, now)
        wanted = query.get("status", "").split(",") if "status" in query else []
        simple: dict[str, Callable[[], Any]] = {
            "/api/drones": lambda: page([self.fleet.view(n, now) for n in range(self.fleet.size)]),
            "/api/batches": lambda: page([b for b in self.batches if not wanted or b["status"] in wanted]),
            "/api/deadletters": lambda: page([x for x in self.letters if not wanted or x["status"] in wanted]),
            "/api/flights": lambda: page(
                [f for f in self.flights if query.get("deviceId", f["deviceId"]) == f["deviceId"]]
            ),
            "/api/stats/history": lambda: page(self.past),
            "/api/recovery": lambda: {"partitions": [], "events": self.in_the_hub},
            "/api/deadletter-groups": lambda: self.groups,
            "/api/instances": lambda: page([x for x in self.instances if not wanted or x["status"] in wanted]),
            "/api/alerts": lambda: page(self.alerts.listed(query)),
            "/api/stats": lambda: self.stats(now),
            "/api/config": lambda: self.config,
            "/api/me": lambda: self.me,
            "/api/health": lambda: {"parts": self.health},
        }
        if path in simple:
            return simple[path]()
        if parts[1] == "batches" and parts[-1] == "instance":
            known = next((x for x in self.instances if x["batchId"] == parts[2]), None)
            shown = None if known is None else detail(known)
            return {"attempt": int(query["attempt"]), "instanceId": f"{parts[2]}~{query['attempt']}", "instance": shown}
        if parts[1] == "instances":
            return next((detail(x) for x in self.instances if x["id"] == parts[2]), None)
        if parts[1] == "alerts":
            return self.alerts.get(parts[2])
        items = {"batches": self.batches, "deadletters": self.letters, "flights": self.flights}.get(parts[1], [])
        return next((item for item in items if item["id"] == parts[2]), None)

    def stats(self, now: float) -> Json:
        stored = int((now - self.fleet.began) * self.fleet.size)
        statuses = ("received", "running", "completed", "failed")
        return {
            "events": stored // 10,
            "messages": stored + 12 + len(self.letters),
            "stored": stored,
            "duplicates": 12,
            "rejected": len(self.letters),
            "batches": {name: sum(b["status"] == name for b in self.batches) for name in statuses},
            "deadLetters": {
                name: sum(x["status"] == name for x in self.letters) for name in ("open", "replayed", "discarded")
            },
            "drones": self.fleet.size,
            "unprocessed": sum(b["events"] for b in self.batches if b["status"] != "completed"),
            "held": self.held,
            "oldestUnprocessedAt": min(
                (b["receivedAt"] for b in self.batches if b["status"] != "completed"), default=None
            ),
        }

    @cached_property
    def server(self) -> ThreadingHTTPServer:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                stub.requests.append(self.path)
                if self.refused():
                    return None
                if parts.path == map_tiles.PATH and stub.pmtiles is not None:
                    sent = {name.lower(): value for name, value in self.headers.items()}
                    answer = map_tiles.part(stub.pmtiles, sent)
                    return self.reply(answer.status_code, answer.mimetype, answer.get_body(), **answer.headers)
                if parts.path.startswith("/tiles/"):
                    return self.reply(200, "image/png", TILE)
                if not parts.path.startswith("/api/"):
                    file = read_files(DIST).get("index.html" if parts.path == "/" else parts.path.lstrip("/"))
                    return (
                        self.reply(404, "text/plain", b"")
                        if file is None
                        else self.reply(200, file.mimetype, file.body)
                    )
                if self.kept():
                    return None
                answer = stub.answer(parts.path, dict(parse_qsl(parts.query)))
                status = 404 if answer is None else 200
                if parts.path == "/api/health" and any(part["status"] == "unhealthy" for part in stub.health.values()):
                    status = 503
                return self.reply(status, "application/json", json.dumps(answer).encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                if self.refused() or self.kept(body):
                    return
                asked = f"{self.command} {unquote(urlsplit(self.path).path)}"
                sent = json.loads(body) if body else None
                stub.changes.append((asked, sent))
                parts = asked.split("/")
                if parts[2] == "alerts" and asked not in stub.answers:
                    changed = stub.alerts.change(parts[3], parts[4], sent or {})
                    stub.answers[asked] = (404, {"title": "Not found"}) if changed is None else (200, changed)
                answers = stub.answers.get(asked, (404, {"title": "Not found", "detail": asked}))
                status, answer = answers(sent) if callable(answers) else answers
                kind = "application/json" if status < 400 else "application/problem+json"
                self.reply(status, kind, b"" if status == 204 else json.dumps(answer).encode())

            do_PUT = do_DELETE = do_POST

            def refused(self) -> bool:
                status = stub.refuse(urlsplit(self.path).path)
                if status == 302:
                    self.reply(302, "text/plain", b"", Location="/.auth/login/aad")
                elif status is not None:
                    problem = {"status": status, "title": "Refused", "detail": f"refused with {status}"}
                    self.reply(status, "application/problem+json", json.dumps(problem).encode())
                return status is not None

            def kept(self, body: bytes = b"") -> bool:
                """Whether zones or registry have answered."""
                answer = stub.reference.answer(self.command, unquote(urlsplit(self.path).path), self.headers, body)
                if answer is not None:
                    status, content, headers = answer
                    kind = "application/json" if status < 400 else "application/problem+json"
                    self.reply(status, kind, b"" if content is None else json.dumps(content).encode(), **headers)
                return answer is not None

            def reply(self, status: int, kind: str, body: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in {**security_headers(None), **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """The test runner's output stays readable."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def asked(self, start: str) -> int:
        """How many requests began like this."""
        return sum(path.startswith(start) for path in list(self.requests))

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def flight(number: int, start: float, seconds: float = 600.0) -> Json:
    """Of ``drone-<number>``; ``start`` in seconds since the epoch."""
    place = {"latitude": HOME[0], "longitude": HOME[1], "altitude": 10.0, "height": 0.0}
    return {
        "id": f"drone-{number}~{int(start)}~1",
        "deviceId": f"drone-{number}",
        "startedAt": stamp(start),
        "endedAt": stamp(start + seconds),
        "status": "ended",
        "durationSeconds": seconds,
        "distanceMetres": 1234.5,
        "maxHeight": None,
        "maxAltitude": 80.0,
        "maxGroundSpeed": 12.5,
        "batteryStart": 0.9,
        "batteryEnd": 0.7,
        "takeoff": place,
        "landing": place,
        "messages": int(seconds),
        "alerts": ["low_battery"],
        "mission": "survey 7",
    }


def detail(known: Json) -> Json:
    return {
        **known,
        "input": {"batchId": known["batchId"]},
        "output": None,
        "history": known.get("history", history()),
        "historyLeftOut": 0,
        "statusQueryGetUri": f"/runtime/webhooks/durabletask/instances/{known['id']}",
    }


def page(items: list[Json]) -> Json:
    return {"items": items, "continuation": None}
