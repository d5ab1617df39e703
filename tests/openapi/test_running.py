"""The running app against its own description: each route asked for real, then with whatever schemathesis thinks of."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.conformance import Description
from tests.support.senders import flights, send
from tools.local_host import LocalHost

pytestmark = pytest.mark.e2e

BAD = b'[{"deviceId":"drone-0","battery":7},{"deviceId":"drone-1","heading":-1}]'
NO_ZONES = {"type": "FeatureCollection", "features": []}
SEED = 20260124
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """A host with a small fleet, its history and two dead letters."""
    with LocalHost(tmp_path_factory.mktemp("openapi") / "data") as running:
        send(running.connection, [*flights(5, 4), BAD])
        running.settled(messages=22)
        yield running


@pytest.fixture(scope="module")
def description(host: LocalHost) -> Description:
    return Description(host.get("/api/openapi.json"))


@pytest.fixture(scope="module")
def known(host: LocalHost) -> dict[str, list[str]]:
    """Ids of what is there, by the beginning of the path that takes them."""
    return {
        "/api/drones/": [drone["id"] for drone in host.items("/api/drones")],
        "/api/v1/dronestatus/": ["drone-0"],
        "/api/batches/": [batch["id"] for batch in host.items("/api/batches")],
        "/api/deadletters/": [letter["id"] for letter in host.items("/api/deadletters")],
        "/api/instances/": [one["id"] for one in host.items("/api/instances?status=Completed&idPrefix=telemetry")],
    }


def test_every_route_answers_as_described(
    host: LocalHost, description: Description, known: dict[str, list[str]]
) -> None:
    batch, letter = known["/api/batches/"][0], known["/api/deadletters/"][0]
    instance = "/api/instances/" + known["/api/instances/"][0]
    tag = host.request("GET", "/api/drones/drone-0").headers["etag"]
    zones = host.request("GET", "/api/zones").headers["etag"]
    flight = host.items("/api/flights")[0]["id"]
    message = {"deviceId": "drone-0", "battery": 0.5}
    corrected = {"text": json.dumps({"deviceId": "drone-9", "battery": 0.5})}
    asked: list[tuple[int, str, str, str, Any, dict[str, str]]] = [
        (200, "GET", "/api/drones", "?fields=battery&limit=2", None, {}),
        (400, "GET", "/api/drones", "?limit=x", None, {}),
        (200, "GET", "/api/drones/{id}", "/api/drones/drone-0", None, {}),
        (304, "GET", "/api/drones/{id}", "/api/drones/drone-0", None, {"If-None-Match": tag}),
        (404, "GET", "/api/drones/{id}", "/api/drones/%2e%2e", None, {}),
        (200, "GET", "/api/drones/{id}/history", "/api/drones/drone-0/history?limit=3", None, {}),
        (200, "GET", "/api/drones/{id}/history", "/api/drones/drone-0/history?format=geojson", None, {}),
        *(
            (200, "GET", "/api/drones/{id}/history", f"/api/drones/drone-0/history?format={name}&every=2", None, {})
            for name in ("json", "csv", "gpx", "kml")
        ),
        (404, "GET", "/api/drones/{id}/history", "/api/drones/nobody/history", None, {}),
        (200, "GET", "/api/drones/{id}/flights", "/api/drones/drone-0/flights", None, {}),
        (200, "GET", "/api/flights", "?deviceId=drone-0", None, {}),
        (200, "GET", "/api/flights/{id}", f"/api/flights/{flight}", None, {}),
        (404, "GET", "/api/flights/{id}", "/api/flights/nothing", None, {}),
        *(
            (200, "GET", "/api/flights/{id}/track", f"/api/flights/{flight}/track?format={name}", None, {})
            for name in ("geojson", "csv", "gpx", "kml")
        ),
        (200, "GET", "/api/alerts", "?status=active&acknowledged=false&code=low_battery", None, {}),
        (400, "GET", "/api/alerts", "?acknowledged=yes", None, {}),
        (404, "GET", "/api/alerts/{id}", "/api/alerts/drone-0~low_battery~0", None, {}),
        (404, "POST", "/api/alerts/{id}/acknowledge", "/api/alerts/nothing/acknowledge", {"note": "x"}, {}),
        (404, "POST", "/api/alerts/{id}/notify", "/api/alerts/drone-0~low_battery~0/notify", None, {}),
        (200, "GET", "/api/v1/dronestatus/{deviceid}", "/api/v1/dronestatus/drone-0", None, {}),
        (200, "GET", "/api/GetStatusFunction", "?deviceId=drone-0", None, {}),
        (400, "GET", "/api/GetStatusFunction", "", None, {}),
        (200, "GET", "/api/zones", "", None, {}),
        (304, "GET", "/api/zones", "", None, {"If-None-Match": zones}),
        (428, "PUT", "/api/zones", "", NO_ZONES, {}),
        (412, "PUT", "/api/zones", "", NO_ZONES, {"If-Match": '"other"'}),
        (400, "PUT", "/api/zones", "", {"type": "FeatureCollection", "features": [{}]}, {"If-Match": zones}),
        (200, "PUT", "/api/zones", "", NO_ZONES, {"If-Match": zones}),
        (200, "GET", "/api/zones/versions", "", None, {}),
        (200, "GET", "/api/zones/versions/{version}", "/api/zones/versions/1", None, {}),
        (404, "GET", "/api/zones/versions/{version}", "/api/zones/versions/99", None, {}),
        (200, "POST", "/api/zones/versions/{version}/restore", "/api/zones/versions/1/restore", None, {}),
        (200, "GET", "/api/registry", "", None, {}),
        (201, "PUT", "/api/registry/{id}", "/api/registry/new-one", {"name": "Falcon"}, {}),
        (428, "PUT", "/api/registry/{id}", "/api/registry/new-one", {"name": "Hawk"}, {}),
        (412, "PUT", "/api/registry/{id}", "/api/registry/new-one", {"name": "Hawk"}, {"If-None-Match": "*"}),
        (200, "GET", "/api/registry/{id}", "/api/registry/new-one", None, {}),
        (404, "DELETE", "/api/registry/{id}", "/api/registry/nobody", None, {}),
        (204, "DELETE", "/api/registry/{id}", "/api/registry/new-one", None, {"If-Match": "*"}),
        (202, "POST", "/api/telemetry", "", [message], {}),
        (400, "POST", "/api/telemetry", "", [message, {}], {}),
        (413, "POST", "/api/telemetry", "", b" " * (1024 * 1024 + 1), {"Content-Type": "application/json"}),
        (415, "POST", "/api/telemetry", "", b"x", {"Content-Type": "text/plain"}),
        (200, "GET", "/api/batches", "?status=completed", None, {}),
        (200, "GET", "/api/batches/{id}", f"/api/batches/{batch}", None, {}),
        (200, "GET", "/api/batches/{id}/instance", f"/api/batches/{batch}/instance", None, {}),
        (400, "GET", "/api/batches/{id}/instance", f"/api/batches/{batch}/instance?attempt=9", None, {}),
        (202, "POST", "/api/batches/{id}/replay", f"/api/batches/{batch}/replay", None, {}),
        (404, "POST", "/api/batches/{id}/replay", "/api/batches/nothing/replay", None, {}),
        (202, "POST", "/api/batches/replay", "", {"status": "failed"}, {}),
        (200, "GET", "/api/deadletters", "?status=open", None, {}),
        (200, "GET", "/api/deadletters/{id}", f"/api/deadletters/{letter}", None, {}),
        (409, "POST", "/api/deadletters/{id}/replay", f"/api/deadletters/{letter}/replay", None, {}),
        (200, "POST", "/api/deadletters/replay", "", {"deviceId": "drone-1"}, {}),
        (200, "GET", "/api/deadletter-groups", "?status=open", None, {}),
        (200, "POST", "/api/deadletters/{id}/check", f"/api/deadletters/{letter}/check", {"text": "{}"}, {}),
        (409, "POST", "/api/deadletters/{id}/correct", f"/api/deadletters/{letter}/correct", {"text": "{}"}, {}),
        (200, "POST", "/api/deadletters/{id}/correct", f"/api/deadletters/{letter}/correct", corrected, {}),
        (400, "POST", "/api/deadletters/{id}/discard", f"/api/deadletters/{letter}/discard", {}, {}),
        (200, "GET", "/api/instances", "?status=Completed&limit=1", None, {}),
        (400, "GET", "/api/instances", "?idPrefix=@drone", None, {}),
        (200, "GET", "/api/instances/{id}", instance, None, {}),
        (404, "GET", "/api/instances/{id}", "/api/instances/@drone@drone-0", None, {}),
        *(
            (409, "POST", f"/api/instances/{{id}}/{word}", f"{instance}/{word}", {"reason": "x"}, {})
            for word in ("suspend", "resume", "terminate")
        ),
        (202, "POST", "/api/instances/{id}/restart", f"{instance}/restart", None, {}),
        (204, "DELETE", "/api/instances/{id}", instance, None, {}),
        (200, "GET", "/api/stats", "", None, {}),
        (200, "GET", "/api/stats/history", "?since=2026-01-01T00:00:00Z", None, {}),
        (400, "GET", "/api/stats/history", "?since=lately", None, {}),
        (200, "GET", "/api/recovery", "", None, {}),
        (200, "POST", "/api/recovery", "", {"partition": "0", "first": 0, "last": 0}, {}),
        (200, "GET", "/api/health", "", None, {}),
        (200, "GET", "/api/openapi.json", "", None, {}),
        (200, "GET", "/api/schemas/telemetry.json", "", None, {}),
        (200, "GET", "/api/config", "", None, {}),
        (200, "GET", "/api/me", "", None, {}),
        (404, "GET", "/api/map.pmtiles", "", None, {"Range": "bytes=0-15"}),
        (404, "GET", "/assets/{path}", "/assets/..%2f..%2ffunction_app.py", None, {}),
    ]
    for status, method, path, url, body, headers in asked:
        answer = host.request(method, url if url.startswith("/") else path + url, body, headers=headers)
        where = f"{method} {url or path}"
        assert answer.status == status, f"{where}: {answer.status} {answer.body[:300]!r}"
        sent = {name.lower(): value for name, value in answer.headers.items()}
        description.check(method, path, answer.status, sent, answer.body)
        assert "access-control-allow-origin" not in sent, where
    for path in ("/api/v1/dronestatus", "/api/v1/dronestatus/"):
        missing = host.request("GET", path)
        assert (missing.status, missing.json()["detail"]) == (400, "Missing DeviceId")
    page = host.request("GET", "/")
    assert page.status in (200, 404)  # 404 in a checkout where nobody has built it
    assert page.headers["content-type"] in ("text/html; charset=utf-8", "application/problem+json")
    description.check("GET", "/", page.status, {k.lower(): v for k, v in page.headers.items()}, page.body)
    asked_for = {(method, path) for _, method, path, *_ in asked} | {("GET", "/")}
    assert asked_for | {("POST", "/api/deadletters/{id}/discard")} == set(description.operations())


def test_a_foreign_page_is_not_let_in(host: LocalHost) -> None:
    for method in ("GET", "OPTIONS"):
        answer = host.request(
            method,
            "/api/drones",
            headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
        )
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_schemathesis_finds_nothing(
    host: LocalHost, description: Description, known: dict[str, list[str]], tmp_path: Path
) -> None:
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(_with_known_ids(description.document, known)))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(described), "--url", host.url),
            *("--checks", ",".join(CHECKS), "--max-examples", "20", "--seed", str(SEED), "--max-time", "12"),
            *("--no-color", "--warnings", "off", "--phases", "examples,coverage,fuzzing"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert f"{len(description.operations())} selected" in run.stdout


def _with_known_ids(document: dict[str, Any], known: dict[str, list[str]]) -> dict[str, Any]:
    """The description, with ids that lead somewhere beside those that schemathesis makes up."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for path, item in copy["paths"].items():
        for beginning, ids in known.items():
            if not path.startswith(beginning):
                continue
            for operation in item.values():
                for parameter in operation.get("parameters", ()):
                    if parameter["in"] == "path":
                        parameter["schema"] = {"anyOf": [{"enum": ids}, parameter["schema"]]}
    return copy
