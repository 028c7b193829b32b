"""Verdicts: what the records say about each claim, in miniature."""
