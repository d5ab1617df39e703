"""The calculator's arithmetic on numbers that can be checked by hand, and the page that shows its tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.scaling import Fleet, counts, needs, prices, profile
from benchmarks.scaling.__main__ import main
from benchmarks.scaling.deployment import AUTOSCALE, TRACE_RATIO, for_fleet, profiles
from benchmarks.scaling.tables import PAGE, TABLES, column, filled
from storage.azure.containers import CONTAINERS, FLIGHTS

ROOT = Path(__file__).resolve().parents[3]
SMALL = Fleet(1_000)


def test_a_small_fleet_by_hand() -> None:
    small = needs(SMALL, profile("1000", window=0.25, signal_window=0))
    assert (small.messages, small.throughput_units) == (1_000, 1)
    assert small.messages_per_batch == pytest.approx(62.5)  # 1,000/s over 4 partitions in 0.25 s
    assert small.batches == pytest.approx(16)
    assert small.signals == pytest.approx(1_000)  # nobody sends twice in a window


def test_a_batch_is_no_larger_than_the_trigger_takes() -> None:
    assert needs(Fleet(100_000), profile("10000", window=10)).messages_per_batch == profile("10000").batch


def test_a_signal_window_tells_each_drone_once_and_at_once_what_cannot_wait() -> None:
    urgent = 1_000 * counts.URGENT_A_SECOND
    assert needs(SMALL, profile("1000", signal_window=10)).signals == pytest.approx(100 + urgent)
    rarely = Fleet(1_000, rate=0.01)  # a drone that sends less often than that is told as often as it sends
    assert needs(rarely, profile("1000", signal_window=10)).signals == pytest.approx(10 + urgent)


def test_large_messages_need_units_for_their_bytes() -> None:
    assert needs(Fleet(1_000, size=10_000), profile("1000")).throughput_units == 10


def test_cost_by_hand() -> None:
    found = needs(SMALL, profile("1000", signal_window=10, messages_hours=240))
    assert found.cost["Event Hubs"] == pytest.approx(0.03 * 730 + 1_000 * 730 * 3_600 / 1e6 * 0.028)
    stored = 1_000 * 240 * 3_600 * (counts.MESSAGE_BYTES + counts.SYSTEM_BYTES) / 1e9
    stored += 1_000 * 7 * 24 * 3_600 * counts.RAW_KILOBYTES / 1e6
    assert found.cost["Cosmos DB, storage"] == pytest.approx(0.25 * stored)
    assert found.total == pytest.approx(sum(found.cost.values()))


def test_the_scheduler_takes_the_place_of_queues_and_tables() -> None:
    there, instead = (
        needs(SMALL, profile("1000", signal_window=0, backend=backend)) for backend in ("storage", "scheduler")
    )
    name = "Task hub: queues and tables"
    assert there.cost[name] == there.hub_cost == instead.hub_cost > 0
    assert instead.cost[name] == 0
    assert instead.queue_operations == instead.table_operations == 0
    assert there.total - instead.total == pytest.approx(there.hub_cost)
    assert instead.actions == pytest.approx(instead.batches * counts.BATCH.actions + instead.signals)
    assert instead.capacity_units == 2  # 1,028 actions a second, of which a unit is to take half of 2,000


def test_everything_that_is_billed_has_a_price_with_a_source() -> None:
    used = {name for name in vars(prices) if isinstance(getattr(prices, name), prices.Price)}
    assert {getattr(prices, name) for name in used} == set(prices.PRICES)
    assert all(price.usd > 0 and price.source for price in prices.PRICES)
    models = "".join((ROOT / "benchmarks" / "scaling" / name).read_text() for name in ("model.py", "alerts.py"))
    assert used <= set(re.findall(r"prices\.([A-Z_]+)", models))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--drones", "0"), ("--drones", "-5"), ("--drones", "1.5"), ("--rate", "0"), ("--rate", "nan"), ("--size", "0"),
        ("--window", "0"), ("--signal-window", "-1"), ("--partitions", "0"), ("--messages-hours", "inf"),
    ],
)  # fmt: skip
def test_a_fleet_that_cannot_be_is_refused_in_words(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--drones", "1000", f"{option}={value}"])
    assert ended.value.code == 2
    assert re.search(rf"{option}: invalid .*number .* value: '{value}'", capsys.readouterr().err)


def test_a_sum_without_the_scheduler_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--drones", "1000", "100000", "--backend", "scheduler"])
    printed = capsys.readouterr().out
    assert "| Durable Task Scheduler: capacity units | 1 × its price | 20 × its price |" in printed
    assert "| **together**, without the scheduler |" in printed
    main(["--drones", "1000"])
    printed = capsys.readouterr().out
    assert "| **together** |" in printed
    assert "× its price" not in printed


def test_larger_fleets_stand_on_several_deployments() -> None:
    assert [(d.drones, number) for d, number in map(for_fleet, (Fleet(10), Fleet(1_001), Fleet(100_000)))] == [
        (1_000, 1),
        (10_000, 1),
        (10_000, 10),
    ]
    assert for_fleet(Fleet(1_000, rate=10))[0].drones == 10_000


@pytest.mark.parametrize("name", sorted(profiles()))
def test_a_profile_carries_the_fleet_that_it_is_meant_for(name: str) -> None:
    at = profile(name, signal_window=10)
    found = needs(Fleet(at.drones), at)
    # Room for a fifth more, and for what an hour's outage has left.
    assert 1.2 * found.message_units <= at.cosmos_most
    assert 1.2 * found.ledger_units <= at.ledger_most
    assert found.stored_gb <= at.cosmos_most  # less than a unit for a GB is refused
    assert found.throughput_units <= profiles()[name]["throughputUnits"]
    assert found.durable_instances <= min(at.durable_ready, at.control_queues)
    assert found.durable_instances + at.http_ready + at.ingest_ready <= at.most_instances


def test_the_share_of_kept_traces_is_the_one_that_is_deployed() -> None:
    text = (ROOT / "infra" / "modules" / "function-app.bicep").read_text()
    assert f"TRACE_RATIO: '{TRACE_RATIO}'" in text


def test_autoscale_is_dearer_under_a_load_that_stays() -> None:
    text = (ROOT / "infra" / "main.bicep").read_text()
    assert f"param cosmosAutoscale bool = {str(AUTOSCALE).lower()}" in text
    name = "Cosmos DB, request units"
    provisioned, following = (
        needs(SMALL, profile("1000", cosmos_autoscale=autoscale)).cost[name] for autoscale in (False, True)
    )
    assert provisioned < following
    idle = needs(Fleet(1), profile("1000", cosmos_autoscale=True)).cost[name]
    assert idle == pytest.approx(0.012 * 730 / 100 * (800 + 400))  # a tenth of both limits


def test_a_thousand_drones_cost_no_more_than_was_set_as_the_goal() -> None:
    thousand, hundred_thousand = (column(Fleet(n), signal_window=10) for n in (1_000, 100_000))
    assert thousand.total <= 2_000
    assert thousand.needs.signals / thousand.needs.messages <= 0.12
    assert thousand.needs.blob_operations <= 1
    assert hundred_thousand.total / 100_000 <= thousand.total / 1_000


def test_the_page_shows_what_the_calculator_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- table: (\w+) -->", page)) == set(TABLES)
    assert filled(page) == page, "python -m benchmarks.scaling --write"


def test_what_the_page_says_of_the_flights_in_one_go_is_calculated() -> None:
    page = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    indexed = next(len(spec.indexed) for spec in CONTAINERS if spec.name == FLIGHTS)
    once = 1_000 * counts.FLIGHT_OF_A_DRONE.request_units(indexed, 1, counts.FLIGHT_KILOBYTES)
    assert f"{round(once, -3):,.0f} RU for 1,000 drones" in page
    small = profile("1000")

    def a_month(request_units: float) -> str:
        return f"${prices.AUTOSCALE_HOUR.of(request_units * prices.HOURS_A_MONTH):.0f}"

    mean = -(-needs(SMALL, small).ledger_units // 100) * 100
    assert f"{a_month(small.ledger_most)} instead of {a_month(mean)} with the profile's {small.ledger_most:,}" in page
    assert f"{a_month(2_000)} with `COSMOS_LEDGER_MAX_RU` 2000" in page


def test_without_options_it_prints_the_tables_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    printed = capsys.readouterr().out
    page = PAGE.read_text(encoding="utf-8")
    assert all(table.strip() in page for table in printed.split("\n\n"))


def test_another_fleet_is_calculated_with_other_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--drones", "500", "--rate", "2", "--signal-window", "0", "--messages-hours", "168"])
    printed = capsys.readouterr().out
    assert "| 500 drones |" in printed
    assert "| messages/s | 1,000 |" in printed
