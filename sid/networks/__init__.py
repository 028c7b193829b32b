"""Architectures and preconditioning, with the parameter names of the official state dicts."""

from sid.networks.precond import Architecture, EDMPrecond
from sid.networks.weights import load_network, read_metadata, save_network

__all__ = ["Architecture", "EDMPrecond", "load_network", "read_metadata", "save_network"]
