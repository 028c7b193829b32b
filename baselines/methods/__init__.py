"""Rival distillation methods behind the interface of `sid.distill.method`."""
