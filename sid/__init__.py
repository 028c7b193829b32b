"""A reproducibility benchmark suite for Score identity Distillation (SiD, SiDA, SiD2A)."""

__version__ = "0.1.0"
