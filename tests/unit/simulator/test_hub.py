from __future__ import annotations

import pytest
from azure.eventhub._buffered_producer._partition_resolver import PartitionResolver
from azure.eventhub.exceptions import AuthenticationError, ConnectError, ConnectionLostError

from gateway.target import HubRefused, HubUnavailable, InvalidTarget, Target, told
from simulator.fleet import Outgoing
from simulator.formats import FORMATS
from simulator.hub import EventHub

CONNECTION = "Endpoint=sb://localhost:5672;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"


def test_which_hub() -> None:
    assert Target.of(CONNECTION, None, None).hub == "telemetry"
    assert Target.of(CONNECTION + "EntityPath=other", None, None).hub == "other"
    assert Target.of(CONNECTION + "EntityPath=other", None, "mine").hub == "mine"
    assert Target.of(None, "ns.servicebus.windows.net", None) == Target("telemetry", None, "ns.servicebus.windows.net")
    assert Target.of(CONNECTION, "ns.servicebus.windows.net", None).namespace is None


@pytest.mark.parametrize("connection", ["nonsense", "Endpoint=sb://x", "SharedAccessKeyName=a;SharedAccessKey=b"])
def test_a_connection_string_that_is_none(connection: str) -> None:
    with pytest.raises(InvalidTarget, match="connection string"):
        Target.of(connection, None, None)


def test_no_target_at_all_says_what_to_give() -> None:
    with pytest.raises(InvalidTarget, match=r"--connection.*EventHubConnection"):
        Target.of(None, None, None)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (AuthenticationError("bad key"), HubRefused, "credentials: bad key"),
        (ConnectError("The messaging entity 'x' could not be found."), HubRefused, "no hub 'x'"),
        (
            AuthenticationError("Status code: 404 The messaging entity 'x' could not be found."),
            HubRefused,
            "no hub 'x'",
        ),
        (
            ConnectionLostError("gone\n  away Error condition: E Error Description: gone away"),
            HubUnavailable,
            "gone away",
        ),
        (OSError("not found in DNS"), HubUnavailable, "not found in DNS"),
        (TimeoutError(), HubUnavailable, "TimeoutError"),
    ],
)
def test_what_a_failure_means(error: Exception, kind: type[Exception], text: str) -> None:
    meant = told(error, "x")
    assert type(meant) is kind
    assert text in str(meant)
    assert "Error condition" not in str(meant)


def test_each_drone_keeps_the_partition_of_its_key() -> None:
    hub = EventHub(Target("telemetry", CONNECTION), FORMATS["json"])
    partitions = [str(number) for number in range(8)]
    hub._resolver = PartitionResolver(partitions)
    found = [hub.partition_of(Outgoing(number, b"")) for number in range(1000)]
    assert found == [hub.partition_of(Outgoing(number, b"other")) for number in range(1000)]
    assert set(found) == set(partitions)
    expected = PartitionResolver(partitions)
    assert found == [expected.get_partition_id_by_partition_key(f"drone-{number}") for number in range(1000)]
