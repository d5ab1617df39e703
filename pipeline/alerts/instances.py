"""Names of the alerts' orchestrators and ids of their instances.

The ids begin with a character with which no hub's name may begin, so that they are never taken for a batch's.
"""

from __future__ import annotations

from hashlib import blake2b

MONITOR = "alert_monitor"
MONITOR_ID = "~alerts"
"""The one instance that looks at the drones."""
CHANGED = "changed"
"""The event that has it look at once."""

EPISODE = "alert_episode"
EPISODE_PREFIX = "~alert~"
CLEARED = "cleared"
ACKNOWLEDGED = "acknowledged"
"""Events of an episode."""

DELIVERY = "alert_delivery"
DELIVERY_PREFIX = "~notice~"


def episode_instance(alert_id: str) -> str:
    """At most 100 characters, as the id of an alert has at most 93."""
    return EPISODE_PREFIX + alert_id


def delivery_instance(alert_id: str, kind: str, receiver: str, round_: int) -> str:
    """Each round of a delivery is an instance of its own: an id that has ended would be run anew."""
    of_alert = blake2b(alert_id.encode(), digest_size=12).hexdigest()
    return f"{DELIVERY_PREFIX}{of_alert}~{kind}~{receiver}~{round_}"
