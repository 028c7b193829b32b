"""One run and its claim while it trains: what is drawn anew, and what is called reached."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.verdict_records import claim_of, rows_of
from sid.data.images import ImageSet
from sid.data.sets.digits import digits
from sid.data.zips import write_zip
from sid.evaluate.extractors.classifier import DataExtractor, train_extractor
from sid.evaluate.measured import read_measured
from sid.evaluate.records import Record, read_records
from sid.files import read_json, write_json
from sid.runs.folder import RunFolder
from sid.verdict.reached import judge_alone
from tests.commands import Done, refused, sid
from tests.evaluate.test_evaluate import make_run
from tests.verdict.tables import HEAD, SOURCES

SPREAD = np.linspace(-0.02, 0.02, 10)
T9 = 1.8331129  # Student's t, 95 %, 9 degrees.
CLAIMS = """\
protocols:
  fd: {metric: frechet_distance, number: FID, implementation: ours, n_images: 60, draws: 3}
criteria:
  retraining: {text: within 5 %, bound: 0.05, level: 0.9, fixed: ""}
subjects:
  sid-tiny: {title: A run, method: sid, dataset: digits, published: {dataset: d}, retraining: [fd]}
  other: {title: Another, method: sid, dataset: digits, published: {dataset: d}, retraining: [fd]}
