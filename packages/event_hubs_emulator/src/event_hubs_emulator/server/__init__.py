"""The AMQP server: connections, their sessions and links, and the nodes that links attach to."""
