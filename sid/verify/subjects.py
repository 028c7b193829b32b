"""Which published checkpoints are meant, and which claims about them."""

import difflib
from collections.abc import Sequence

from sid.errors import UserError
from sid.verdict.claim import Claim, Claims

Chosen = dict[str, list[Claim]]  # By subject, in the order of the file.


def published(claims: Claims, dataset: str | None = None) -> Chosen:
    """Every claim about a published checkpoint.

    Args:
        claims: of the tables.
        dataset: name of the only data set that counts; None for all.

    Raises:
        UserError: there is none of this data set.
    """
    found: Chosen = {}
    for claim in claims.claims.values():
        if claim.kind == "checkpoint" and claim.about.weights:
            found.setdefault(claim.subject, []).append(claim)
    if dataset is None:
        return found
    known = dict.fromkeys(group[0].about.dataset for group in found.values())
    if dataset not in known:
        raise UserError(f"--dataset {dataset}: unknown; known are {', '.join(known)}")
    return {name: group for name, group in found.items() if group[0].about.dataset == dataset}


def chosen(claims: Claims, names: Sequence[str]) -> Chosen:
    """The checkpoint claims of subjects, or those that are named one by one.

    Args:
        claims: of the tables.
        names: of subjects, such as `cifar10-uncond-sid-alpha1.2`, and of claims, such as
            `cifar10-uncond-sid-alpha1.2/fid`.

    Raises:
        UserError: a name is unknown, or names no published checkpoint.
    """
    known = published(claims)
    wanted = {claim.name for name in names for claim in _named(claims, known, name)}
    found = {
        subject: [claim for claim in group if claim.name in wanted]
        for subject, group in known.items()
    }
    return {subject: group for subject, group in found.items() if group}


def _named(claims: Claims, known: Chosen, name: str) -> list[Claim]:
    if name in known:
        return known[name]
    claim = claims.claims.get(name)
    if claim in known.get(name.partition("/")[0], []):
        return [claim] if claim else []
    if claim or name in claims.subjects:
        what = f"a claim of kind {claim.kind}" if claim else "no published checkpoint is known"
        raise UserError(
            f"{name}: {what}; `sid verify` measures published checkpoints, and `sid claims --kind "
            "checkpoint` lists them"
        )
    every = [*known, *(claim.name for group in known.values() for claim in group)]
    near = difflib.get_close_matches(name, every, n=1)
    mend = f"did you mean {near[0]}?" if near else "`sid claims --kind checkpoint` lists them"
    raise UserError(f"{name}: no such claim or subject; {mend}")
