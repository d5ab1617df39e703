"""The one thing that is ever asked of a vehicle, and only with ``--request-rates``: to say often what is read here.

Source: ``MAV_CMD_SET_MESSAGE_INTERVAL`` in https://mavlink.io/en/messages/common.html. It changes a stream's rate on
this link until the next boot, and nothing about the flight.
"""

from __future__ import annotations

from collections.abc import Iterator

from pymavlink.dialects.v20 import ardupilotmega as dialect

_OUR_SYSTEM, _OUR_COMPONENT = 245, dialect.MAV_COMP_ID_ONBOARD_COMPUTER
_ONCE_A_SECOND = (
    dialect.MAVLINK_MSG_ID_SYS_STATUS,
    dialect.MAVLINK_MSG_ID_SYSTEM_TIME,
    dialect.MAVLINK_MSG_ID_EXTENDED_SYS_STATE,
    dialect.MAVLINK_MSG_ID_BATTERY_STATUS,
    dialect.MAVLINK_MSG_ID_GPS_RAW_INT,
)
_OFTEN = (dialect.MAVLINK_MSG_ID_GLOBAL_POSITION_INT,)


def requests(system: int, component: int, per_second: float) -> Iterator[bytes]:
    """The packets that ask a vehicle for its position so often, and for the rest once a second."""
    link = dialect.MAVLink(None, srcSystem=_OUR_SYSTEM, srcComponent=_OUR_COMPONENT)
    for kinds, rate in ((_OFTEN, per_second), (_ONCE_A_SECOND, 1.0)):
        for number in kinds:
            command = dialect.MAVLink_command_long_message(
                system, component, dialect.MAV_CMD_SET_MESSAGE_INTERVAL, 0, number, 1e6 / rate, 0, 0, 0, 0, 0
            )
            yield bytes(command.pack(link))
            link.seq = (link.seq + 1) % 256
