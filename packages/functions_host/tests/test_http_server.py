"""What the HTTP listener does that no function sees."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from host_support import HostProcess, http

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> HostProcess:
    app = tmp_path_factory.mktemp("app")
    (app / "host.json").write_text("{}")
    host = {"CORS": "http://page.example,http://other.example", "CORSCredentials": True}
    (app / "local.settings.json").write_text(json.dumps({"Host": host}))
    (app / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n"
        "@app.route(route='size', methods=['POST'])\ndef size(req: func.HttpRequest) -> str:\n"
        "    return str(len(req.get_body()))\n"
        "@app.route(route='size', methods=['PUT', 'POST'])\ndef twice(req: func.HttpRequest) -> str:\n"
        "    return 'never'\n"
        "@app.route(route='administration')\ndef reserved(req: func.HttpRequest) -> str:\n"
        "    return 'never'\n"
        "@app.warm_up_trigger('warm')\ndef warm_up(warm) -> None:\n"
        "    print('WARMED UP', flush=True)\n"
        "@app.route(route='cookie', methods=['GET'])\ndef cookie(req: func.HttpRequest) -> func.HttpResponse:\n"
        "    return func.HttpResponse('x', headers={'Set-Cookie': req.params['set']})\n"
        "@app.route(route='logs', methods=['GET'])\ndef logs(req: func.HttpRequest) -> str:\n"
        "    import logging\n"
        "    for name in ('azure.functions.x', 'azure_functions_worker', 'mine'):\n"
        "        logging.getLogger(name).error('said by %s', name)\n"
        "    return 'said'\n"
        "@app.route(route='broken', methods=['GET'])\ndef broken(req: func.HttpRequest) -> func.HttpResponse:\n"
        "    return func.HttpResponse('x', headers={'X-Bad': 'a\\r\\nSet-Cookie: b'})\n"
    )
    started = HostProcess(app, app / "data", "--no-event-hubs").start()
    yield started
    started.kill()


def raw(web: HostProcess, text: bytes) -> bytes:
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(text)
        return connection.recv(65536)


def code(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_body_above_100_mb_is_refused_before_it_is_read(web: HostProcess) -> None:
    head = b"POST /api/size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857601\r\n\r\n"
    assert raw(web, head).startswith(b"HTTP/1.1 413 ")


def test_the_limit_of_a_body_can_be_set(web: HostProcess, tmp_path: Path) -> None:
    small = HostProcess(
        web.app, tmp_path / "data", "--no-event-hubs", env={"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1000"}
    ).start()
    try:
        assert http("POST", f"{small.url}/api/size", b"a" * 1000).text == "1000"
        assert http("POST", f"{small.url}/api/size", b"a" * 1001).status == 413
        head = b"POST /api/size HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert raw(small, head + b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    finally:
        small.kill()


def test_32_kb_of_headers_are_accepted_and_more_refused(web: HostProcess) -> None:
    assert http("POST", f"{web.url}/api/size", b"ab", {f"X-{n}": "a" * 6000 for n in range(5)}).text == "2"
    assert http("POST", f"{web.url}/api/size", b"ab", {"X-One": "a" * 32000}).text == "2"
    assert http("POST", f"{web.url}/api/size", b"ab", {f"X-{n}": "a" * 6600 for n in range(5)}).status == 431
    one = b"POST /api/size HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40000 + b"\r\n\r\n"
    assert code(raw(web, one)) == 431


def test_a_request_line_over_the_limit_is_a_414_without_a_trace(web: HostProcess) -> None:
    assert http("POST", f"{web.url}/api/size?{'a' * 8000}", b"ab").text == "2"
    assert code(raw(web, b"GET /api/" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 414
    assert code(raw(web, b"NONSENSE\r\n\r\n")) == 400
    assert "Traceback" not in web.log.split("the answer of broken")[0]
    assert "Error handling request" not in web.log


def test_functions_with_routes_that_are_taken_are_in_error(web: HostProcess) -> None:
    assert "'twice' function is in error: The route specified conflicts with the route defined by function 'size'" in (
        web.log
    )
    assert "'reserved' function is in error: The specified route conflicts with one or more built in" in web.log
    assert http("GET", f"{web.url}/api/administration").status == 404
    status = http("GET", f"{web.url}/admin/functions/twice/status").json()
    assert status["isDisabled"] is False
    assert "'size'" in status["errors"][0]
    assert http("GET", f"{web.url}/admin/functions/size/status").json()["errors"] is None
    assert http("PUT", f"{web.url}/api/size", b"").status == 405


def test_the_warm_up_trigger_runs_when_asked(web: HostProcess) -> None:
    before = web.log.count("WARMED UP")
    assert http("GET", f"{web.url}/admin/warmup").status == 200
    assert web.log.count("WARMED UP") == before + 1


def test_cookies_are_written_as_the_real_host_does(web: HostProcess) -> None:
    answer = http("GET", f"{web.url}/api/cookie?set=a%3D1%3B+HttpOnly%3B+Path%3D%2Fx")
    assert answer.headers["set-cookie"] == "a=1; path=/x; httponly"
    assert http("GET", f"{web.url}/api/cookie?set=a%3D1%3B+Expires%3DThu%2C+99+Jan+2017+13%3A55%3A08+GMT").status == 500


def test_what_the_worker_takes_for_its_own_logs_is_not_shown(web: HostProcess) -> None:
    http("GET", f"{web.url}/api/logs")
    assert "said by mine" in web.log
    assert "said by azure" not in web.log


def test_a_chunked_body_arrives_whole(web: HostProcess) -> None:
    chunks = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    answer = raw(web, b"POST /api/size HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"5")


def test_a_compressed_body_reaches_the_function_as_it_was_sent(web: HostProcess) -> None:
    packed = gzip.compress(b"a" * 1000)
    answer = http("POST", f"{web.url}/api/size", packed, {"Content-Encoding": "gzip"})
    assert answer.text == str(len(packed))


def test_a_client_that_asks_whether_to_go_on_is_told_so(web: HostProcess) -> None:
    head = b"POST /api/size HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
    assert raw(web, head % 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert raw(web, head % 104857601).startswith(b"HTTP/1.1 413 ")


def test_nonsense_is_a_400_and_harms_nobody(web: HostProcess) -> None:
    assert raw(web, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.")
    assert http("POST", f"{web.url}/api/size", b"abc").text == "3"


def test_a_header_that_splits_the_answer_is_the_functions_failure(web: HostProcess) -> None:
    answer = http("GET", f"{web.url}/api/broken")
    assert answer.status == 500
    assert "set-cookie" not in answer.headers


def test_a_wrong_method_says_which_are_right(web: HostProcess) -> None:
    answer = http("GET", f"{web.url}/api/size")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_the_root_says_that_the_host_is_up(web: HostProcess) -> None:
    assert "host is up" in http("GET", f"{web.url}/").text


def test_other_names_and_foreign_pages_are_refused(web: HostProcess) -> None:
    assert http("GET", f"{web.url}/api/size", headers={"Host": "evil.example"}).status == 400
    url = f"{web.url}/admin/functions/warm_up"
    assert http("POST", url, json_body={}, headers={"Origin": "http://evil.example"}).status == 403
    assert http("POST", url, b"{}", {"Content-Type": "text/plain"}).status == 415
    assert http("POST", url, json_body={}, headers={"Origin": "http://page.example"}).status == 202
    assert http("POST", f"{web.url}/api/size", b"ab", {"Origin": "http://evil.example"}).text == "2"


def test_the_admin_api_can_be_closed(tmp_path: Path, host: Callable[..., HostProcess]) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "host.json").write_text('{"functionsHost": {"closeManagementWhen": {"MODE": ["guarded"]}}}')
    (app / "function_app.py").write_text(
        "import azure.functions as func\nimport azure.durable_functions as df\napp = df.DFApp()\n"
        "@app.orchestration_trigger(context_name='context')\ndef orc(context):\n    return 1\n"
        "@app.route(route='start')\n@app.durable_client_input(client_name='client')\n"
        "async def start(req: func.HttpRequest, client) -> str:\n"
        "    given = await client.start_new('orc')\n"
        "    return (await client.get_status(given)).instance_id\n"
        "@app.route(route='way')\n@app.durable_client_input(client_name='client')\n"
        "async def way(req: func.HttpRequest, client) -> str:\n"
        "    return client._orchestration_bindings.rpc_base_url\n"
    )
    settings = {"MODE": "guarded", "FUNCTIONS_HOST_KEY": "sesame"}
    closed = host(app, "--no-event-hubs", "--allowed-host", "front.example", env=settings).start()
    durable = f"{closed.url}/runtime/webhooks/durabletask/instances"
    assert http("GET", f"{closed.url}/admin/functions").status == http("GET", durable).status == 401
    assert http("GET", f"{closed.url}/admin/host/status").json()["state"] == "Running"
    assert http("GET", durable, headers={"x-functions-key": "sesame"}).status == 200
    assert len(http("GET", f"{closed.url}/api/start", headers={"Host": "front.example"}).text) == 32
    # An app may ask by itself what its durable client would ask: that way is its own, and in no link handed out.
    asked = http("GET", f"{closed.url}/api/way", headers={"Host": "front.example"})
    assert asked.status == 200, asked.text + closed.log
    own_way = asked.text
    assert own_way != f"{closed.url}/runtime/webhooks/durabletask/"
    assert http("GET", f"{own_way}instances").status == 200
    assert http("GET", f"{own_way.rstrip('/')[:-1]}/instances").status == 401
    assert own_way not in http("GET", f"{own_way}instances").text
    opened = host(app, "--no-event-hubs", "--management", "open", env=settings, data="open").start()
    assert http("GET", f"{opened.url}/admin/functions").status == 200
    assert http("GET", f"{opened.url}/api/way").text == f"{opened.url}/runtime/webhooks/durabletask/"


def test_allowed_origins_get_cors_headers_and_others_none(web: HostProcess) -> None:
    asking = {"Origin": "http://page.example", "Access-Control-Request-Method": "POST"}
    preflight = http("OPTIONS", f"{web.url}/api/size", headers={**asking, "Access-Control-Request-Headers": "x-a"})
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "http://page.example"
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-allow-headers"] == "x-a"
    allowed = http("POST", f"{web.url}/api/size", b"", {"Origin": "http://other.example"})
    assert allowed.headers["access-control-allow-credentials"] == "true"
    refused = http("POST", f"{web.url}/api/size", b"", {"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("value", ["soon", 99999])
def test_a_wrong_port_in_local_settings_is_named(tmp_path: Path, value: object) -> None:
    from functions_host.errors import StartError
    from functions_host.ports import _local_port

    assert (_local_port(None), _local_port("7075")) == (7071, 7075)
    with pytest.raises(StartError, match="LocalHttpPort"):
        _local_port(value)


def test_admin_refuses_what_it_cannot_run(web: HostProcess, host: Callable[..., HostProcess]) -> None:
    assert http("POST", f"{web.url}/admin/functions/size", json_body={"input": ""}).status == 400
    assert http("DELETE", f"{web.url}/admin/functions/size").status == 405
    durable = host("patterns", "--no-event-hubs").start()
    assert http("POST", f"{durable.url}/admin/functions/counter", json_body={}).status == 400
    json_type = {"Content-Type": "application/json"}
    for wrong in (b"{oops", b"[]", b"\xff", b'{"input": ' + b"[" * 100_000, b'{"input": 1' + b"0" * 5000 + b"}"):
        assert http("POST", f"{durable.url}/admin/functions/hello", wrong, json_type).status == 400
    assert http("POST", f"{durable.url}/admin/functions/hello", json_body={"input": "x"}).status == 202
    assert http("POST", f"{durable.url}/admin/functions/chaining", json_body={"input": "x"}).status == 202
    listed = http("GET", f"{durable.url}/runtime/webhooks/durabletask/instances").json()
    assert [instance["name"] for instance in listed] == ["chaining"]
