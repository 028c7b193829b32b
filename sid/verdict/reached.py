"""Has one run in training reached its claim? By its curve first, then by fresh draws of the best.

The arithmetic is that of `sid.verdict.retraining`, of one run: its error is that of the draws. It
may end this run, and says nothing of training again.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from sid.errors import UserError
from sid.evaluate.evaluate import load_network_of, origin
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.labels import LabelRule
from sid.evaluate.measured import Piece, read_measured
from sid.evaluate.records import Record
from sid.evaluate.runs import KEYS
from sid.evaluate.samplers import sample_generator
from sid.files import read_json
from sid.runs.folder import RunFolder
from sid.runs.removed import refuse_removed
from sid.verdict.claim import Claim, Claims
from sid.verdict.evidence import Records, sign
from sid.verdict.judged import per_cent, ratio_of, unsure
from sid.verdict.parts import known
from sid.verdict.published import Number
from sid.verdict.retraining import beside_published
from sid.verdict.side import LackingError


class Contender(NamedTuple):
    """The snapshot of a run that is to be drawn anew, or why none is.

    Attributes:
        images: seen by it; -1 for none.
        why: in words.
    """

    images: int
    why: str


def claim_to_reach(claims: Claims, name: str, run: RunFolder) -> Claim:
    """A claim about training a run's recipe again.

    Raises:
        UserError: there is no such claim, it is of another kind, or about another recipe.
    """
    claim = claims.claims.get(name)
    if claim is None or claim.kind != "retraining" or claim.number is None:
        raise UserError(f"--claim {name}: no claim of kind retraining; `sid claims` lists them")
    if not run.manifest.exists():
        raise UserError(f"{run.path}: not a run (no manifest.json); make one with `sid distill`")
    about = read_json(run.manifest)
    recipe = about.get("recipe", {}).get("name", "") if isinstance(about, dict) else ""
    if recipe != claim.subject:
        raise UserError(f"--claim {name}: is about {claim.subject}, and {run.path} is of {recipe}")
    return claim


def _number(claim: Claim) -> Number:
    """Its published number, which a claim to reach has."""
    assert claim.number
    return claim.number


def contender(run: RunFolder, claim: Claim) -> Contender:
    """The snapshot that the claim selects, if its value on the curve is within the margin.

    Args:
        run: in training or finished.
        claim: as of `claim_to_reach`.

    Raises:
        UserError: no snapshot is measured as the claim asks, or a file is damaged.
    """
    if run.reached.exists():
        return Contender(-1, f"reached before: {run.reached}")
    if why := unsure(claim):
        return Contender(-1, f"never called reached: {why}")
    protocol = claim.protocol
    values = {
        images: record.value
        for images, records in read_measured(run).items()
        for record in records
        if (record.metric, record.implementation) == (protocol.metric, protocol.implementation)
        and protocol.extractor in ("", record.extractor)
        and record.value > 0  # It has a logarithm.
    }
    if not values:
        by = protocol.implementation
        raise UserError(
            f"{run.measured}: no snapshot with {protocol.metric} by {by}, {protocol.extractor}; "
            f"measure them with --curve {by}"
        )
    way = sign(protocol.metric)
    best = min(values, key=lambda images: way * values[images])
    images = max(values) if protocol.selection == "last" else best
    beyond = way * math.log(values[images] / _number(claim).value)
    at = f"{values[images]:.4g} at {images / 1000:,.6g} kimg on the curve"
    if beyond > math.log1p(claim.criterion.bound):
        return Contender(-1, f"not yet: {at}")
    return Contender(images, at)


def fresh_draws(
    evaluator: Evaluator, run: RunFolder, images: int, claim: Claim, n: int, device: torch.device
) -> list[Piece]:
    """The draws that the claim asks for, of a snapshot, each with a file in the run's `fresh`.

    The network is loaded at once: once a better one is measured, another process may remove it.

    Args:
        evaluator: of the claim's implementation; its workspace is not used for the results.
        run: of which the snapshot is.
        images: seen by the snapshot.
        claim: which says how many draws.
        n: images of each.
        device: of the network.

    Raises:
        UserError: the snapshot is gone, damaged, or makes images of another shape.
    """
    path = run.snapshot_path(images)
    refuse_removed(path)
    network, found = load_network_of(path, KEYS, evaluator.shape, device)
    selection = claim.protocol.selection
    about = {**origin(found, path), "role": "final", "selection": selection, "nfe": 1}
    labels = evaluator.labels(LabelRule(network.architecture.label_dim, evaluator.counts))

    def piece(draw: int) -> Piece:
        def make() -> list[Record]:
            sampler = sample_generator(network, draw, found["sigma_init"], evaluator.counts)
            return evaluator.sampled(sampler, n, about, draw=draw, seed=draw)

        asked = evaluator.asked(about["weights_sha256"], n, draw, labels)
        return Piece(fresh_path(run, images, draw), asked, evaluator.passes(n), make)

    return [piece(draw) for draw in range(1, claim.protocol.draws + 1)]


def fresh_path(run: RunFolder, images: int, draw: int) -> Path:
    """Where the records of a fresh draw of a snapshot are while the run is in training."""
    return run.path / "fresh" / f"{images:012d}-{draw:03d}.json"


class Alone(NamedTuple):
    """What fresh draws say of one run.

    Attributes:
        reached: `reached.json`, where it is; else None.
        why: in words.
    """

    reached: dict[str, object] | None
    why: str


def judge_alone(records: Sequence[Record], claim: Claim) -> Alone:
    """Whether the mean's upper limit, over the draws of one run, is within the claim's margin.

    Args:
        records: of the fresh draws of one snapshot of one run.
        claim: as of `claim_to_reach`.
    """
    rows = [record.model_dump() for record in records]
    table = pd.DataFrame(rows, columns=list(Record.model_fields))
    try:
        beside = beside_published(Records(table), claim, _number(claim))
    except LackingError as lack:
        return Alone(None, f"undecided: {lack.reason}")
    found, bound = beside.found, claim.criterion.bound
    ratio = ratio_of(beside.difference, found.parts, found.parts, claim.criterion.level)
    low, high = (_number(claim).value * math.exp(limit) for limit in (ratio.low, ratio.high))
    told = (
        f"{math.exp(found.mean):.4g} ({low:.4g} to {high:.4g}) over {found.draws} draws, published "
        f"is {_number(claim).text}, margin {per_cent(bound)}"
    )
    if found.runs != 1 or beside.flaws or not known(found.parts):
        return Alone(None, "; ".join([f"undecided: {told}", *beside.flaws]))
    if ratio.worse(sign(claim.protocol.metric)).high >= math.log1p(bound):
        return Alone(None, f"not yet: {told}")
    about = {
        "claim": claim.name,
        "images": records[0].images,
        "value": math.exp(found.mean),
        "limits": [low, high],
        "draws": found.draws,
        "published": _number(claim).value,
        "margin": bound,
    }
    return Alone(about, f"reached: {told}")
