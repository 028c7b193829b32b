"""What docs/claims.md shows is done as it stands there."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sid.evaluate.records import Record
from sid.shipped import TABLES
from sid.verdict.claim import load_claims
from tests.commands import accepted, sid

DOCUMENT = (Path(__file__).parents[2] / "docs" / "claims.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


def records(path: Path, values: list[float]) -> None:
    """Draws of the generator, as `sid evaluate compare --as swift` and `merge` leave them."""
    rows = [
        Record(
            role="external",
            dataset="cifar10-32x32",
            generated="swift.safetensors",
            generated_sha256=f"{draw:064}",
            weights_sha256="a" * 64,
            recipe="swift",
            nfe=1,
            metric="frechet_distance",
            extractor="inception-2015",
            extractor_sha256="e" * 64,
            implementation="ours",
            implementation_version="0",
            value=value,
            n_images=50000,
            n_reference=50000,
            reference_sha256="r" * 64,
            draw=draw,
            seed=draw,
            seconds=1,
            device="none",
            torch="none",
            git="none",
        ).model_dump()
        for draw, value in enumerate(values, start=1)
    ]
    pd.DataFrame(rows, columns=list(Record.model_fields)).to_csv(path, index=False)


@pytest.mark.parametrize(("factor", "outcome"), [(1.002, "reproduces"), (1.2, "differs")])
def test_the_claims_of_ones_own_paper_are_judged(
    factor: float, outcome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my-paper"
    folder.mkdir()
    (folder / "claims.yaml").write_text(next(b for b in blocks("yaml") if "# claims.yaml" in b))
    (folder / "results.csv").write_text(blocks("csv")[0])
    monkeypatch.setenv("SID_PUBLISHED", str(folder))
    noise = [1 + 0.004 * (-1) ** draw * (draw % 3) for draw in range(10)]
    records(tmp_path / "records.csv", [2.10 * factor * each for each in noise])
    out = tmp_path / "verdict"
    accepted(sid("verdict", str(tmp_path / "records.csv"), "--out", str(out)))
    verdicts = pd.read_csv(out / "verdicts.csv").set_index("claim")
    assert verdicts["verdict"]["swift/fid"] == outcome
    assert verdicts["value"]["swift/fid"] == pytest.approx(factor, rel=0.01)
    assert verdicts["verdict"]["swift/surpasses-teacher"] in ("undecided", "not run")
    numbers = pd.read_csv(out / "published.csv")
    assert (numbers["claims"][0], numbers["verdict"][0]) == ("swift/fid", outcome)
    assert "2.10" in accepted(sid("claims", "swift/fid"))


def test_one_more_claim_is_two_lines(tmp_path: Path) -> None:
    more = yaml.safe_load(next(b for b in blocks("yaml") if "# claims.yaml" not in b))
    file = yaml.safe_load((TABLES / "claims.yaml").read_text())
    (name,) = more["claims"]
    assert name not in file["claims"]
    file["claims"] |= more["claims"]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(file))
    (tmp_path / "results.csv").write_text((TABLES / "results.csv").read_text())
    claim = load_claims(tmp_path).claims[name]
    assert (claim.kind, claim.subject, claim.against) == ("ranking", name.split("/")[0], "teacher")
