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

from http_api.web_page import read_files, security_headers

DIST = Path(__file__).resolve().parents[2] / "web" / "dist"
HOME = (47.476075, -122.192026)
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


@dataclass
class Fleet:
    """Drones flying circles, one message a second each; the state is a function of the time alone."""

    size: int = 1000
    began: float = field(default_factory=time.time)
    registrations: dict[int, Json] = field(default_factory=dict)

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
        seconds = range(math.floor(max(since, now - 900)), math.floor(now))
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
    config: Json = field(
        default_factory=lambda: {"mapTilesUrl": None, "lowBattery": 0.2, "staleSeconds": 60, "offlineSeconds": 600}
    )
    refuse: Callable[[str], int | None] = lambda path: None  # path → status to refuse it with
    requests: list[str] = field(default_factory=list)

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
            "/api/stats": lambda: self.stats(now),
            "/api/config": lambda: self.config,
            "/api/zones": zones,
            "/api/health": lambda: {"parts": {"store": {"status": "healthy"}, "durable": {"status": "healthy"}}},
        }
        if path in simple:
            return simple[path]()
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
                refused = stub.refuse(parts.path)
                if refused == 302:
                    return self.reply(302, "text/plain", b"", Location="/.auth/login/aad")
                if refused is not None:
                    problem = {"status": refused, "title": "Refused", "detail": f"refused with {refused}"}
                    return self.reply(refused, "application/problem+json", json.dumps(problem).encode())
                if parts.path.startswith("/tiles/"):
                    return self.reply(200, "image/png", TILE)
                if not parts.path.startswith("/api/"):
                    file = read_files(DIST).get("index.html" if parts.path == "/" else parts.path.lstrip("/"))
                    return (
                        self.reply(404, "text/plain", b"")
                        if file is None
                        else self.reply(200, file.mimetype, file.body)
                    )
                answer = stub.answer(parts.path, dict(parse_qsl(parts.query)))
                status = 404 if answer is None else 200
                return self.reply(status, "application/json", json.dumps(answer).encode())

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


def page(items: list[Json]) -> Json:
    return {"items": items, "continuation": None}


def zones() -> Json:
    def square(name: str, kind: str, reach: float, ceiling: float | None) -> Json:
        south, west = HOME[0] - reach, HOME[1] - 1.6 * reach
        north, east = HOME[0] + reach, HOME[1] + 1.6 * reach
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        properties = {"id": name, "name": name.title(), "kind": kind, "floor": None, "ceiling": ceiling}
        return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}

    features = [square("airport", "no_fly", 0.006, None), square("city", "geofence", 0.045, 120)]
    return {"type": "FeatureCollection", "features": features}
