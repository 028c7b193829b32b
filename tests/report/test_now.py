"""`sid report now`: the page of real tiny runs, before, amid and after training and measuring."""

import json
import os
import re
import shutil
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sid.distill.recipe import load_recipe
from sid.errors import UserError
from sid.evaluate.records import load_table
from sid.experiment import claims_of, load_plan
from sid.report.labels import figures, number
from sid.report.now import write_now
from sid.runs.folder import RunFolder
from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from tests.commands import accepted, sid
from tests.conftest import distilled, tiny_recipe, tiny_teacher
from tests.report.test_page import Page, text_of

SID, SIDA = tiny_recipe(), tiny_recipe(name="sida", method={"name": "sid", "alpha": 1.0})
HALF, END = SID.times()[-2:]
FEW = ("--metrics", "fd", "--implementations", "ours", "--quiet")


class Place:
    """An experiment of two recipes, and what was made of it so far."""

    def __init__(self, top: Path, data: Path, teacher: Path) -> None:
        self.top, self.data, self.teacher = top, data, teacher
        self.results, self.out = top / "results", top / "reports" / "now"
        self.extractor = self.results / "evaluate" / "extractor.safetensors"
        self.experiment = top / "experiment.yaml"
        top.mkdir(parents=True)
        for name, recipe in (("sid", SID), ("sida", SIDA), ("teacher", tiny_teacher())):
            values = recipe.model_dump(mode="json")
            (top / f"{name}.yaml").write_text(yaml.safe_dump(values))
        said = {
            "data": {"name": "digits", "make": "digits"},
            "teacher": str(top / "teacher.yaml"),
            "recipes": [str(top / "sid.yaml"), str(top / "sida.yaml")],
            "seeds": [0],
            "budget": 1.0,
            "evaluation": {"n_curve": 100, "n_final": 100, "draws": 3},
            "threads": {"teacher": 1, "distill": 1},
            "results": str(self.results),
            "reports": str(top / "reports"),
        }
        self.experiment.write_text(yaml.safe_dump(said))

    def run(self, recipe: str) -> Path:
        return self.results / "distill" / recipe / "seed0"

    def train(self, recipe: str, leg: int | None = None) -> None:
        made = load_recipe(self.top / f"{recipe}.yaml").scaled(1.0)
        distilled(made, self.data, self.teacher, self.run(recipe), leg=leg)

    def measure(self, what: str, source: Path, out: str, *options: object) -> Path:
        json = self.results / "evaluate" / out
        asked = ("--extractor", self.extractor, "--json", json, *FEW, *options)
        accepted(sid("evaluate", what, source, self.data, *asked))
        return json

    def files(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in self.results.rglob("*")}

    def page(self, after: float = 0.0) -> str:
        said = write_now(str(self.experiment), time.time() + after)
        assert said == f"{self.out / 'index.html'}: open it in a browser"
        page = Page((self.out / "index.html").read_text())
        assert page.open == []
        return text_of(page)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, digits_zip: Path, teacher_run: Path) -> Place:
    made = Place(tmp_path_factory.mktemp("now") / "top", digits_zip, teacher_run)
    accepted(sid("evaluate", "extractor", digits_zip, "--out", made.extractor))
    return made


def test_nothing_is_one_line_and_no_file(place: Place) -> None:
    said = write_now(str(place.experiment))
    assert said.startswith(f"{place.results}: nothing yet")
    assert not place.out.exists()


def test_a_run_that_has_begun_is_there_before_anything_is_measured(place: Place) -> None:
    place.train("sid", leg=HALF)
    before = place.files()
    text = place.page()
    assert "Of 2 runs 1 waits and 1 pauses. Training took" in text
    assert "Nothing is measured yet" in text
    assert f"{number(HALF / 1000)} of {number(END / 1000)} kimg" in text
    assert re.search(r"all \d+ claims are about runs that are on the way", text)
    assert "not run" not in text
    assert place.files() == before


def test_values_are_seen_as_soon_as_a_snapshot_is_measured(place: Place) -> None:
    place.measure("snapshots", place.run("sid"), "group.json", "--n-curve", 100, "--to", HALF)
    text = place.page()
    values = pd.read_csv(place.out / "records.csv").set_index("images")["value"]
    assert list(values.index) == SID.times()[:-1]
    assert f"{figures(values[HALF])} at {number(HALF / 1000)} kimg" in text
    best = f"best {figures(values.min())} at "
    assert ("the best so far" if values.idxmin() == HALF else best) in text
    assert f"measured to {number(HALF / 1000)} kimg" in text
    assert (place.out / "figures" / "curves.svg").exists()


def test_a_day_later_the_same_run_is_silent(place: Place) -> None:
    lock = place.run("sid") / "lock"
    os.utime(lock, (time.time() + 1, time.time() + 1))
    assert "1 trains" in place.page()
    assert "silent for 1 d" in place.page(after=86_401.0)


def test_an_evaluation_of_a_run_that_was_here_before_is_left_out(place: Place) -> None:
    """Its file is older than the manifest of the run that took its place."""
    first = (place.run("sid") / "measured" / f"{0:012d}.json").read_text()
    for was, now in (("role", "final"), ("selection", "last")):
        first = re.sub(f'"{was}": "[^"]*"', f'"{was}": "{now}"', first)
    old = place.results / "evaluate" / "sid" / "seed0.json"
    old.parent.mkdir(exist_ok=True)
    old.write_text(first.replace('"draw": 0', '"draw": 1'))
    begun = (place.run("sid") / "manifest.json").stat().st_mtime
    for written, roles in ((begun - 10, {"curve"}), (begun + 10, {"curve", "final"})):
        os.utime(old, (written, written))
        place.page()
        assert set(pd.read_csv(place.out / "records.csv")["role"]) == roles
    old.unlink()


def test_a_teacher_in_training_is_told(place: Place) -> None:
    folder = RunFolder(place.results / "teacher" / "digits")
    folder.path.mkdir(parents=True)
    folder.manifest.write_text("{}")
    folder.log.write_text(json.dumps({"images": 640}) + "\n")
    assert "The teacher is at 0.64 of 1 kimg." in place.page()
    shutil.rmtree(folder.path)
    assert "The teacher is at" not in place.page()


def test_what_is_whole_is_judged_and_the_rest_is_not_yet(place: Place) -> None:
    draws = ("--n-curve", 100, "--n-final", 100, "--draws", 3)
    place.train("sid")
    assert "has no fresh draws yet" in place.page()
    place.measure("run", place.run("sid"), "sid/seed0.json", *draws)
    assert "the teacher is not measured yet" in place.page()
    place.measure("teacher", place.teacher, "teacher.json", *draws)
    text = place.page()
    assert "ended" in text
    claims = load_claims()
    asked = claims_of(load_plan(yaml.safe_load(place.experiment.read_text())), claims)
    waiting = {n for n in asked if "sida" in (claims.claims[n].subject, claims.claims[n].against)}
    assert f"Not yet, undecided: {len(waiting)} claims are about runs" in text
    assert "SiDA seed 0 waits" in text
    # The others are judged as by `sid verdict`, which is told of them alone.
    whole = [name for name in asked if name not in waiting]
    judged = judge(load_table(place.out / "records.csv"), claims, whole)
    assert 0 < len(judged) < len(asked)
    for outcome, many in Counter(verdict.verdict for verdict in judged).items():
        assert f"{many} {outcome}" in text


def test_a_missing_experiment_names_those_that_there_are() -> None:
    with pytest.raises(UserError, match=r"experiment=cifar11: unknown; known are .*cifar10"):
        write_now("cifar11")
