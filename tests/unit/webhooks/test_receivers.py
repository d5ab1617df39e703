"""A receiver that hangs or fails takes no room from the others, and is not asked again and again."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from webhooks import receivers as module
from webhooks.receivers import Answer, Later, Receivers


class Net:
    """``hanging`` URLs answer when ``release`` is set; ``statuses`` by URL."""

    def __init__(self) -> None:
        self.hanging: set[str] = set()
        self.statuses: dict[str, int] = {}
        self.error: Exception | None = None
        self.release = asyncio.Event()
        self.now = 0.0
        self.asked: list[str] = []
        self.at_once = self.most = 0

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        self.asked.append(url)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if url in self.hanging:
                await self.release.wait()
            await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
            return self.statuses.get(url, 200)
        finally:
            self.at_once -= 1


@pytest.fixture
def net() -> Net:
    return Net()


@pytest.fixture
def known(net: Net) -> Receivers:
    return Receivers(net.post, lambda: net.now)


async def send(known: Receivers, url: str) -> Answer | Later:
    return await known.send(url, url, b"", {})


async def test_a_few_at_once(net: Net, known: Receivers) -> None:
    answers = await asyncio.gather(*(send(known, "a") for _ in range(30)))
    assert answers == [Answer(True, False, "HTTP 200")] * 30
    assert net.most == module.AT_ONCE


async def test_one_that_hangs_is_not_waited_for_and_delays_no_other(net: Net, known: Receivers) -> None:
    net.hanging.add("slow")
    stuck = [asyncio.create_task(send(known, "slow")) for _ in range(module.AT_ONCE)]
    await asyncio.sleep(0)
    net.now = 2.0
    assert isinstance(await send(known, "slow"), Later)
    assert await send(known, "quick") == Answer(True, False, "HTTP 200")
    assert net.asked.count("slow") == module.AT_ONCE
    net.release.set()
    assert all(isinstance(one, Answer) for one in await asyncio.gather(*stuck))
    assert await send(known, "slow") == Answer(True, False, "HTTP 200")


async def test_one_that_fails_rests_longer_each_time(net: Net, known: Receivers) -> None:
    net.statuses["bad"] = 500
    rests = []
    for _ in range(8):
        answer = await send(known, "bad")
        assert isinstance(answer, Answer)
        assert not answer.delivered
        later = await send(known, "bad")
        assert isinstance(later, Later)
        rests.append(later.seconds)
        net.now += later.seconds
    assert rests == [1, 2, 4, 8, 15, 15, 15, 15]
    assert len(net.asked) == 8
    net.statuses.clear()
    assert await send(known, "bad") == Answer(True, False, "HTTP 200")
    assert await send(known, "bad") == Answer(True, False, "HTTP 200")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (204, Answer(True, False, "HTTP 204")),
        (301, Answer(False, False, "HTTP 301 (no redirect is followed)")),
        (410, Answer(False, True, "HTTP 410")),
        (503, Answer(False, False, "HTTP 503")),
    ],
)
async def test_what_a_status_means(net: Net, known: Receivers, status: int, answer: Answer) -> None:
    net.statuses["a"] = status
    assert await send(known, "a") == answer


@pytest.mark.parametrize(
    "error", [asyncio.TimeoutError(), aiohttp.ClientConnectionError("https://a?token=secret"), OSError("secret")]
)
async def test_no_answer_is_told_without_the_url(net: Net, known: Receivers, error: Exception) -> None:
    net.error = error
    answer = await send(known, "a")
    assert isinstance(answer, Answer)
    assert not answer.delivered
    assert "secret" not in answer.reason
