"""Which published checkpoints are meant, and which claims about them."""

from collections.abc import Sequence

from sid.errors import UserError
from sid.verdict import claim
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
    for one in claims.claims.values():
        if one.kind == "checkpoint" and one.about.weights:
            found.setdefault(one.subject, []).append(one)
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
    wanted = claim.chosen(claims, names, "sid verify")
    there = {one.name for group in known.values() for one in group}
    if strange := next((name for name in wanted if name not in there), None):
        raise UserError(
            f"sid verify: {strange}: is about no published checkpoint; `sid claims --kind "
            "checkpoint` lists those that are"
        )
    found = {
        subject: [one for one in group if one.name in wanted] for subject, group in known.items()
    }
    return {subject: group for subject, group in found.items() if group}


def named(text: str | Sequence[str] | None) -> Chosen:
    """What `--config verify=` asks the workflow for.

    Args:
        text: names with commas, or a list of them; None for every published checkpoint.

    Raises:
        UserError: see `chosen`.
    """
    claims = claim.load_claims()
    if text is None:
        return published(claims)
    names = text.split(",") if isinstance(text, str) else text
    return chosen(claims, [name.strip() for name in names])
