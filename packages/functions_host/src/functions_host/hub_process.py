"""The local Event Hubs as a child process: started, watched, restarted when it dies, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from functions_host.errors import StartError
from functions_host.tasks import Supervised, supervise

logger = logging.getLogger("functions_host.event_hubs")

_LINE = re.compile(r"^\S+ \S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) (\S+) (.*)$", re.DOTALL)
# The logger that says when writes begin to fail and when they succeed again.
_HEALTH = "event_hubs_emulator.health"
_LONGEST_LINE = 1024 * 1024
_LEVELS = {"DEBUG": 10, "INFO": 10, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
PARTITIONS = 4
_START_SECONDS = 30.0
_STOP_SECONDS = 1.5


class HubProcess:
    """Runs ``python -m event_hubs_emulator`` on `port` with `hubs`; a process of its own, so that it uses another core.

    It ends with this process whatever happens to it: it watches its parent, and is told to stop on an orderly end.
    """

    def __init__(
        self,
        port: int,
        hubs: Iterable[str],
        data_dir: Path,
        host: str = "127.0.0.1",
        partitions: Mapping[str, int] | None = None,
        retention_mib: float | None = None,
    ) -> None:
        """`partitions`: how many a hub gets when it is made, by its name (default 4). `retention_mib`: the log
        that each partition keeps (default: the hub's)."""
        self.port = port
        self._hubs = sorted(set(hubs))
        self._partitions = {name.lower(): count for name, count in (partitions or {}).items()}
        self._data = data_dir / "event_hubs"
        self._host = host
        self._retention_mib = retention_mib
        self._ready_file = data_dir / f".event_hubs.{os.getpid()}.ready"
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: Supervised | None = None
        self._reader: asyncio.Task[None] | None = None
        self._closing = False
        self._write_failure: str | None = None

    @property
    def problem(self) -> str | None:
        """Why events cannot be taken or read now: it does not run, or its last write failed. None if all is well."""
        if self._process is None or self._process.returncode is not None:
            return "the local Event Hubs does not run"
        return None if self._write_failure is None else f"the local Event Hubs: {self._write_failure}"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it and wait until it listens. StartError if it does not within 30 s."""
        self._data.mkdir(parents=True, exist_ok=True)
        await self._spawn()
        self._watcher = supervise(self._watch, "the watch over the local Event Hubs")

    async def stop(self) -> None:
        self._closing = True
        if self._watcher is not None:
            await self._watcher.stop()
        await self._end()

    def kill(self) -> None:
        """At once, without waiting: for a second signal."""
        self._closing = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _spawn(self) -> None:
        self._ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "event_hubs_emulator"]
        command += ["--host", self._host, "--port", str(self.port), "--data", str(self._data)]
        for hub in self._hubs:
            command += ["--hub", f"{hub}:{self._count(hub)}"]
        if self._retention_mib is not None:
            # A segment goes as a whole, and the one that is written to never does.
            segment = max(1.0, min(64.0, self._retention_mib / 4))
            command += ["--retention-mib", str(self._retention_mib), "--segment-mib", str(segment)]
        # Its standard input is a pipe of ours that nobody writes to: it ends when this process does, however that is.
        command += ["--ready-file", str(self._ready_file), "--exit-with-parent"]
        # A session of its own: Ctrl-C in the terminal reaches the host alone, which then stops things in order.
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
        self._write_failure = None
        self._reader = asyncio.get_running_loop().create_task(self._pass_on_log(self._process))
        try:
            await asyncio.wait_for(self._until_ready(self._process), _START_SECONDS)
        except asyncio.TimeoutError:
            await self._end()
            raise StartError(f"the local Event Hubs did not start within {_START_SECONDS:.0f} s") from None
        finally:
            # It has served its purpose; a host that is killed would leave one behind each time.
            self._ready_file.unlink(missing_ok=True)

    def _count(self, hub: str) -> int:
        """A hub that is there keeps its number of partitions: where an event lies depends on it."""
        wanted = self._partitions.get(hub.lower())
        # Each partition has its folder from the beginning; the description beside them may be damaged.
        folder = self._data / hub.lower()
        numbers = [int(path.name) for path in folder.glob("[0-9]*") if path.name.isascii() and path.name.isdigit()]
        if not numbers:
            return wanted or PARTITIONS
        stored = max(numbers) + 1
        if wanted is not None and wanted != stored:
            logger.warning(
                "the local Event Hub %s has %s partitions and keeps them; %d were asked for", hub, stored, wanted
            )
        return stored

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        ended = asyncio.ensure_future(process.wait())
        try:
            while not self._is_ready():
                done, _ = await asyncio.wait({ended}, timeout=0.05)
                if done:
                    raise StartError(f"the local Event Hubs ended at start (exit code {process.returncode}); see above")
        finally:
            ended.cancel()

    def _is_ready(self) -> bool:
        try:
            json.loads(self._ready_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return True

    async def _watch(self) -> None:
        while not self._closing:
            assert self._process is not None
            code = await self._process.wait()
            if self._closing:
                return
            logger.warning("the local Event Hubs died (exit code %s); starting it again", code)
            for delay in (0.0, 0.5, 2.0, 5.0, 10.0):
                await asyncio.sleep(delay)
                try:
                    await self._spawn()
                    break
                except StartError as error:
                    logger.error("%s", error)
            else:
                logger.critical("the local Event Hubs cannot be started; Event Hubs triggers are stalled")
                return

    async def _pass_on_log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:
                # A line without end. It is left out; a pipe that nobody reads would stop the hub.
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            match = _LINE.match(text)
            if match is None:
                logger.warning("%s", text)
                continue
            level, name, message = match.groups()
            if name == _HEALTH:
                self._write_failure = message if level == "ERROR" else None
            # What it says when all is well belongs to the details.
            logger.log(_LEVELS[level], "%s", message)

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
                return
            except asyncio.TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
        await process.wait()