"""
CLAIM = "sid-tiny/retrained-fid"


def draws(mean: float, spread: np.ndarray = SPREAD, **fields: object) -> list[Record]:
    rows = rows_of(math.log(2 * mean) + spread[None, :], images=512, **fields)
    return [Record.model_validate({**row, "stderr": None}) for row in rows]


@pytest.mark.parametrize(("mean", "is_reached"), [(0.9, True), (1.04, True), (1.045, False)])
def test_the_upper_limit_over_its_draws_decides(mean: float, is_reached: bool) -> None:
    """The limit is 0.78 % above the mean, and the margin 5 %."""
    found = judge_alone(draws(mean), claim_of("retraining", bound=0.05))
    assert (found.reached is not None) == is_reached
    half = T9 * SPREAD.std(ddof=1) / math.sqrt(10)
    assert half == pytest.approx(0.0078, abs=1e-4)
    if found.reached:
        assert found.reached["value"] == pytest.approx(2 * mean)
        limits = [2 * mean * math.exp(way * half) for way in (-1, 1)]
        assert found.reached["limits"] == pytest.approx(limits)
        assert (found.reached["images"], found.reached["draws"]) == (512, 10)
        assert found.reached["claim"] == "claim"
    else:
        assert found.why.startswith("not yet")


@pytest.mark.parametrize(
    ("records", "asked", "part"),
    [
        (draws(0.5, SPREAD[:9]), {}, "9 draws in common where 10"),
        (draws(0.5, 0 * SPREAD), {}, "undecided"),
        (draws(0.5, n_images=100), {}, "50,000 are wanted"),
        (draws(0.5), {"evidence": "unverified"}, "unverified"),
        (draws(0.5, implementation="ours"), {}, "by ours"),
        (draws(0.5, SPREAD[:1]), {}, "1 draw"),
    ],
)
def test_what_does_not_decide_a_claim_ends_no_run(
    records: list[Record], asked: dict[str, str], part: str
) -> None:
    found = judge_alone(records, claim_of("retraining", bound=0.05, **asked))
    assert found.reached is None
    assert part in found.why


@pytest.fixture(scope="module")
def extractor() -> DataExtractor:
    return train_extractor(ImageSet("digits", *digits(), "d" * 64), seed=0)


@pytest.fixture
def place(extractor: DataExtractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_zip(tmp_path / "digits.zip", digits()[0][:600], None)
    extractor.save(tmp_path / "e.st")
    make_run(tmp_path / "run", [0, 64, 128])
    monkeypatch.setenv("SID_PUBLISHED", str(tmp_path / "tables"))
    publish(tmp_path, 1.0)
    return tmp_path


def publish(place: Path, value: float, evidence: str = "primary") -> None:
    (place / "tables").mkdir(exist_ok=True)
    (place / "tables/claims.yaml").write_text(CLAIMS)
    row = f"sid,d,,1,,,FID,{value:.4f},,a paper,,,{evidence}"
    (place / "tables/results.csv").write_text(f"{HEAD},metric,value,std,{SOURCES}\n{row}\n")


def called(place: Path, command: str, *words: object) -> Done:
    given = [*command.split(), place / "run", place / "digits.zip", "--extractor", place / "e.st"]
    return sid(*given, "--metrics", "fd", "--json", place / "out.json", "--quiet", *words)


def test_fresh_draws_of_the_best_so_far_end_a_run(place: Path) -> None:
    run = RunFolder(place / "run")
    refused(called(place, "reached", "--claim", CLAIM), "measured", "--curve ours")
    assert called(place, "evaluate snapshots", "--n-curve", 300).returncode == 0
    curve = {n: records[0].value for n, records in read_measured(run).items()}
    best = min(curve, key=curve.__getitem__)

    # Far from the number, nothing is drawn.
    done = called(place, "reached", "--claim", CLAIM)
    assert (done.returncode, read_records(place / "out.json")) == (0, [])
    assert "not yet" in done.stdout
    assert not (run.path / "fresh").exists()

    # Near it on the curve, its fresh draws decide, which are of fewer images and read higher.
    publish(place, curve[best] / 1.0499)
    done = called(place, "reached", "--claim", CLAIM)
    assert "not yet" in done.stdout
    assert not run.reached.exists()
    fresh = read_records(place / "out.json")
    assert {(r.role, r.selection, r.images, r.n_images) for r in fresh} == {
        ("final", "best", best, 60)
    }
    assert [(r.draw, r.seed, r.implementation) for r in fresh] == [
        (draw, draw, "ours") for draw in (1, 2, 3)
    ]
    written = {path.name: path.stat().st_mtime_ns for path in (run.path / "fresh").iterdir()}
    publish(place, 2 * max(record.value for record in fresh))
    done = called(place, "reached", "--claim", CLAIM)
    assert "reached: " in done.stdout
    about = read_json(run.reached)
    assert (about["claim"], about["images"], about["draws"]) == (CLAIM, best, 3)
    mean = math.exp(np.mean([math.log(record.value) for record in fresh]))
    assert about["value"] == pytest.approx(mean)
    assert about["limits"][0] < mean < about["limits"][1] < 1.05 * about["published"]
    assert written == {p.name: p.stat().st_mtime_ns for p in (run.path / "fresh").iterdir()}

    # And they are the draws that the evaluation of the finished run makes.
    assert called(place, "evaluate run", "--n-curve", 300, "--n-final", 60).returncode == 0
    final = [r for r in read_records(place / "out.json") if r.selection == "best"]
    ours = [r.value for r in final if r.implementation == "ours"]
    assert ours == [record.value for record in fresh]
    assert "reached before" in called(place, "reached", "--claim", CLAIM).stdout


def test_an_unverified_number_and_another_recipe_end_no_run(place: Path) -> None:
    publish(place, 1e6, "unverified")
    assert called(place, "evaluate snapshots", "--n-curve", 300).returncode == 0
    done = called(place, "reached", "--claim", CLAIM)
    assert (done.returncode, "never called reached" in done.stdout) == (0, True)
    assert not RunFolder(place / "run").reached.exists()
    refused(called(place, "reached", "--claim", "other/retrained-fid"), "about other", "sid-tiny")
    refused(called(place, "reached", "--claim", "none"), "--claim none", "sid claims")
    write_json(place / "run/manifest.json", [])
    refused(called(place, "reached", "--claim", CLAIM), "--claim", "is about sid-tiny")
