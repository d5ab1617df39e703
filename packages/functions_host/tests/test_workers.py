"""Worker processes that hang, die, are killed and are replaced."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
from host_support import HostProcess, children, http, is_alive, wait_for, workers_of
from hostile import end_of, in_background, notes, send, signal_entity, start, state_of

pytestmark = pytest.mark.e2e
MakeHost = Callable[..., HostProcess]
NO_LIMIT = {"AzureFunctionsJobHost__functionTimeout": "-1"}


def workers(host: HostProcess) -> list[int]:
    assert host.process is not None
    return workers_of(host.process.pid)


@pytest.mark.parametrize("how", ["sleep", "spin"])
def test_while_an_async_function_blocks_its_loop_others_answer_until_its_time_is_over(host: MakeHost, how: str) -> None:
    started = host("hostile", env={"AzureFunctionsJobHost__functionTimeout": "00:00:12"}).start()
    thread, answers = in_background(f"{started.url}/api/async/{how}")
    wait_for(lambda: notes(started, "on_loop"), "the function to run")
    assert http("GET", f"{started.url}/api/pid").status == 200
    assert not answers
    thread.join(40)
    assert [answer.status for answer in answers] == [500]
    assert "timed out after 12.0 s" in started.log
    assert http("GET", f"{started.url}/api/pid").status == 200
    wait_for(lambda: len(workers(started)) == 1, "the blocked worker to be gone")


def test_a_thread_that_never_returns_fails_by_its_time_and_the_worker_is_replaced(host: MakeHost) -> None:
    started = host("hostile").start()
    (first,) = workers(started)
    assert http("GET", f"{started.url}/api/sync/sleep").status == 500
    wait_for(lambda: workers(started) not in ([first], []), "another worker")
    wait_for(lambda: not is_alive(first), "the first to be gone")
    assert http("GET", f"{started.url}/api/pid").text == str(workers(started)[0])


def test_a_function_that_does_not_let_itself_be_cancelled_costs_its_worker_only(host: MakeHost) -> None:
    started = host("hostile").start()
    (first,) = workers(started)
    assert http("GET", f"{started.url}/api/stubborn").status == 500
    wait_for(lambda: not is_alive(first), "the first to be gone")
    assert http("GET", f"{started.url}/api/pid").status == 200


def test_a_function_that_is_cancelled_in_time_keeps_its_worker(host: MakeHost) -> None:
    started = host("hostile").start()
    before = workers(started)
    assert http("GET", f"{started.url}/api/slow?seconds=60").status == 500
    time.sleep(1.5)
    assert workers(started) == before


def test_an_orchestrator_that_hangs_again_and_again_is_failed_while_others_run(host: MakeHost) -> None:
    started = host("hostile").start()
    start(started, "steps", "hangs", "sleep")
    wait_for(lambda: notes(started, "step-sleep"), "the step to hang")
    start(started, "calls", "well", "well")
    assert end_of(started, "well")["runtimeStatus"] == "Completed"
    status = end_of(started, "hangs", 60)
    assert status["runtimeStatus"] == "Failed"
    assert len(notes(started, "step-sleep")) == 3
    assert started.stop() == 0
    again = host("hostile").start()
    start(again, "calls", "after", "well")
    assert end_of(again, "after")["runtimeStatus"] == "Completed"
    assert len(notes(again, "step-sleep")) == 3


def test_a_stop_is_over_in_time_whatever_hangs(host: MakeHost) -> None:
    started = host("hostile", env=NO_LIMIT).start()
    hanging = [in_background(f"{started.url}/api/{path}") for path in ("sync/sleep", "async/spin")]
    wait_for(lambda: notes(started, "on_loop") and notes(started, "in_thread"), "the functions to run")
    before = time.monotonic()
    assert started.stop(signal.SIGINT, seconds=20) == 0
    # 10 s, and what a busy machine takes on top.
    assert time.monotonic() - before < 14
    for thread, _ in hanging:
        thread.join()


def test_a_second_signal_ends_a_host_whose_app_hangs(host: MakeHost) -> None:
    started = host("hostile", env=NO_LIMIT).start()
    assert started.process is not None
    thread, _ = in_background(f"{started.url}/api/async/spin")
    wait_for(lambda: notes(started, "on_loop"), "the function to run")
    left = children(started.process.pid)
    started.process.send_signal(signal.SIGINT)
    wait_for(lambda: "stopping" in started.log, "the first signal to be seen")
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(3) == 1
    wait_for(lambda: not any(is_alive(pid) for pid in left), "what it started to be gone", 5)
    thread.join()


def test_signals_end_a_host_whose_app_hangs_at_its_import(host: MakeHost) -> None:
    hanging = host("hostile", env={"AT_IMPORT": "hang"}).launch()
    assert hanging.process is not None
    process = hanging.process
    (worker,) = wait_for(lambda: workers_of(process.pid), "the worker to start")
    process.send_signal(signal.SIGINT)
    assert process.wait(8) == 0
    wait_for(lambda: not is_alive(worker), "the worker to be gone", 5)


def test_a_worker_that_spins_does_not_outlive_a_killed_host(host: MakeHost) -> None:
    started = host("hostile", env=NO_LIMIT).start()
    assert started.process is not None
    thread, _ = in_background(f"{started.url}/api/async/spin")
    wait_for(lambda: notes(started, "on_loop"), "the function to run")
    left = children(started.process.pid)
    started.kill()
    wait_for(lambda: not any(is_alive(pid) for pid in left), "what it started to be gone", 5)
    thread.join()


@pytest.mark.parametrize("how", ["os_exit", "kill", "segfault"])
def test_a_process_that_a_function_ends_fails_that_call_by_name(host: MakeHost, how: str) -> None:
    started = host("hostile").start()
    assert http("GET", f"{started.url}/api/sync/{how}").status == 500
    reason = {"os_exit": "ended with exit code 7", "kill": "ended by SIGKILL", "segfault": "ended by SIGSEGV"}[how]
    assert f"{reason} while it ran in_thread" in started.log
    assert http("GET", f"{started.url}/api/pid").status == 200


def test_durable_work_goes_on_after_the_death_of_its_worker(host: MakeHost) -> None:
    started = host("hostile").start()
    start(started, "calls", "activity", "kill!")
    assert end_of(started, "activity")["output"] == "done"
    assert len(notes(started, "act-kill!")) == 2
    start(started, "steps", "orchestrator", "os_exit!")
    assert end_of(started, "orchestrator")["output"] == "done"
    assert len(notes(started, "step-os_exit!")) >= 2
    signal_entity(started, "one", "segfault!")
    signal_entity(started, "one", "add")
    wait_for(lambda: state_of(started, "one") == 2, "both operations")
    assert len(notes(started, "entity-segfault!")) == 2


def test_durable_work_that_kills_its_worker_each_time_is_failed_and_its_neighbours_are_not(host: MakeHost) -> None:
    started = host("hostile").start()
    start(started, "calls", "activity", "kill")
    start(started, "steps", "orchestrator", "os_exit")
    start(started, "asks", "entity", "segfault")
    for number in range(5):
        start(started, "calls", f"neighbour-{number}", "well")
    for instance, name in (("activity", "act-kill"), ("orchestrator", "step-os_exit"), ("entity", "entity-segfault")):
        assert end_of(started, instance, 60)["runtimeStatus"] == "Failed"
        # Fewer than three where another's death took it along.
        assert 1 <= len(notes(started, name)) <= 3
    for number in range(5):
        assert end_of(started, f"neighbour-{number}")["output"] == "done"


def test_events_are_delivered_again_until_a_third_death_and_then_passed_over(host: MakeHost) -> None:
    started = host("hostile").start()
    send(started, ["kill!", "os_exit", "well"])
    wait_for(lambda: notes(started, "event-well"), "the event behind them", 40)
    assert (len(notes(started, "event-kill!")), len(notes(started, "event-os_exit"))) == (2, 3)
    assert "goes on after sequence numbers 1 to 1" in started.log


def test_a_timer_goes_on_after_the_death_of_its_worker(host: MakeHost) -> None:
    started = host("hostile").start()
    (started.data / "app" / "timer").write_text("kill!")
    wait_for(lambda: (started.data / "app" / "once-kill").exists(), "the death")
    fired = len(notes(started, "ticks"))
    wait_for(lambda: len(notes(started, "ticks")) > fired, "the next occurrence")


def test_workers_killed_in_a_loop_lose_nothing(host: MakeHost) -> None:
    started = host("hostile").start()
    for number in range(20):
        start(started, "calls", f"n-{number}", "well")
        if number % 4 == 0:
            for pid in workers(started):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
    for number in range(20):
        assert end_of(started, f"n-{number}", 60)["output"] == "done"


def test_two_workers_share_the_calls(host: MakeHost) -> None:
    started = host("hostile", env={"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}).start()
    pair = workers(started)
    assert len(pair) == 2
    slow = [in_background(f"{started.url}/api/slow?seconds=1") for _ in range(4)]
    for thread, answers in slow:
        thread.join()
        assert [answer.text for answer in answers] == ["slow but well"]
    assert sorted(notes(started, "slow")) == sorted(pair * 2)


def test_with_two_workers_an_entitys_operations_and_a_partitions_batches_keep_their_order(host: MakeHost) -> None:
    started = host("hostile", env={"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}).start()
    for _ in range(50):
        signal_entity(started, "many", "add")
    wait_for(lambda: state_of(started, "many") == 50, "all operations")
    send(started, [f"n{number}" for number in range(30)])
    wait_for(lambda: notes(started, "event-n29"), "the last event")
    order = sorted((started.data / "app").glob("event-n*"), key=lambda path: path.stat().st_mtime_ns)
    assert [path.name for path in order] == [f"event-n{number}" for number in range(30)]


@pytest.mark.parametrize("text", ["0", "many", "11"])
def test_a_wrong_number_of_workers_is_named(host: MakeHost, text: str) -> None:
    refused = host("hostile", env={"FUNCTIONS_WORKER_PROCESS_COUNT": text}).launch()
    assert refused.process is not None
    assert refused.process.wait(20) == 1
    assert "FUNCTIONS_WORKER_PROCESS_COUNT" in refused.log
    assert len(refused.log.splitlines()) == 1


def test_a_stop_under_load_lets_work_finish_and_loses_none(host: MakeHost) -> None:
    started = host("hostile", env={"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}).start()
    slow = [in_background(f"{started.url}/api/slow?seconds=1.5") for _ in range(10)]
    for number in range(40):
        start(started, "steps", f"n-{number}", "well")
    wait_for(lambda: len(notes(started, "slow")) == 10, "the requests to run")
    assert started.stop(signal.SIGTERM) == 0
    for thread, answers in slow:
        thread.join()
        assert [answer.text for answer in answers] == ["slow but well"]
    again = host("hostile").start()
    for number in range(40):
        assert end_of(again, f"n-{number}", 60)["output"] == "done"
