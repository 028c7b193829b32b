"""Published tables of the stand-ins: the shipped ones, cut to an experiment, with other numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from sid.config import read_yaml
from sid.files import read_table, sha256, write_text
from sid.shipped import TABLES
from sid.verdict.claim import load_claims
from sid.verdict.published import COLUMNS

SOURCE = "the rehearsal"
PROTOCOL, DRAWS = "fid", 3


class Planted(NamedTuple):
    """A published number of a stand-in.

    Attributes:
        factor: what the measured value is multiplied by.
        evidence: grade of its source.
        verdict: what `sid verify` must say of it.
    """

    factor: float = 1.0
    evidence: str = "primary"
    verdict: str = "reproduces"


PLANTED = {
    "cifar10-uncond-sid-alpha1.2": Planted(),
    "cifar10-uncond-sid-alpha1": Planted(factor=1.1, verdict="differs"),
    "cifar10-uncond-sida-alpha1": Planted(evidence="unverified", verdict="undecided"),
}


def cut_claims(names: list[str], planted: list[str], n_images: int) -> dict[str, Any]:
    """The shipped claims about some recipes and their teacher, with small sets of images.

    Args:
        names: of the subjects.
        planted: of those whose checkpoint has a number.
        n_images: of each draw.
    """
    file = read_yaml(TABLES / "claims.yaml")
    shipped = load_claims(TABLES)
    file["bases"]["inception"] |= {"n_images": n_images, "draws": DRAWS}
    subjects = {
        name: {
            **file["subjects"][name],
            "checkpoint": [PROTOCOL] if name in planted else [],
            "retraining": [PROTOCOL] if shipped.subjects[name].retraining else [],
        }
        for name in names
    }
    about = {*names, "teacher", ""}
    stated = {
        name: claim
        for name, claim in file["claims"].items()
        if {shipped.claims[name].subject, shipped.claims[name].against} <= about
    }
    return {**file, "subjects": subjects, "claims": stated}


def write_files(out: Path, names: list[str], hashes: Mapping[str, Path]) -> dict[str, str]:
    """`files.csv` of what the mirror has; the addresses by name.

    Args:
        out: the folder of tables.
        names: of the files, as in the shipped table.
        hashes: stand-ins whose checksums the table is to have, where a shipped one has its own.
    """
    files = read_table(TABLES / "files.csv", "it comes with the repository", dtype=str)
    files = files[files["name"].isin(names)].set_index("name", drop=False)
    files["sha256"] = [sha256(hashes[name]) if name in hashes else "" for name in files["name"]]
    files["bytes"] = ""
    write_text(out / "files.csv", files.to_csv(index=False))
    return dict(zip(files["name"], files["url"], strict=True))


def write_numbers(
    out: Path,
    claims: Mapping[str, Any],
    values: Mapping[str, float],
    planted: Mapping[str, Planted],
) -> None:
    """`claims.yaml`, `results.csv` and `checkpoints.csv`, over a copy of the shipped tables.

    Args:
        out: the folder of tables.
        claims: as of `cut_claims`.
        values: the measured mean of each subject.
        planted: what is made of it; nothing is changed where a subject is not named.
    """
    for path in TABLES.iterdir():
        if not (out / path.name).exists():
            write_text(out / path.name, path.read_text(encoding="utf-8"))
    subjects, rows = load_claims(TABLES).subjects, []
    for name, value in values.items():
        about, plant = subjects[name], planted.get(name, Planted())
        rows.append(
            {
                **dict.fromkeys(COLUMNS["results.csv"], ""),
                **about.published,
                "method": about.method,
                "nfe": str(about.nfe),
                "metric": "FID",
                "value": f"{value * plant.factor:.3f}",
                "source": SOURCE,
                "evidence": plant.evidence,
            }
        )
    write_text(out / "results.csv", pd.DataFrame(rows).to_csv(index=False))
    write_text(out / "claims.yaml", yaml.safe_dump(dict(claims), sort_keys=False))
