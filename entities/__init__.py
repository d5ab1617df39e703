"""Durable entities: one per drone."""
