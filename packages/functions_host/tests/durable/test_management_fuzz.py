"""Whatever a client sends to the management API is answered, and nothing is the host's own error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from functions_host.durable import ManagementRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import recorded_app
from .durable_support import Host

HostMaker = Callable[..., Any]

# What has broken readers: huge and odd numbers, control characters, half pairs, other digits, depth.
_ODD = st.sampled_from(
    [
        *("1e20", "-1", "99999999999999999999", "1_0", "٣", "NaN", "inf", "1e400", "0x10", " 7 ", "2147483648"),
        *("\r\n", "\x00", "é", "\U0001f600", "\ud800", "@counter@k", "@", "$", "%", "..", "a/b", "a\\b", "a?b", "a#b"),
        *("2026-13-45", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2026-01-01T00:00:00+99:99", "c1"),
    ]
)
_TEXT = st.one_of(_ODD, st.text(max_size=20))
_SEGMENT = st.one_of(
    st.sampled_from(["instances", "orchestrators", "entities", "chain", "counter", "c1", "raiseEvent", "terminate"]),
    st.sampled_from(["suspend", "resume", "rewind", "restart", ""]),
    _TEXT.map(lambda text: quote(text, safe="", errors="replace")),
)
_NAMES = st.one_of(
    st.sampled_from(["top", "showHistory", "showInput", "runtimeStatus", "createdTimeFrom", "createdTimeTo", "op"]),
    st.sampled_from(
        ["instanceIdPrefix", "pollingInterval", "fetchState", "lastOperationTimeFrom", "reason", "version"]
    ),
    st.sampled_from(["restartWithNewInstanceId", "returnInternalServerErrorOnFailure", "taskHub"]),
)
_BODIES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"limit": 1e20}', b'{"limit": 1e400}']),
    st.sampled_from([b"1" * 5_000, b'"\\ud800"', b"\xff\xfe", b"null", b"{bad", b"NaN", b"\xef\xbb\xbf1", b"'a'"]),
)
_REQUESTS = st.builds(
    ManagementRequest,
    st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    st.lists(_SEGMENT, min_size=1, max_size=5).map("/".join),
    st.lists(st.tuples(_NAMES, _TEXT), max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "content-type": st.sampled_from(["application/json", "text/plain", ""]),
            "x-ms-continuation-token": st.one_of(_TEXT, st.sampled_from(["Yw==", "garbage", "/w=="])),
        },
    ),
    _BODIES,
)
# A resume of what is not suspended is a 500 on the real one too, as recorded.
_RECORDED_500 = "System.InvalidOperationException"


@pytest.fixture
async def busy(host: HostMaker) -> Host:
    one: Host = await host(recorded_app.build())
    await one.call("POST", "orchestrators/longrun/c1", {})
    await one.call("POST", "entities/counter/k?op=add", "1")
    await one.quiet()
    return one


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=st.lists(_REQUESTS, min_size=1, max_size=5))
def test_no_request_is_answered_with_an_error_of_the_host(busy: Host, requests: list[ManagementRequest]) -> None:
    loop = busy.engine.loop
    assert loop is not None
    for request in requests:
        answer = loop.run_until_complete(busy.engine.handle_management(request))
        if answer.status >= 500:
            assert json.loads(answer.body)["ExceptionType"] == _RECORDED_500, (request, answer.body)
        if answer.body:
            json.loads(answer.body)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "instances/c1"),
        ("GET", "instances"),
        ("GET", "entities"),
        ("POST", "instances/c1/terminate"),
        ("POST", "orchestrators/chain"),
        ("POST", "orchestrators/\ud800"),
        ("POST", "entities/counter/\ud800"),
    ],
)
@pytest.mark.parametrize("name", ["reason", "instanceIdPrefix", "version", "op", "createdTimeFrom", "\udfff"])
async def test_half_a_surrogate_pair_breaks_nothing(busy: Host, method: str, path: str, name: str) -> None:
    request = ManagementRequest(method, path, [(name, "a\ud800b")], {"content-type": "application/json"}, b"1")
    assert (await busy.engine.handle_management(request)).status < 500


@pytest.mark.parametrize("path", ["instances", "entities", "entities/counter"])
@pytest.mark.parametrize("token", ["\r\n", "a\nb", "a\x00", "é", "\U0001f600", "\x7f"])
async def test_a_token_with_characters_that_no_token_has_is_refused(busy: Host, path: str, token: str) -> None:
    answer = await busy.call("GET", path, headers={"x-ms-continuation-token": token})
    assert answer.status == 400
    assert "x-ms-continuation-token" in answer.body["Message"]


@pytest.mark.parametrize("top", ["1e20", "99999999999999999999", "1_0", "٣", "-99999999999999999999", "9" * 5_000])
async def test_a_page_size_that_is_no_32_bit_number_is_ignored(busy: Host, top: str) -> None:
    answer = await busy.call("GET", f"instances?top={top}")
    assert (answer.status, len(answer.body)) == (200, 2)


@pytest.mark.parametrize(
    "path", ["orchestrators/chain/deep", "instances/c1/raiseEvent/go", "entities/counter/k?op=add"]
)
async def test_a_document_deeper_than_newtonsoft_reads_is_refused(busy: Host, path: str) -> None:
    text = '{"a": "[[[\\\\\\"[",\n "b":' + "[" * 63 + "]" * 63 + "}"
    assert (await busy.call("POST", path, raw=text.encode())).status == 202
    for deep in ("[" * 65 + "]" * 65, "[" * 100_000, '{"a":' * 65 + "1" + "}" * 65):
        answer = await busy.call("POST", path.replace("deep", "deeper"), raw=deep.encode())
        assert answer.status == 400
        assert "The reader's MaxDepth of 64 has been exceeded." in answer.text


async def test_an_integer_of_more_digits_than_anybody_reads_is_refused(busy: Host) -> None:
    for path in ("orchestrators/chain/long", "instances/c1/raiseEvent/go", "entities/counter/k?op=add"):
        answer = await busy.call("POST", path, raw=b"1" * 5_000)
        assert answer.status == 400
        assert "JSON integer is too large to parse." in answer.text
