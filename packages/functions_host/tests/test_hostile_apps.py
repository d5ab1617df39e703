"""Whatever user code raises, from whatever kind of function: that invocation fails, is logged, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from host_support import HostProcess, http, is_alive, wait_for, workers_of
from hostile import RAISED, end_of, notes, send, signal_entity, start, state_of

pytestmark = pytest.mark.e2e
MakeHost = Callable[..., HostProcess]

NAMES = {
    "exit": "SystemExit",
    "interrupt": "KeyboardInterrupt",
    "generator": "GeneratorExit",
    "cancelled": "CancelledError",
    "stop": "StopIteration",
    "text": "Textless",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    started = HostProcess("hostile", tmp_path_factory.mktemp("hostile") / "data").start()
    yield started
    assert started.process is not None
    assert started.process.poll() is None
    assert "replaced" not in started.log
    assert started.stop() == 0


@pytest.mark.parametrize("how", RAISED)
@pytest.mark.parametrize(("route", "function"), [("sync", "in_thread"), ("async", "on_loop")])
def test_an_http_function_answers_500(hostile: HostProcess, route: str, function: str, how: str) -> None:
    answer = http("GET", f"{hostile.url}/api/{route}/{how}")
    assert answer.status == 500
    name = "RuntimeError" if (route, how) == ("async", "stop") else NAMES[how]
    assert f"Executed {function} (Failed" in hostile.log
    assert f"{name}: " in hostile.log
    assert http("GET", f"{hostile.url}/api/{route}/well").text == "done"


def test_an_awaited_task_that_was_cancelled_fails_the_function(hostile: HostProcess) -> None:
    assert http("GET", f"{hostile.url}/api/cancelled").status == 500


@pytest.mark.parametrize("how", RAISED)
def test_an_activity_fails(hostile: HostProcess, how: str) -> None:
    start(hostile, "calls", f"act-{how}", how)
    status = end_of(hostile, f"act-{how}")
    assert status["runtimeStatus"] == "Failed"
    assert NAMES[how] in status["output"]


@pytest.mark.parametrize("how", [how for how in RAISED if how != "stop"])
def test_an_orchestration_fails(hostile: HostProcess, how: str) -> None:
    start(hostile, "steps", f"step-{how}", how)
    assert end_of(hostile, f"step-{how}")["runtimeStatus"] == "Failed"


@pytest.mark.parametrize("how", RAISED)
def test_an_entitys_operation_fails_and_the_next_is_run(hostile: HostProcess, how: str) -> None:
    signal_entity(hostile, how, how)
    signal_entity(hostile, how, "add")
    wait_for(lambda: state_of(hostile, how) == 1, "the operation behind it")


def test_a_partition_goes_on_with_the_next_event(hostile: HostProcess) -> None:
    send(hostile, [*RAISED, "well"])
    wait_for(lambda: notes(hostile, "event-well"), "the event behind them")
    for how in RAISED:
        assert len(notes(hostile, f"event-{how}")) == 1


@pytest.mark.parametrize("how", RAISED)
def test_a_timer_fires_again(hostile: HostProcess, how: str) -> None:
    (hostile.data / "app" / "timer").write_text(how)
    fired = len(notes(hostile, "ticks"))
    wait_for(lambda: len(notes(hostile, "ticks")) >= fired + 2, "two more occurrences")
    (hostile.data / "app" / "timer").unlink()


@pytest.mark.parametrize("how", RAISED)
def test_a_task_of_the_apps_own_ends_alone(hostile: HostProcess, how: str) -> None:
    assert hostile.process is not None
    before = workers_of(hostile.process.pid)
    assert http("GET", f"{hostile.url}/api/task/{how}").text == "True"
    assert workers_of(hostile.process.pid) == before


def test_a_child_that_comes_back_from_a_function_answers_nothing_and_ends(hostile: HostProcess) -> None:
    child = int(http("GET", f"{hostile.url}/api/fork").text)
    assert child > 0
    wait_for(lambda: notes(hostile, "forked"), "the child")
    wait_for(lambda: not is_alive(child), "its end")
    assert http("GET", f"{hostile.url}/api/sync/well").text == "done"


def test_a_stopped_loop_goes_on(hostile: HostProcess) -> None:
    assert http("GET", f"{hostile.url}/api/loop/stop").text == "done"
    assert http("GET", f"{hostile.url}/api/async/well").text == "done"


def test_fields_and_wrong_arguments_of_log_lines_lose_none(hostile: HostProcess) -> None:
    assert http("GET", f"{hostile.url}/api/log").status == 200
    wait_for(lambda: "%d arguments" in hostile.log, "the last line")
    for text in ("with fields", "with a number"):
        assert f"] {text}\n" in hostile.log
    assert "--- Logging error ---" not in hostile.log


@pytest.mark.parametrize(
    ("how", "said"),
    [("exit", "SystemExit: 0"), ("interrupt", "KeyboardInterrupt"), ("os_exit", "ended with exit code 0")],
)
def test_an_app_that_ends_at_its_import_is_a_start_error(host: MakeHost, how: str, said: str) -> None:
    broken = host("hostile", "--no-event-hubs", env={"AT_IMPORT": how, "C": "Endpoint=sb://h/;"}).launch()
    assert broken.process is not None
    assert broken.process.wait(30) == 1
    assert said in broken.log


def test_the_hosts_own_errors_are_heard_whatever_an_app_does_to_logging(host: MakeHost) -> None:
    started = host("hostile", env={"AT_IMPORT": "logging"}).start()
    assert http("GET", f"{started.url}/api/sync/exit").status == 500
    wait_for(lambda: "Executed in_thread (Failed" in started.log, "the host's line")
    assert "SystemExit: 0" in started.log
    assert "Traceback" in started.log


def test_an_apps_signal_handlers_reach_only_its_worker(host: MakeHost) -> None:
    started = host("hostile", env={"AT_IMPORT": "signals"}).start()
    assert started.stop() == 0
