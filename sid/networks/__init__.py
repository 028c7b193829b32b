"""Architectures and preconditioning, with the parameter names of the official state dicts."""

from sid.networks.architecture import (
    Architecture,
    DhariwalArchitecture,
    SongArchitecture,
    parse_architecture,
)
from sid.networks.precond import EDMPrecond
from sid.networks.weights import load_network, network_of, read_metadata, save_network

__all__ = [
    "Architecture",
    "DhariwalArchitecture",
    "EDMPrecond",
    "SongArchitecture",
    "load_network",
    "network_of",
    "parse_architecture",
    "read_metadata",
    "save_network",
]
