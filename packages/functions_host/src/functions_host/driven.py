"""Short work in great numbers: coroutines that go on in the moment in which what they wait for is there.

A task of the event loop goes on in the loop's next turn after that, and the way there is most of what a step of a few
microseconds costs. Here whoever brings a result goes on with the coroutine that waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from functions_host.tasks import tell_end

T = TypeVar("T")


class _Here(threading.local):
    """What this thread runs now: something driven, or a task."""

    driven = False


_here = _Here()


class Later(Generic[T]):
    """A result that comes once; the first one counts. Whatever is `Driven` goes on within `give` or `fail`, a task in
    the loop's next turn. A failure that nobody waits for is not missed.
    """

    __slots__ = ("_calls", "_done", "_error", "_value")

    def __init__(self) -> None:
        self._calls: list[Callable[[], None]] = []
        self._done = False
        self._error: BaseException | None = None
        self._value: T | None = None

    def done(self) -> bool:
        return self._done

    def exception(self) -> BaseException | None:
        """What it failed with; None before it is done."""
        return self._error

    def give(self, value: T) -> None:
        if not self._done:
            self._value = value
            self._settle()

    def fail(self, error: BaseException) -> None:
        if not self._done:
            self._error = error
            self._settle()

    def then(self, call: Callable[[], None]) -> None:
        """Call it when it is done, which it is not yet."""
        self._calls.append(call)

    def never(self, call: Callable[[], None]) -> None:
        """What was to be called is not."""
        if call in self._calls:
            self._calls.remove(call)

    async def wait(self) -> None:
        """Until it is done, however: in a task."""
        if self._done:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._calls.append(lambda: None if done.done() else done.set_result(None))
        await done

    def _settle(self) -> None:
        self._done = True
        calls, self._calls = self._calls, []
        for call in calls:
            call()

    def __await__(self) -> Generator[Any, None, T]:
        if not self._done:
            if _here.driven:
                yield self
            else:
                yield from self.wait().__await__()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class Driven:
    """Runs `work` to its first wait at once, and on from there whenever what it waits for is done.

    It may await a `Later` and whatever asyncio's own futures carry, but for what asks for the task it is in
    (asyncio.timeout, aiohttp): that is awaited as a task of its own. `over` is called at its end with what it raised.
    """

    __slots__ = ("_cancelled", "_context", "_over", "_waits", "_work")

    def __init__(self, work: Coroutine[Any, Any, None], over: Callable[[Driven, BaseException | None], None]) -> None:
        self._work = work
        self._over = over
        self._context = contextvars.copy_context()
        self._waits: Any = None
        self._cancelled = False

    def start(self) -> None:
        self._step(self._work.send, None)

    def cancel(self) -> None:
        """Raise CancelledError in it, where it waits."""
        waits, self._waits = self._waits, None
        if type(waits) is Later:
            waits.never(self._go_on)
        elif waits is not None:
            waits.remove_done_callback(self._woken)
            waits.cancel()
        else:
            # It waits for the loop's next turn.
            self._cancelled = True
            return
        self._step(self._work.throw, asyncio.CancelledError())

    def _go_on(self) -> None:
        if self._cancelled:
            self._cancelled = False
            self._step(self._work.throw, asyncio.CancelledError())
        else:
            self._step(self._work.send, None)

    def _woken(self, _: asyncio.Future[Any]) -> None:
        self._go_on()

    def _step(self, resume: Callable[[Any], Any], value: Any) -> None:
        before, _here.driven = _here.driven, True
        try:
            waits = self._context.run(resume, value)
        except StopIteration:
            self._ended(None)
            return
        except BaseException as error:
            self._ended(error)
            return
        finally:
            _here.driven = before
        self._waits = waits
        if type(waits) is Later:
            waits.then(self._go_on)
        elif waits is None:
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            # As a task does it: the future asks whether it is awaited, and not returned by mistake.
            waits._asyncio_future_blocking = False
            waits.add_done_callback(self._woken)

    def _ended(self, error: BaseException | None) -> None:
        self._waits = None
        self._over(self, error)


class Drive:
    """What is driven together, and may be waited for. An unexpected end is not silent."""

    def __init__(self) -> None:
        self._running: set[Driven] = set()
        self._empty: Later[None] = Later()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it, to its first wait at once."""
        driven = Driven(work, self._over)
        self._running.add(driven)
        driven.start()

    async def finish_within(self, grace: float) -> None:
        """Wait `grace` seconds for all to end; cancel those that have not, and wait for that."""
        if not self._running:
            return
        self._empty = Later()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._empty.wait(), grace)
        for late in list(self._running):
            late.cancel()
        if self._running:
            await self._empty.wait()

    def _over(self, driven: Driven, error: BaseException | None) -> None:
        self._running.discard(driven)
        if error is not None and not isinstance(error, asyncio.CancelledError):
            tell_end("what was driven", error)
        if not self._running:
            self._empty.give(None)
