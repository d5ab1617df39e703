"""Who reads which partition in which consumer group, and whom an owner level (epoch) pushes out."""

from __future__ import annotations

from typing import Protocol

from event_hubs_emulator.amqp.errors import LINK_STOLEN, AmqpError, LinkFault


class Receiver(Protocol):
    """A consumer's link as far as ownership goes."""

    name: str
    owner_level: int | None

    def detach(self, fault: AmqpError | None) -> None: ...


class Receivers:
    """The receivers attached now, by (hub, partition, group)."""

    def __init__(self) -> None:
        self._attached: dict[tuple[str, str], list[Receiver]] = {}

    def add(self, partition: str, group: str, receiver: Receiver) -> None:
        """Admit a receiver and detach those its owner level beats. Raises LinkFault if one attached beats it.

        One with an owner level is alone: it needs at least the level of the one it replaces, and beats all without one.
        """
        others = self._attached.setdefault((partition, group.lower()), [])
        held = max((other.owner_level for other in others if other.owner_level is not None), default=None)
        level = receiver.owner_level
        if held is not None and level is None:
            raise LinkFault(
                LINK_STOLEN,
                f"A receiver with epoch '{held}' reads {partition} in group '{group}': none without is allowed.",
            )
        if held is not None and level is not None and level < held:
            raise LinkFault(
                LINK_STOLEN, f"A receiver with a higher epoch '{held}' already reads {partition} in group '{group}'."
            )
        if level is not None:
            for other in list(others):
                other.detach(
                    LinkFault(
                        LINK_STOLEN,
                        f"New receiver '{receiver.name}' with epoch '{level}' is created, hence '{other.name}' with "
                        f"epoch '{other.owner_level}' is disconnected.",
                    )
                )
        # Looked up again: a detached receiver takes itself, and an emptied list, out.
        self._attached.setdefault((partition, group.lower()), []).append(receiver)

    def remove(self, partition: str, group: str, receiver: Receiver) -> None:
        key = (partition, group.lower())
        others = self._attached.get(key, [])
        if receiver in others:
            others.remove(receiver)
        if not others:
            self._attached.pop(key, None)
