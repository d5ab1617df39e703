"""The host as a process: start, refusal, stop, kill, logs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from host_support import APPS, Answer, HostProcess, children, http, is_alive, wait_for, workers_of
from hostile import in_background

pytestmark = pytest.mark.e2e
MakeHost = Callable[..., HostProcess]


def test_the_ready_file_tells_where_everything_listens(host: MakeHost) -> None:
    started = host("signals", "--no-event-hubs", env={"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}).start()
    assert started.process is not None
    assert len(workers_of(started.process.pid)) == 2
    assert started.ready == {"pid": started.process.pid, "url": started.url, "eventHubConnection": None}
    status = http("GET", f"{started.url}/admin/host/status").json()
    assert status["state"] == "Running"
    assert "quick: [GET] " + started.url + "/api/quick" in started.log


def test_a_ready_file_of_an_earlier_run_is_gone_before_the_app_is_loaded(tmp_path: Path) -> None:
    stale = tmp_path / "ready.json"
    stale.write_text("{}")
    command = [sys.executable, "-m", "functions_host", "start", "--app", str(APPS / "refused"), "--port", "0"]
    command += ["--no-event-hubs", "--data", str(tmp_path / "data"), "--ready-file", str(stale)]
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 1
    assert not stale.exists()


def test_the_ready_file_is_whole_whenever_it_is_there(host: MakeHost) -> None:
    started = host("signals", "--no-event-hubs").launch()
    assert started.process is not None
    texts: set[str] = set()
    until = time.monotonic() + 40
    while not texts and time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError):
            texts.add(started.ready_path.read_text())
    assert [json.loads(text)["pid"] for text in texts] == [started.process.pid]
    assert not list(started.ready_path.parent.glob(".*.try"))


def test_the_app_runs_in_its_own_folder_with_its_settings(host: MakeHost, tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "host.json").write_text("{}")
    (app / "local.settings.json").write_text(
        json.dumps(
            {
                "Values": {"FROM_FILE": "file", "FROM_BOTH": "file"},
                "Host": {"CORS": "https://two.example,https://one.example"},
            }
        )
    )
    (app / "helper.py").write_text("NAME = 'helper'\n")
    (app / "function_app.py").write_text(
        "import json, os, sys, helper\nimport azure.functions as func\napp = func.FunctionApp()\n"
        "@app.route(route='about')\ndef about(req: func.HttpRequest) -> str:\n"
        "    names = ('FROM_FILE', 'FROM_BOTH', 'DATA_DIR', 'WEBSITE_HOSTNAME', 'EventHubConnection',\n"
        "        'WEBSITE_CORS_ALLOWED_ORIGINS')\n"
        "    settings = {name: os.environ.get(name) for name in names}\n"
        "    return json.dumps({'cwd': os.getcwd(), 'path': sys.path[0], 'helper': helper.NAME, **settings})\n"
    )
    started = host(app, env={"FROM_BOTH": "process"}).start()
    about = http("GET", f"{started.url}/api/about").json()
    assert about["cwd"] == about["path"] == str(app)
    assert (about["helper"], about["FROM_FILE"], about["FROM_BOTH"]) == ("helper", "file", "process")
    assert about["DATA_DIR"].startswith(str(started.data))
    assert about["WEBSITE_CORS_ALLOWED_ORIGINS"] == '["https://one.example", "https://two.example"]'
    assert about["WEBSITE_HOSTNAME"] == started.url.removeprefix("http://")


def test_what_is_not_supported_stops_the_start_by_name(host: MakeHost) -> None:
    refused = host("refused").launch()
    assert refused.process is not None
    assert refused.process.wait(20) == 1
    for text in (
        "'on_order': trigger 'queueTrigger'",
        "'reads_blob': input binding 'blob'",
        "'sends_mail': output binding 'sendGrid'",
        "'on_rabbit': trigger 'rabbitMQTrigger'",
    ):
        assert text in refused.log
    assert "Traceback" not in refused.log
    assert not refused.ready_path.exists()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "host.json is missing"),
        ({"host.json": "{}"}, "function_app.py is missing"),
        ({"host.json": "{}", "f/function.json": "{}"}, "v1 model"),
        (
            {"host.json": "{}", "function_app.py": "import nothing_of_the_kind\n"},
            "No module named 'nothing_of_the_kind'",
        ),
        ({"host.json": "{}", "function_app.py": "x = 1\n"}, "no top level FunctionApp"),
        ({"host.json": "{", "function_app.py": ""}, "host.json is not valid JSON"),
        (
            # Checked although nothing in the app is durable.
            {
                "host.json": '{"extensions": {"durableTask": {"maxConcurrentActivityFunctions": "many"}}}',
                "function_app.py": "import azure.functions as func\n\napp = func.FunctionApp()\n",
            },
            "extensions.durableTask.maxConcurrentActivityFunctions must be a whole number",
        ),
    ],
)
def test_an_app_that_cannot_be_loaded_says_why(
    host: MakeHost, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for name, text in files.items():
        (app / name).parent.mkdir(exist_ok=True)
        (app / name).write_text(text)
    broken = host(app).launch()
    assert broken.process is not None
    assert broken.process.wait(20) == 1
    assert message in broken.log
    assert "functions_host/" not in broken.log


def test_a_port_in_use_is_named(host: MakeHost) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        second = host("signals", "--no-event-hubs", "--port", str(port)).launch()
        assert second.process is not None
        assert second.process.wait(20) == 1
    assert f"port {port}" in second.log


def test_running_work_finishes_after_a_signal(host: MakeHost) -> None:
    started = host("signals", "--no-event-hubs", env={"AzureFunctionsJobHost__functionTimeout": "-1"}).start()
    thread, answers = in_background(f"{started.url}/api/slow?seconds=1")
    wait_for((started.data / "app" / "started").exists, "the function to run")
    assert started.stop(signal.SIGTERM) == 0
    thread.join()
    assert [answer.text for answer in answers] == ["finished"]


def test_work_that_takes_too_long_does_not_keep_the_host(host: MakeHost) -> None:
    started = host("signals", "--no-event-hubs", env={"AzureFunctionsJobHost__functionTimeout": "-1"}).start()
    thread, _ = in_background_ignoring_errors(f"{started.url}/api/slow?seconds=60")
    wait_for((started.data / "app" / "started").exists, "the function to run")
    before = time.monotonic()
    started.stop(signal.SIGINT, seconds=14)
    assert time.monotonic() - before < 12
    assert "still running" in started.log
    thread.join()


def in_background_ignoring_errors(url: str) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []

    def ask() -> None:
        try:
            answers.append(http("GET", url))
        except OSError:
            return

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def test_a_second_signal_ends_at_once(host: MakeHost) -> None:
    started = host("signals", "--no-event-hubs", env={"AzureFunctionsJobHost__functionTimeout": "-1"}).start()
    thread, _ = in_background_ignoring_errors(f"{started.url}/api/slow?seconds=60")
    wait_for((started.data / "app" / "started").exists, "the function to run")
    assert started.process is not None
    started.process.send_signal(signal.SIGINT)
    wait_for(lambda: "stopping" in started.log, "the first signal to be seen")
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(3) == 1
    thread.join()


def test_functions_beyond_the_timeout_fail(host: MakeHost) -> None:
    started = host("signals", "--no-event-hubs").start()
    assert http("GET", f"{started.url}/api/slow?seconds=30").status == 500
    assert http("GET", f"{started.url}/api/slow_sync?seconds=3").status == 500
    assert http("GET", f"{started.url}/api/quick").status == 200
    assert "timed out after 1.0 s" in started.log


def test_json_logs_are_one_object_a_line(host: MakeHost) -> None:
    started = host("web", "--no-event-hubs", "--json-logs").start()
    http("GET", f"{started.url}/api/context")
    http("GET", f"{started.url}/api/fails")

    def lines() -> list[dict[str, str]]:
        return [json.loads(line) for line in started.log.splitlines() if line.startswith("{")]

    seen = wait_for(lambda: [line for line in lines() if line["message"].startswith("seen inside")], "the user's line")
    assert seen[0]["function"] == "in_context"
    assert seen[0]["level"] == "INFO"
    failed = wait_for(lambda: [line for line in lines() if line["level"] == "ERROR"], "the failure's line")
    assert failed[0]["function"] == "fails"
    assert "a secret of the server" in failed[0]["exception"]
    assert failed[0]["invocationId"] != seen[0]["invocationId"]


def test_host_json_log_levels_and_verbose(host: MakeHost) -> None:
    started = host(
        "web", "--no-event-hubs", "--verbose", env={"AzureFunctionsJobHost__logging__logLevel__Function.text": "None"}
    )
    started.start()
    http("GET", f"{started.url}/api/text")
    http("GET", f"{started.url}/api/named")
    wait_for(lambda: "Executed another_name" in started.log, "the log line")
    assert "Executed text" not in started.log
    assert "timer every_second: next at" in started.log


def test_kill_minus_nine_leaves_neither_hub_nor_worker_behind(host: MakeHost) -> None:
    started = host("stream", env={"HUB": "hub"}).start()
    assert started.process is not None
    left = children(started.process.pid)
    assert len(left) == 2
    started.kill()
    wait_for(lambda: not any(is_alive(pid) for pid in left), "hub and worker to end", 5)
    assert not list(started.data.glob(".event_hubs*"))


def test_an_asgi_app_hears_of_the_end(host: MakeHost) -> None:
    started = host("asgi", "--no-event-hubs").start()
    assert http("GET", f"{started.url}/").status == 202
    assert started.stop() == 0
    assert "lifespan ended" in started.log


def test_help_and_bad_options() -> None:
    command = [sys.executable, "-m", "functions_host"]
    shown = subprocess.run([*command, "start", "--help"], capture_output=True, text=True, check=True, cwd=APPS)
    for option in ("--app", "--port", "--host", "--data", "--event-hubs-port", "--no-event-hubs", "--ready-file"):
        assert option in shown.stdout
    for arguments in ([], ["start", "--nonsense"]):
        assert subprocess.run([*command, *arguments], capture_output=True, check=False, env=os.environ).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "argument --port: must be a port number (0 to 65535), not '99999'"),
        (["--event-hubs-port", "x"], "argument --event-hubs-port: must be a port number"),
        (["--partitions", "hub"], "argument --partitions: must be HUB=N with N from 1 to 1024, not 'hub'"),
        (["--partitions", "hub=0"], "argument --partitions"),
        (["--management", "ajar"], "argument --management"),
        (["--host", "no.such.host.invalid"], "--host must be an address of this machine, not 'no.such.host.invalid'"),
        (["--host", "192.0.2.1"], "--host must be an address of this machine, not '192.0.2.1'"),
        (["--data", "/dev/null/x"], "--data must be a folder that can be written"),
        (["--ready-file", "/dev/null/x"], "--ready-file must be a file that can be written"),
        (["--app", "nowhere"], "--app must name the folder of a Functions app"),
    ],
)
def test_a_wrong_value_of_an_option_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "functions_host", "start", "--app", str(APPS / "signals"), "--port", "0"]
    command += ["--no-event-hubs", "--data", str(tmp_path / "data"), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, cwd=tmp_path)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "host.json",
            '{"extensions": {"durableTask": {"maxConcurrentActivityFunctions": "many"}}}',
            "maxConcurrentAct",
        ),
        ("host.json", '{"extensions": {"durableTask": {"maxConcurrentActivityFunctions": -1}}}', "maxConcurrentActiv"),
        ("host.json", '{"extensions": {"durableTask": []}}', "extensions.durableTask must be an object"),
        ("host.json", '{"logging": {"logLevel": {"default": "Loud"}}}', "logging.logLevel.default must be one of"),
        ("local.settings.json", '{"Values": []}', "local.settings.json Values must be an object"),
        ("local.settings.json", '{"Values": {"PYTHON_THREADPOOL_THREAD_COUNT": "many"}}', "PYTHON_THREADPOOL_THREAD"),
        ("local.settings.json", '{"Values": {"FUNCTIONS_WORKER_PROCESS_COUNT": "0"}}', "FUNCTIONS_WORKER_PROCESS_C"),
        ("local.settings.json", '{"Values": {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "x"}}', "BODY_SIZE_LIMIT must be"),
    ],
)
def test_a_wrong_value_in_a_file_is_one_line(
    host: MakeHost, tmp_path: Path, name: str, text: str, message: str
) -> None:
    app = tmp_path / "app"
    shutil.copytree(APPS / "patterns", app)
    (app / name).write_text(text)
    refused = host(app, "--no-event-hubs").launch()
    assert refused.process is not None
    assert refused.process.wait(30) == 1
    assert message in refused.log
    assert len(refused.log.splitlines()) == 1
