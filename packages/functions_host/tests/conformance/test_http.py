"""HTTP triggers as any Functions host serves them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from host_support import Answer, http

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def web(base_url: Callable[[str], str]) -> str:
    return base_url("web")


def test_a_request_reaches_the_function_whole(web: str) -> None:
    url = f"{web}/api/echo/one/two%20words?b=2&a=1&a=3&empty=&u=%C3%A9"
    answer = http("POST", url, b"\x00body\xff", {"X-Custom": "yes", "Content-Type": "application/octet-stream"})
    seen = answer.json()
    assert answer.status == 200
    assert seen["method"] == "POST"
    assert seen["url"].startswith(f"{web}/api/echo/one/two%20words?b=2&a=1&a=3")
    assert seen["headers"]["x-custom"] == "yes"
    assert seen["params"] == {"b": "2", "a": "1,3", "empty": "", "u": "é"}
    assert seen["route"] == {"rest": "one/two words"}
    assert seen["body"].encode("latin-1") == b"\x00body\xff"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_each_method_is_passed_on(web: str, method: str) -> None:
    assert http(method, f"{web}/api/echo/x").json()["method"] == method


def test_a_form_with_files_is_parsed(web: str) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="colour"\r\n\r\nblue\r\n'
        b'--B\r\nContent-Disposition: form-data; name="doc"; filename="a.txt"\r\n\r\ncontent\r\n--B--\r\n'
    )
    answer = http("POST", f"{web}/api/form", body, {"Content-Type": "multipart/form-data; boundary=B"})
    assert answer.json() == {"form": {"colour": "blue"}, "files": {"doc": ["a.txt", "content"]}}


def test_json_is_read_and_bad_json_is_a_value_error(web: str) -> None:
    assert http("POST", f"{web}/api/json", json_body={"a": [1, "é"]}).json() == {"got": {"a": [1, "é"]}}
    assert http("POST", f"{web}/api/json", b"{oops", {"Content-Type": "application/json"}).status == 400
    assert http("POST", f"{web}/api/json", b"").status == 400


def test_a_body_of_many_megabytes_arrives(web: str) -> None:
    assert http("POST", f"{web}/api/size", b"x" * 20_000_000).text == "20000000"


@pytest.mark.parametrize(
    ("path", "status", "body", "content_type"),
    [
        ("answer/bytes", 200, b"\x00\xff", "application/octet-stream"),
        ("answer/empty", 204, b"", None),
        ("answer/latin1", 200, "né".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        ("answer/else", 404, b"unknown", "text/plain; charset=utf-8"),
        ("text", 200, b"plain", "text/plain; charset=utf-8"),
    ],
)
def test_each_form_of_answer(web: str, path: str, status: int, body: bytes, content_type: str | None) -> None:
    answer = http("GET", f"{web}/api/{path}")
    assert (answer.status, answer.body) == (status, body)
    if content_type:
        assert answer.headers["content-type"] == content_type


def test_headers_status_and_cookies_are_the_functions_own(web: str) -> None:
    answer = http("GET", f"{web}/api/answer/headers")
    assert (answer.status, answer.headers["x-one"], answer.headers["location"]) == (201, "1", "/elsewhere")
    cookies = [
        value.lower() for name, value in http("GET", f"{web}/api/answer/cookies").all_headers if name == "set-cookie"
    ]
    assert len(cookies) == 2
    assert cookies[0].startswith("a=1")
    assert "httponly" in cookies[0]
    assert cookies[1].startswith("b=2")
    assert "secure" in cookies[1]


@pytest.mark.parametrize("path", ["fails", "returns/nothing", "returns/dict"])
def test_a_failing_function_is_a_500_that_tells_nothing_of_the_inside(web: str, path: str) -> None:
    answer = http("GET", f"{web}/api/{path}")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body


def test_a_500_names_the_invocation(web: str, is_ours: bool) -> None:
    if not is_ours:
        pytest.skip("the body of a 500 is this host's choice")
    answer = http("GET", f"{web}/api/fails")
    assert answer.json()["invocationId"] == answer.headers["x-ms-invocation-id"]
    assert len(answer.json()["invocationId"]) == 36


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("items/7", ["number", {"id": "7"}]),
        ("items/latest", ["latest", {}]),
        ("ITEMS/Latest", ["latest", {}]),
        ("items/9f1c0c4e-53e2-4f43-9f0e-0a5a8f7f3b0a", ["guid", {"id": "9f1c0c4e-53e2-4f43-9f0e-0a5a8f7f3b0a"}]),
        ("items/books/12", ["category", {"category": "books", "id": "12"}]),
        ("items/books", ["category", {"category": "books"}]),
        ("file/report.final.pdf", ["file", {"name": "report.final", "ext": "pdf"}]),
    ],
)
def test_the_most_specific_route_is_chosen(web: str, path: str, expected: list[object]) -> None:
    assert http("GET", f"{web}/api/{path}").json() == expected


@pytest.mark.parametrize("path", ["api/items/books/x", "api/nowhere", "nowhere", "api/items/b00ks/1"])
def test_no_route_is_a_404(web: str, path: str) -> None:
    assert http("GET", f"{web}/{path}").status == 404


def test_one_route_two_functions_by_method(web: str) -> None:
    assert http("GET", f"{web}/api/shared").json()[0] == "get"
    assert http("POST", f"{web}/api/shared").json()[0] == "post"
    assert http("DELETE", f"{web}/api/shared").status in (404, 405)


def test_head_has_headers_and_no_body(web: str, is_ours: bool) -> None:
    if not is_ours:
        pytest.skip("the real host answers HEAD only where a function lists it")
    answer = http("HEAD", f"{web}/api/text")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "5")


def test_names_routes_and_prefix(web: str) -> None:
    assert http("GET", f"{web}/api/named").text == "named"
    assert http("GET", f"{web}/api/without_route").text == "by its name"
    assert http("GET", f"{web}/named").status == 404


def test_the_context_describes_the_invocation(web: str) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    first = http("GET", f"{web}/api/context", headers={"traceparent": parent}).json()
    second = http("GET", f"{web}/api/context").json()
    assert first["function_name"] == "in_context"
    assert first["function_directory"].endswith("web")
    assert first["invocation_id"] == first["thread_local"] != second["invocation_id"]
    assert first["trace_parent"].split("-")[1] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert first["retry_count"] == 0


@pytest.mark.parametrize("path", ["together", "together_async"])
def test_functions_run_side_by_side(web: str, path: str) -> None:
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(http("GET", f"{web}/api/{path}"))) for _ in range(4)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 4
    # One after another they would take 2 s.
    assert time.monotonic() - started < 1.8


def test_a_warm_up_function_ran_before_the_first_request(web: str, is_ours: bool) -> None:
    if not is_ours:
        pytest.skip("the real host warms up on premium plans only")
    assert http("GET", f"{web}/api/warm").json() is True
