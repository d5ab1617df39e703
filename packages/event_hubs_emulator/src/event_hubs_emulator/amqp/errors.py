"""AMQP errors as exceptions; the class says what an error ends: connection, session, link or one delivery."""

INTERNAL_ERROR = "amqp:internal-error"
NOT_FOUND = "amqp:not-found"
DECODE_ERROR = "amqp:decode-error"
NOT_ALLOWED = "amqp:not-allowed"
INVALID_FIELD = "amqp:invalid-field"
NOT_IMPLEMENTED = "amqp:not-implemented"
ILLEGAL_STATE = "amqp:illegal-state"
CONNECTION_FORCED = "amqp:connection:forced"
FRAMING_ERROR = "amqp:connection:framing-error"
RESOURCE_LIMIT_EXCEEDED = "amqp:resource-limit-exceeded"
WINDOW_VIOLATION = "amqp:session:window-violation"
HANDLE_IN_USE = "amqp:session:handle-in-use"
UNATTACHED_HANDLE = "amqp:session:unattached-handle"
TRANSFER_LIMIT_EXCEEDED = "amqp:link:transfer-limit-exceeded"
MESSAGE_SIZE_EXCEEDED = "amqp:link:message-size-exceeded"
LINK_STOLEN = "amqp:link:stolen"


class AmqpError(Exception):
    """An error with an AMQP `condition` (a symbol, the specification's or Event Hubs') and a description for people."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description


class DecodeError(AmqpError):
    """Bytes that are not what AMQP 1.0 says they should be."""

    def __init__(self, description: str) -> None:
        super().__init__(DECODE_ERROR, description)


class ConnectionFault(AmqpError):
    """Ends the connection: answered with close."""


class SessionFault(AmqpError):
    """Ends the session: answered with end."""


class LinkFault(AmqpError):
    """Ends the link: answered with detach."""


class DeliveryFault(AmqpError):
    """Refuses one delivery: answered with the rejected outcome; the link goes on."""
