"""Verdicts: what the records say about each published claim."""
