"""Deterministic workflows: they pass references and counts, and leave everything else to activities."""
