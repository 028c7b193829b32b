"""Beside the stages: the claims, listed and printed."""
