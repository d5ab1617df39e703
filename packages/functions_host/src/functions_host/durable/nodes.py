"""Started actions as a walk waits for them: one, all of several, one of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Node:
    """A started action: done or not, and who is told."""

    __slots__ = ("done", "failed", "then")

    def __init__(self, done: bool = False) -> None:
        self.done = done
        self.failed = False
        self.then: Callable[[], None] | None = None

    def finish(self, failed: bool = False) -> None:
        if not self.done:
            self.done = True
            self.failed = failed
            if self.then is not None:
                self.then()


def any_of(children: Sequence[Node]) -> Node:
    """Done with the first of its children; at once without any."""
    whole = Node(done=not children or any(child.done for child in children))
    for child in children:
        if not child.done:
            child.then = _both(child.then, whole.finish)
    return whole


def all_of(children: Sequence[Node]) -> Node:
    """Done with the last of its children, whether they failed or not."""
    still_open = [child for child in children if not child.done]
    left = len(still_open)
    whole = Node(done=left == 0)

    def one_ended() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            whole.finish()

    for child in still_open:
        child.then = _both(child.then, one_ended)
    return whole


def _both(first: Callable[[], None] | None, second: Callable[[], None]) -> Callable[[], None]:
    if first is None:
        return second

    def call() -> None:
        first()
        second()

    return call
