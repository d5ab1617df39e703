"""The alerts' part of the calculator: what it counts with is what the orchestrators do."""

from __future__ import annotations

import json

import pytest

from benchmarks.scaling import alerts
from benchmarks.scaling.counts import Work
from tests.replay_gate.gate import prefixes, recordings

RECORDINGS = recordings()
TASK_SCHEDULED = 4


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("alert_monitor/a_pause_comes_to_its_end", alerts.LOOK),
        ("alert_monitor/woken_from_its_pause", alerts.LOOK),
        ("alert_episode/cleared", alerts.EPISODE),
        ("alert_delivery/delivered", alerts.DELIVERY),
    ],
)
def test_the_recordings_have_as_many_episodes_and_activities(name: str, counted: Work) -> None:
    context = RECORDINGS[name]["context"]
    episodes = len(list(prefixes(context)))
    activities = sum(event["EventType"] == TASK_SCHEDULED for event in context["history"])
    assert Work(episodes, activities) == counted, json.dumps(context)[:500]


def test_an_idle_fleet_costs_the_tick_only() -> None:
    assert alerts.idle_hour().executions == 60 * alerts.LOOK.executions
    assert alerts.idle_hour().dollars * 730 < 1  # a month


def test_a_larger_fleet_costs_no_more_by_the_drone() -> None:
    small, large = alerts.drone_hour(1_000), alerts.drone_hour(100_000)
    assert large.dollars < small.dollars
    assert large.operations == pytest.approx(alerts.alert(1).times(6).operations, rel=0.01)


def test_only_a_receiver_that_is_away_costs_executions() -> None:
    assert alerts.alert(5).executions == alerts.alert(0).executions == alerts.EPISODE.executions
    assert alerts.alert(5).request_units > alerts.alert(0).request_units
    more = alerts.alert(2, away=1).executions - alerts.alert(2).executions
    assert more == 2 * alerts.DELIVERY.executions
