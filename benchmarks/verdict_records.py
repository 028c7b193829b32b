"""Records and claims of generators whose truth is known, for the simulation and the tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sid.evaluate.records import Record
from sid.verdict.claim import Claim, Claims
from sid.verdict.entries import Criterion, Kind, Protocol, Subject
from sid.verdict.published import Number

Array = NDArray[np.float64]
N_IMAGES = 50000
KIMG = 1000.0  # Of every run, and of the publisher.


def rows_of(logs: Array, **fields: Any) -> list[dict[str, Any]]:
    """Records of a generator's or of several runs' draws.

    Args:
        logs: log values of runs and draws, [N, K]; draws are numbered from 1.
        fields: of the records, over those of the first runs of a recipe `a`.
    """
    defaults = {name: f.default for name, f in Record.model_fields.items() if not f.is_required()}
    fixed = {
        **defaults,
        "role": "final",
        "dataset": "cifar10-32x32",
        "recipe": "a",
        "selection": "best",
        "kimg": KIMG,
        "images": int(1000 * KIMG),
        "nfe": 1,
        "metric": "frechet_distance",
        "extractor": "inception-2015",
        "extractor_sha256": "e" * 64,
        "implementation": "nvidia",
        "implementation_version": "1",
        "n_images": N_IMAGES,
        "n_reference": None,
        "reference_sha256": "d" * 64,
        "seconds": 1.0,
        "device": "cpu",
        "torch": "2.13.0",
        "git": "0123abc",
        **fields,
    }
    trained = fixed["role"] != "external"
    about = fixed if trained else {**fixed, "weights_sha256": "a" * 64, "selection": "", **fields}
    return [
        {
            **about,
            "run_seed": seed if trained else -1,
            "generated_sha256": about["generated_sha256"] or f"{about['recipe']} {seed}",
            "draw": draw,
            "seed": draw,
            "value": value,
        }
        for seed, run in enumerate(np.exp(logs).tolist())
        for draw, value in enumerate(run, start=1)
    ]


def table_of(*rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Records as one table."""
    return pd.DataFrame([row for some in rows for row in some], columns=list(Record.model_fields))


def claim_of(
    kind: Kind,
    *,
    published: str = "2.000",
    evidence: str = "primary",
    against: str = "",
    bound: float = 0.02,
    kimg: float = KIMG,
    name: str = "claim",
    **protocol: Any,
) -> Claim:
    """A claim about recipe `a`, by NVIDIA's protocol unless other fields of one are given."""
    asked = {
        "metric": "frechet_distance",
        "implementation": "nvidia",
        "extractor": "inception-2015",
        "n_images": N_IMAGES,
        "draws": 10,
        "of": "mean of 10",
        **protocol,
    }
    return Claim(
        name,
        kind,
        "a statement",
        "a",
        Subject(title="A", dataset="cifar10-32x32", kimg=kimg),
        against,
        Protocol(**asked),
        Criterion(text="a rule", bound=bound, level=0.9, fixed="0123abc"),
        "a source",
        evidence,
        Number(published, "", "a source", evidence, "", ()) if not against else None,
    )


def claims_of(*claims: Claim) -> Claims:
    """A file's claims."""
    return Claims(Path("claims.yaml"), {}, {claim.name: claim for claim in claims})
