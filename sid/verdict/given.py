"""Files at hand that are held against what is claimed of a published checkpoint."""

from pathlib import Path

import pandas as pd

from sid.verdict.claim import Claim, Claims


def held_against(claims: Claims, records: pd.DataFrame) -> Claims:
    """The claims, those about a published file with the file at hand that was measured for it.

    Records name a published file as `files.csv` does, and a file at hand by its path.

    Args:
        claims: of the tables.
        records: as of `sid.evaluate.records`.
    """
    rows = records[(records["role"] == "external") & (records["generated"] != "")]
    paths = dict(zip(rows["recipe"], rows["generated"], strict=True))
    found = {name: _held(one, paths.get(one.subject, "")) for name, one in claims.claims.items()}
    return claims._replace(claims=found)


def named_after_files(records: pd.DataFrame, claims: Claims) -> pd.DataFrame:
    """The records, those of a file at hand under its own name, for tables of what was measured.

    Args:
        records: as of `sid.evaluate.records`.
        claims: as of `held_against`.
    """
    names = {one.subject: Path(one.given).name for one in claims.claims.values() if one.given}
    here = (records["role"] == "external") & records["recipe"].isin(names)
    return records.assign(recipe=records["recipe"].mask(here, records["recipe"].map(names)))


def _held(claim: Claim, path: str) -> Claim:
    if claim.kind != "checkpoint" or path in ("", claim.about.weights) or not claim.about.weights:
        return claim
    name = Path(path).name
    statement = f"{name}, held against the claim: {claim.statement}"
    return claim._replace(given=path, statement=statement)
