"""Networks on disk: safetensors with the architecture and a checksum in the metadata."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sid.errors import UserError
from sid.files import write_atomic
from sid.networks.architecture import Architecture, parse_architecture
from sid.networks.precond import EDMPrecond


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous().cpu()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors with JSON metadata and their checksum, atomically.

    Raises:
        UserError: no file can be there, or none that could be read again.
    """
    _check_name(path)
    whole = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    # One entry: the library writes several in an order that changes from process to process.
    about = {"about": json.dumps({**metadata, "sha256": digest(whole)}, sort_keys=True)}

    def write(temporary: Path) -> None:
        try:
            save_file(whole, temporary, about)
        except safetensors.SafetensorError as error:
            # The library wraps the system's error in words; the number in them is what helps.
            code = re.search(r"os error (\d+)", str(error))
            if not code:
                raise
            number = int(code.group(1))
            raise OSError(number, os.strerror(number), str(path)) from error

    write_atomic(path, write)


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata of a file written by `save_tensors`.

    Raises:
        UserError: the file is missing, cut, or of another format or library.
    """
    _check_name(path)
    try:
        with safetensors.safe_open(path, "pt") as handle:
            about = json.loads((handle.metadata() or {}).get("about", "null"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    # Of the library, of JSON, and of JSON that is nested deeply.
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: damaged or not a safetensors file ({error})") from error
    if not isinstance(about, dict) or not isinstance(about.get("sha256"), str):
        raise UserError(
            f"{path}: not written by `sid` (its metadata has no `about` with a checksum); "
            "official networks are read by `sid teacher import`"
        )
    return about


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and metadata, after comparing the checksum.

    Raises:
        UserError: the file is missing, cut, changed, or of another format or library.
    """
    metadata = read_metadata(path)
    tensors = load_file(path)
    if metadata["sha256"] != digest(tensors):
        raise UserError(f"{path}: damaged (its checksum does not match); make it again")
    return tensors, metadata


def _check_name(path: Path) -> None:
    """The library reads no path that is not UTF-8, and would call the file damaged."""
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: safetensors takes paths in UTF-8 only; rename the file or its folder"
        ) from error
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: is no file, but a folder, a device or a pipe; name a file")


def save_network(path: Path, network: EDMPrecond, metadata: Mapping[str, Any]) -> None:
    """Write a network's weights, its architecture and `metadata`, atomically."""
    architecture = json.loads(network.architecture.model_dump_json())
    save_tensors(path, network.state_dict(), {**metadata, "architecture": architecture})


def network_of(
    architecture: Architecture, tensors: Mapping[str, Tensor], device: torch.device, source: object
) -> EDMPrecond:
    """A network with given weights, in evaluation mode without gradients.

    Args:
        architecture: what to build; nothing is drawn and no memory taken before all fits.
        tensors: its state, with the official names.
        device: where to put it.
        source: what the tensors were read from.

    Raises:
        UserError: a tensor is missing, left over or of another shape.
    """
    with torch.device("meta"):
        network = architecture.build()
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in [*wanted, *found]:
        if wanted.get(name) != found.get(name):
            raise UserError(
                f"{source}: does not fit its architecture: {name} is "
                f"{found.get(name, 'missing')}, should be {wanted.get(name, 'absent')}"
            )
    network.to_empty(device=device).load_state_dict(tensors)
    return network.eval().requires_grad_(False)


def load_network(path: Path, device: torch.device) -> tuple[EDMPrecond, dict[str, Any]]:
    """A network in evaluation mode without gradients, and its metadata.

    Raises:
        UserError: the file is missing or damaged, holds no network, or one that cannot be built.
    """
    tensors, metadata = load_tensors(path)
    if "architecture" not in metadata:
        raise UserError(f"{path}: holds no network (no architecture in its metadata)")
    architecture = parse_architecture(metadata["architecture"], path)
    return network_of(architecture, tensors, device, path), metadata
