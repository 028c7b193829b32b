"""The 2015 Inception (Szegedy et al.) as NVIDIA published it, the network that FID means.

The file is a TorchScript program: `program(images, return_features=True)` resizes to 299x299 as
TensorFlow did and gives 2048 features; `no_output_bias=True` gives the probabilities that the
inception score is made of (softmax of the features times `program.output.weight`). Loading it runs
it, so that it is loaded only when it was fetched or when a user names the file.
"""

import re
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sid.errors import UserError
from sid.evaluate.extractors.extractor import Extractor, rgb
from sid.evaluate.extractors.published import PROGRAM, is_program
from sid.fetch import locate
from sid.files import sha256

NAME = "inception-2015"
CHUNK = 64  # As EDM's and SiD's metrics have it.


class Inception(nn.Module):
    """The program, with the logits that the inception score takes."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program
        self.weight: Tensor
        self.register_buffer("weight", program.state_dict()["output.weight"])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, 2048] and logits without bias [B, 1008] of images [B, C, H, W]."""
        # The second run of a program is optimised by what was seen in the first, and rounds
        # differently.
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            features = self.program(rgb(images), return_features=True)
        return features, F.linear(features, self.weight)


def load_inception(path: Path | None = None) -> Extractor:
    """The extractor `inception-2015`, or another program of the same interface.

    Only the published file gets the published name; any other is named after its file.

    Args:
        path: a TorchScript file; that which `sid fetch` got when None.

    Raises:
        UserError: the file is missing, damaged, or no program of this interface.
    """
    found = locate(PROGRAM) if path is None else path
    if not found.is_file():
        raise UserError(f"{found}: no such file")
    digest = sha256(found)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # The published format is TorchScript.
            program = torch.jit.load(found, map_location="cpu")  # type: ignore[no-untyped-call]
        network = Inception(program).eval().requires_grad_(False)
        with torch.inference_mode():
            features, logits = network(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
        (_, width), (_, classes) = features.shape, logits.shape
    except (RuntimeError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"{found}: no TorchScript program with the interface of {PROGRAM} ({reason})"
        ) from error
    return Extractor(
        name=NAME if is_program(digest) else name_of(found, digest),
        sha256=digest,
        network=network,
        width=width,
        classes=classes,
        chunk=CHUNK,
        preprocessing="grey repeated to RGB; bilinear to 299x299 as TensorFlow 1, by the network",
        path=found,
    )


def name_of(path: Path, digest: str) -> str:
    """A name for the weights in a file, never that of a published extractor."""
    return f"{re.sub(r'[^A-Za-z0-9_.+-]+', '-', path.stem)}-{digest[:8]}"
