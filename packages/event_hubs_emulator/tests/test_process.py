"""The emulator as a process: how it starts, says that it is ready, stops, and what kill -9 leaves."""

from __future__ import annotations

import functools
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

pytestmark = pytest.mark.e2e

_PATIENCE = 20.0
QUICK = {"socket_timeout": 0.05}


def _until(condition: Callable[[], Any], seconds: float = _PATIENCE) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return value


class Emulator:
    """`python -m event_hubs_emulator` with a data folder of its own."""

    def __init__(self, folder: Path, *arguments: str, port: int = 0, stdin: Any = None, **options: Any) -> None:
        self.folder = folder
        self._ready = folder / "ready" / "file.json"
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "event_hubs_emulator", "--port", str(port), "--data", str(folder / "data")]
        command += ["--ready-file", str(self._ready), *arguments]
        self.process = subprocess.Popen(command, stdin=stdin, stderr=subprocess.PIPE, text=True, **options)

    def ready(self) -> dict[str, Any]:
        """The content of the ready file, once it is there."""
        _until(lambda: self._ready.exists() or self.process.poll() is not None)
        content: dict[str, Any] = json.loads(self._ready.read_text())
        return content

    def end(self, number: int) -> str:
        """Send a signal, wait for the end, return the log."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> str:
        _, log = self.process.communicate(timeout=_PATIENCE)
        return str(log)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Emulator]]:
    """Start emulators that do not outlive the test."""
    started: list[Emulator] = []

    def run(*arguments: str, **options: Any) -> Emulator:
        started.append(Emulator(tmp_path, *arguments, **options))
        return started[-1]

    yield run
    for emulator in started:
        if emulator.process.poll() is None:
            emulator.process.kill()
        emulator.process.communicate()


def _reached(items: list[Any], count: int) -> bool:
    return len(items) >= count


def _received(connection: str, count: int, partition: str | None = None) -> dict[str, list[tuple[int, str]]]:
    """The first `count` events of the hub: by partition, (sequence number, body)."""
    client = EventHubConsumerClient.from_connection_string(connection, "$Default", eventhub_name="telemetry", **QUICK)
    found: dict[str, list[tuple[int, str]]] = {}
    enough = threading.Event()

    def on_batch(context: Any, events: list[EventData]) -> None:
        mine = found.setdefault(context.partition_id, [])
        mine.extend((event.sequence_number or 0, event.body_as_str()) for event in events)
        if sum(map(len, found.values())) >= count:
            enough.set()

    options: dict[str, Any] = {"starting_position": "-1", "max_wait_time": 0.1, "partition_id": partition}
    thread = threading.Thread(target=client.receive_batch, args=(on_batch,), kwargs=options)
    thread.start()
    assert enough.wait(_PATIENCE)
    client.close()
    thread.join(_PATIENCE)
    return found


def test_it_says_when_it_is_ready_and_stops_within_a_second(start: Callable[..., Emulator]) -> None:
    emulator = start("--hub", "telemetry:2", "--hub", "other:1")
    ready = emulator.ready()
    port = ready["url"].rsplit(":", 1)[1]
    assert ready == {
        "pid": emulator.process.pid,
        "url": f"amqp://127.0.0.1:{port}",
        "eventHubConnection": f"Endpoint=sb://localhost:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;",
    }
    with EventHubProducerClient.from_connection_string(
        ready["eventHubConnection"], eventhub_name="other", **QUICK
    ) as client:
        assert client.get_partition_ids() == ["0"]
        client.send_event(EventData("x"))
        began = time.monotonic()
        log = emulator.end(signal.SIGTERM)
        assert time.monotonic() - began < 1.0
    assert emulator.process.returncode == 0
    assert "telemetry (2 partitions), other (1 partitions)" in log
    assert log.rstrip().endswith("stopped")


def test_a_ready_file_of_an_earlier_run_is_gone_before_it_listens(tmp_path: Path) -> None:
    stale = tmp_path / "ready.json"
    stale.write_text("{}")
    (tmp_path / "data").write_text("a file where a folder must be")
    command = [sys.executable, "-m", "event_hubs_emulator", "--port", "0", "--data", str(tmp_path / "data")]
    ended = subprocess.run(
        [*command, "--ready-file", str(stale)],
        capture_output=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert ended.returncode != 0
    assert not stale.exists()


def test_it_ends_with_its_parent_when_asked(start: Callable[..., Emulator]) -> None:
    emulator = start("--exit-with-parent", stdin=subprocess.PIPE)
    assert emulator.ready()["pid"] == emulator.process.pid
    assert emulator.process.poll() is None
    assert emulator.process.stdin is not None
    emulator.process.stdin.close()
    emulator.process.stdin = None
    assert "telemetry (4 partitions)" in emulator.wait()
    assert emulator.process.returncode == 0
    signalled = start("--exit-with-parent", stdin=subprocess.PIPE)
    signalled.ready()
    signalled.process.terminate()
    assert signalled.process.wait(_PATIENCE) == 0


def test_it_says_why_it_cannot_start(start: Callable[..., Emulator]) -> None:
    running = start("--hub", "telemetry:2")
    port = int(running.ready()["url"].rsplit(":", 1)[1])
    second = start("--hub", "telemetry:2")
    assert "in use by another" in second.wait()
    assert second.process.returncode == 1
    assert "stopped" in running.end(signal.SIGINT)
    shrunk = start("--hub", "telemetry:1")
    assert "has 2 partitions" in shrunk.wait()
    assert shrunk.process.returncode == 1
    wrong = start("--hub", "telemetry:none")
    assert "expected NAME:PARTITIONS" in wrong.wait()
    assert port


def test_kill_9_while_sending_loses_nothing_that_was_acknowledged(start: Callable[..., Emulator]) -> None:
    """Three kills; each send goes on until it is acknowledged, so an event may be there twice only around a kill."""
    emulator = start("--hub", "telemetry:1")
    connection = emulator.ready()["eventHubConnection"]
    port = int(connection.split("localhost:")[1].split(";")[0])
    acknowledged: list[list[str]] = []
    unsure: list[list[str]] = []
    stop = threading.Event()

    def send() -> None:
        number = 0
        while not stop.is_set():
            bodies = [f"{number}.{place}" for place in range(20)]
            try:
                with EventHubProducerClient.from_connection_string(
                    connection, eventhub_name="telemetry", retry_total=0, **QUICK
                ) as client:
                    while not stop.is_set():
                        unsure.append(bodies)
                        client.send_batch([EventData(body) for body in bodies], partition_id="0")
                        acknowledged.append(unsure.pop())
                        number += 1
                        bodies = [f"{number}.{place}" for place in range(20)]
            except (EventHubError, OSError):
                # Not sent again: the question is whether what was acknowledged is there, once.
                number += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        for round_ in range(3):
            goal = len(acknowledged) + 10
            _until(functools.partial(_reached, acknowledged, goal))
            emulator.end(signal.SIGKILL)
            emulator = start("--hub", "telemetry:1", port=port)
            assert emulator.ready()["eventHubConnection"] == connection, round_
        goal = len(acknowledged) + 5
        _until(functools.partial(_reached, acknowledged, goal))
    finally:
        stop.set()
        thread.join(_PATIENCE)
    sure = [body for batch in acknowledged for body in batch]
    events = _received(connection, len(sure))["0"]
    assert [number for number, _ in events] == list(range(len(events)))
    bodies = [body for _, body in events]
    twice = [(number, body) for number, body in events if bodies.count(body) > 1]
    assert not twice, "an event is there twice though it was sent once"
    possible = {body for batch in unsure for body in batch}
    assert [body for body in bodies if body not in possible] == sure
    for batch in unsure:
        assert [body for body in bodies if body in batch] in ([], batch), "a part of a send"


def test_several_processes_share_a_hub(start: Callable[..., Emulator], tmp_path: Path) -> None:
    connection = start("--hub", "telemetry:2").ready()["eventHubConnection"]
    program = (
        "import sys; from azure.eventhub import EventData, EventHubProducerClient\n"
        "with EventHubProducerClient.from_connection_string(sys.argv[1], eventhub_name='telemetry') as client:\n"
        "    for number in range(50):\n"
        "        client.send_event(EventData(f'{sys.argv[2]} {number}'), partition_id=sys.argv[2])\n"
    )
    senders = [subprocess.Popen([sys.executable, "-c", program, connection, partition]) for partition in "01"]
    found = _received(connection, 100)
    assert [sender.wait(_PATIENCE) for sender in senders] == [0, 0]
    for partition in "01":
        assert found[partition] == [(number, f"{partition} {number}") for number in range(50)]


def test_a_folder_without_hubs_gets_the_default_one_and_keeps_what_it_has(start: Callable[..., Emulator]) -> None:
    emulator = start()
    emulator.ready()
    assert "telemetry (4 partitions)" in emulator.end(signal.SIGTERM)
    emulator = start("--hub", "more:1")
    emulator.ready()
    log = emulator.end(signal.SIGTERM)
    assert "more (1 partitions), telemetry (4 partitions)" in log


def test_the_package_needs_nothing_but_python() -> None:
    program = (
        "import sys, event_hubs_emulator, event_hubs_emulator.__main__; print([m for m in sys.modules if 'azure' in m])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert result.stdout.strip() == "[]"


def test_running_out_of_descriptors_costs_a_few_lines_and_passes(start: Callable[..., Emulator]) -> None:
    emulator = start("--hub", "telemetry:1", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    connection = emulator.ready()["eventHubConnection"]
    port = int(connection.split("localhost:")[1].split(";")[0])
    idlers = [socket.create_connection(("127.0.0.1", port)) for _ in range(120)]
    time.sleep(1.5)
    for idler in idlers:
        idler.close()
    with EventHubProducerClient.from_connection_string(connection, eventhub_name="telemetry", **QUICK) as client:
        client.send_event(EventData("x"), partition_id="0")
    assert _received(connection, 1) == {"0": [(0, "x")]}
    log = emulator.end(signal.SIGTERM)
    assert "Too many open files" in log
    assert len(log.splitlines()) < 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "70000"], "argument --port: '70000' is no port; 0 to 65535 are allowed"),
        (["--port", "x"], "argument --port: 'x' is no port; 0 to 65535 are allowed"),
        (["--port", "-1"], "argument --port: '-1' is no port; 0 to 65535 are allowed"),
        (["--retention-hours", "nan"], "argument --retention-hours: 'nan' is not allowed; 0 (no limit) to"),
        (["--retention-hours", "-1"], "argument --retention-hours: '-1' is not allowed; 0 (no limit) to"),
        (["--retention-mib", "much"], "argument --retention-mib: 'much' is no number"),
        (["--segment-mib", "0"], "argument --segment-mib: '0' is not allowed; 0.001 to 4096 are"),
        (["--segment-mib", "inf"], "argument --segment-mib: 'inf' is not allowed; 0.001 to 4096 are"),
        (["--hub", "a:x"], "argument --hub: hub 'a:x': expected NAME:PARTITIONS"),
        (["--hub", "a:5000"], "argument --hub: hub 'a': 1 to 1024 partitions, not 5000"),
        (["--hub", "a:1", "--hub", "A:2"], "cannot start: --hub: 'A' is named twice"),
        (["--host", "no.such.host.invalid"], "cannot start: cannot listen on 'no.such.host.invalid'"),
        (["--host", "203.0.113.7"], "cannot start: "),
        (["--data", "/dev/null/x"], "cannot start: "),
        (["--ready-file", "/"], "cannot start: "),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_a_wrong_value_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "event_hubs_emulator", "--port", "0", "--data", str(tmp_path / "data"), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "event_hubs_emulator", "--port", port, "--data", str(tmp_path / "data")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_it_says_its_version() -> None:
    command = [sys.executable, "-m", "event_hubs_emulator", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=True)
    assert ended.stdout.startswith("event_hubs_emulator ")


def test_the_story_of_the_readme_is_true(start: Callable[..., Emulator]) -> None:
    readme = Path(__file__).parent.parent / "README.md"
    if not readme.exists():
        pytest.skip("the tests are run without the sources")
    story = readme.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    port = start("--hub", "telemetry:4").ready()["url"].rsplit(":", 1)[1]
    program = story.replace("localhost:5672", f"localhost:{port}")
    told = subprocess.Popen([sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert told.stdout is not None
        assert told.stdout.readline().split()[1:] == ["hello"]
    finally:
        told.kill()
        told.communicate()


def test_many_partitions_are_served_though_the_soft_limit_of_descriptors_is_low(start: Callable[..., Emulator]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1_000:
        pytest.skip("the hard limit is low, too")
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (64, hard))
    emulator = start("--hub", "telemetry:200", preexec_fn=limit)
    emulator.ready()
    assert "telemetry (200 partitions)" in emulator.end(signal.SIGTERM)
