"""Beside the stages: the recipes, printed as the papers' tables."""
