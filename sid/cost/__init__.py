"""Beside the stages: what a recipe costs on GPUs, before anybody pays for it."""
