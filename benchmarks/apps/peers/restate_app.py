"""Chains and counters on Restate, served by Hypercorn as its documentation says for production."""

from __future__ import annotations

import restate

chains = restate.Service("chains")
senders = restate.Service("senders")
counter = restate.VirtualObject("counter")


@chains.handler()
async def run(context: restate.Context, number: int) -> int:
    for step in range(4):
        number = await context.run_typed(f"add {step}", _add_one, number=number)
    return number


def _add_one(number: int) -> int:
    return number + 1


@counter.handler()
async def add(context: restate.ObjectContext, amount: int) -> None:
    context.set("value", (await context.get("value", type_hint=int) or 0) + amount)


@counter.handler(kind="shared")
async def value(context: restate.ObjectSharedContext) -> int:
    return await context.get("value", type_hint=int) or 0


@senders.handler()
async def send(context: restate.Context, request: list[int]) -> None:
    sender, signals = request
    for number in range(signals):
        context.object_send(add, key=f"{sender}-{number % 10}", arg=1)


app = restate.app(services=[chains, senders, counter])
