"""A run that has reached its claim ends before its budget; what should be kept of it is."""

from pathlib import Path

import pytest
import yaml

from sid.evaluate.measured import distance_of, read_measured
from sid.files import read_json
from sid.runs.folder import RunFolder
from sid.runs.removed import read_removed
from tests.conftest import tiny_recipe, tiny_teacher
from tests.verdict.tables import HEAD, SOURCES
from tests.workflow.test_workflow import run

RECIPE = tiny_recipe(kimg=0.8, first_kimg=0.1, per_decade=1, every_kimg=0.1)
CLAIMS = """\
protocols:
  fd: {metric: frechet_distance, number: FID, implementation: ours, n_images: 100, draws: 2}
criteria:
  retraining: {text: within 5 %, bound: 0.05, level: 0.9, fixed: ""}
subjects:
  sid: {title: SiD, method: sid, dataset: digits, published: {dataset: d}, retraining: [fd]}
"""


@pytest.mark.slow
def test_a_run_that_reached_its_claim_ends(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, recipe in {"teacher": tiny_teacher(kimg=0.1), "sid": RECIPE}.items():
        path = checkout / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/claims.yaml").write_text(CLAIMS)
    row = "sid,d,,1,,,FID,1e6,,a paper,,,primary"
    (tmp_path / "tables/results.csv").write_text(f"{HEAD},metric,value,std,{SOURCES}\n{row}\n")
    monkeypatch.setenv("SID_PUBLISHED", str(tmp_path / "tables"))
    evaluation = "evaluation={n_curve: 100, n_final: 100, draws: 2, metrics: fd}"
    asked = ["teacher=config/teacher.yaml", 'recipes=["config/sid.yaml"]', "leg_kimg=0.5"]
    asked += [evaluation, "keep=curve", "until=reached"]
    words = ("results/verdict/verdicts.csv", "--cores", "1", "--quiet", "all")
    done = run("snakemake", *words, "--config", *asked, cwd=checkout)
    assert done.returncode == 0, done.stderr

    folder = RunFolder(checkout / "results/distill/sid/seed0")
    reached, ended = read_json(folder.reached), read_json(folder.done)
    assert (reached["claim"], reached["draws"]) == ("sid/retrained-fid", 2)
    assert ended["ended"] == f"reached sid/retrained-fid at {reached['images']} images"
    assert reached["images"] <= ended["images"] < RECIPE.times()[-1]
    taken = [images for images in RECIPE.times() if images <= ended["images"]]
    values = {n: distance_of(records) for n, records in read_measured(folder).items()}
    assert list(values) == taken
    there = {int(path.stem) for path in folder.snapshots.iterdir()}
    assert there == {0, 128, taken[-1], min(values, key=values.__getitem__)}
    assert {one.images for one in read_removed(folder.path).values()} == set(taken) - there
    verdicts = (checkout / "results/verdict/verdicts.csv").read_text()
    assert "one run, which says nothing of training again" in verdicts
