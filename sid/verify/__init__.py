"""Measures published checkpoints by their protocol, and judges what was published of them."""
