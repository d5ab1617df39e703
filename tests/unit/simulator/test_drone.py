from __future__ import annotations

import math
from itertools import pairwise

import pytest

from simulator.drone import CENTRE, Drone, Mode, home_of


def flight(number: int, seed: int, seconds: int, step: float = 1.0) -> list[dict[str, object]]:
    drone = Drone(number, seed)
    samples = [drone.sample()]
    for _ in range(int(seconds / step)):
        drone.advance(step)
        samples.append(drone.sample())
    return samples


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    north = (a[0] - b[0]) * 111_320
    return math.hypot(north, (a[1] - b[1]) * 111_320 * math.cos(math.radians(CENTRE[0])))


def test_the_same_seed_flies_the_same_way_and_another_one_does_not() -> None:
    assert flight(3, 1, 600) == flight(3, 1, 600)
    assert flight(3, 1, 600) != flight(3, 2, 600)
    assert flight(3, 1, 600) != flight(4, 1, 600)


def test_a_drone_starts_on_its_pad() -> None:
    for number in range(200):
        position = Drone(number, 7).sample()["position"]
        assert (position["latitude"], position["longitude"]) == home_of(number)
        assert position["altitude"] == 0
        assert distance(home_of(number), CENTRE) < 1500
    assert len({home_of(number) for number in range(1000)}) == 1000
    assert home_of(0) == CENTRE


@pytest.mark.parametrize("number", range(5))
def test_it_charges_takes_off_flies_lands_and_comes_home(number: int) -> None:
    drone = Drone(number, 100)
    modes = [drone.mode]
    for _ in range(7200):
        before = drone.battery
        drone.advance(1.0)
        if drone.mode is not modes[-1]:
            modes.append(drone.mode)
            if drone.mode is Mode.READY:
                position = drone.sample()["position"]
                assert distance((position["latitude"], position["longitude"]), home_of(number)) < 1
                assert position["altitude"] == 0
        elif drone.mode is Mode.READY:
            assert drone.battery >= before
        else:
            assert drone.battery <= before
    assert modes[:5] == [Mode.READY, Mode.TAKEOFF, Mode.INFLIGHT, Mode.LANDING, Mode.READY]
    assert len(modes) > 8


def test_it_moves_no_faster_than_it_says() -> None:
    last: tuple[float, float] | None = None
    drone = Drone(5, 100)
    for _ in range(1500):
        drone.advance(1.0)
        position = drone.sample()["position"]
        here = (position["latitude"], position["longitude"])
        if last is not None:
            assert distance(here, last) <= 15.1
        last = here


def test_values_stay_within_what_a_drone_can_say() -> None:
    for number in range(20):
        for sample in flight(number, 3, 3600, step=5.0):
            assert 0 <= sample["battery"] <= 1  # type: ignore[operator]
            assert 0 <= sample["heading"] < 360  # type: ignore[operator]
            assert 0 <= sample["groundSpeed"] <= 15  # type: ignore[operator]
            assert 0 <= sample["position"]["altitude"] < 200  # type: ignore[index]
            assert sample["flightMode"] in ("ready", "takeoff", "inflight", "landing")


def test_sensors_fail_now_and_then_and_recover() -> None:
    drone = Drone(1, 100)
    healthy = []
    for _ in range(20_000):
        drone.advance(1.0)
        healthy.append(all(drone.health.values()))
    turns = sum(a != b for a, b in pairwise(healthy))
    assert turns >= 6
    assert healthy.count(True) > 0.8 * len(healthy)


def test_a_long_step_is_many_short_ones() -> None:
    once, often = Drone(2, 9), Drone(2, 9)
    once.advance(300.0)
    for _ in range(300):
        often.advance(1.0)
    assert once.sample() == often.sample()
