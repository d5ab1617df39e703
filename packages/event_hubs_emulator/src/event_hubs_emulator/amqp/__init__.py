"""AMQP 1.0 on the wire: types, frames and performatives (OASIS AMQP 1.0, parts 1 and 2).

Why our own codec: the brokers and libraries at hand (RabbitMQ's plugin, rhea) do not serve azure-eventhub's own AMQP
client. It indexes the fields of a performative without looking at their number, so trailing nulls must be written. It
needs message-format 0x80013700, link properties and desired capabilities, which qpid-proton's handlers hide, and
answers of the shape Azure gives on $cbs. Besides, the hot path here forwards encoded events untouched, which no library
that decodes every message can do.
"""
