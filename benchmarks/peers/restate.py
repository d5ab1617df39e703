"""Restate: its server, and the chains and counters served by Hypercorn with the settings its documentation gives for
production (docs.restate.dev, Serving), a worker a core."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.peers.contestants import APPS, PATIENCE_SECONDS, SENDERS
from benchmarks.peers.installing import NotInstalled, install_python, install_restate

_READY_SECONDS = 90.0
RECEIVERS = 10
"""Of each sender."""


class Restate:
    """Its own defaults: what it acknowledges is forced onto the disk."""

    name = "Restate"
    at_once: tuple[int, ...] = (32, 128)
    signals = True

    def start(self, folder: Path) -> None:
        server, python = install_restate(), install_python()
        with _free_ports(4) as (node, ingress, admin, app):
            (folder / "restate.toml").write_text(
                f'base-dir = "{folder / "data"}"\nlisten-mode = "tcp"\nbind-ip = "127.0.0.1"\nbind-port = {node}\n'
                'log-filter = "error"\ndisable-telemetry = true\n'
                f'[ingress]\nbind-ip = "127.0.0.1"\nbind-port = {ingress}\n'
                f'[admin]\nbind-ip = "127.0.0.1"\nbind-port = {admin}\n'
            )
            (folder / "hypercorn.toml").write_text(
                f'bind = "127.0.0.1:{app}"\nworkers = {os.cpu_count()}\nh2_max_concurrent_streams = 2147483647\n'
                "keep_alive_max_requests = 2147483647\nkeep_alive_timeout = 2147483647\n"
            )
        self._log = (folder / "log").open("wb")
        hypercorn = [str(python), "-m", "hypercorn", "--config", str(folder / "hypercorn.toml"), "restate_app:app"]
        self._processes = [
            self._spawn([str(server), "--config-file", str(folder / "restate.toml"), "--no-logo"], folder),
            self._spawn(hypercorn, APPS),
        ]
        self._base = f"http://127.0.0.1:{ingress}"
        try:
            asyncio.run(self._register(f"http://127.0.0.1:{admin}/deployments", f"http://127.0.0.1:{app}"))
        except TimeoutError as error:
            self.stop()
            raise NotInstalled(
                f"Restate does not start: {(folder / 'log').read_text(errors='replace')[-500:]}"
            ) from error

    def _spawn(self, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=folder, stdout=self._log, stderr=self._log)

    async def _register(self, admin: str, app: str) -> None:
        give_up_at = time.monotonic() + _READY_SECONDS
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < give_up_at:
                try:
                    async with session.post(admin, json={"uri": app}) as answer:
                        if answer.status < 300:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.2)
        raise TimeoutError

    def chains(self, count: int, at_once: int) -> float:
        return self._timed(lambda session: self._chains(session, count, at_once))

    async def _chains(self, session: aiohttp.ClientSession, count: int, at_once: int) -> None:
        free = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with free:
                assert await self._ask(session, "/chains/run", 0) == 4

        await asyncio.gather(*(one() for _ in range(count)))

    def send(self, count: int) -> float:
        return self._timed(lambda session: self._send(session, count))

    async def _send(self, session: aiohttp.ClientSession, count: int) -> None:
        await asyncio.gather(
            *(self._ask(session, "/senders/send", [sender, count // SENDERS]) for sender in range(SENDERS))
        )
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        # One after another: looking at all of them all the time would be most of the work.
        for key in (f"{sender}-{receiver}" for sender in range(SENDERS) for receiver in range(RECEIVERS)):
            while await self._ask(session, f"/counter/{key}/value") < count // SENDERS // RECEIVERS:
                if time.monotonic() >= give_up_at:
                    raise TimeoutError(f"not every signal of {count} arrived")
                await asyncio.sleep(0.05)

    async def _ask(self, session: aiohttp.ClientSession, path: str, body: Any = None) -> Any:
        # A handler without an argument takes no content type either.
        given: dict[str, Any] = {"skip_auto_headers": ("Content-Type",)} if body is None else {"json": body}
        async with session.post(self._base + path, **given) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else None

    def _timed(self, work: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> float:
        async def run() -> float:
            timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
                began = time.monotonic()
                await work(session)
                return time.monotonic() - began

        return asyncio.run(run())

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()


@contextmanager
def _free_ports(count: int) -> Iterator[list[int]]:
    """Different ones that nobody has while they are chosen."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        yield [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
