"""Put on PYTHONPATH by the measurement ``batch``: counts what a host and its workers do, from outside their code."""
