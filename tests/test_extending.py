"""What docs/extending.md shows is installed beside the suite as it stands there, and works."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from sid.config import lay_over, read_yaml
from sid.data.sets.digits import digits
from sid.data.zips import read_zip, write_zip
from sid.distill.method import method_class
from sid.errors import UserError
from sid.evaluate.records import read_records
from sid.experiment import claims_of, configuration, load_plan
from sid.files import read_json
from sid.networks import load_network
from sid.networks.weights import load_tensors
from sid.shipped import CONFIG, TABLES
from sid.verdict.claim import load_claims
from tests.commands import accepted
from tests.commands import sid as here

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "extending.md").read_text()
TABLE = re.compile(r'\[project\.entry-points\."(.+)"\]')
# Several commands in one process, which imports torch once.
COMMANDS = """
import json, sys
from sid.cli import main
for words in json.load(sys.stdin):
    sys.argv = ["sid", *words]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""


def write_files(language: str, folder: Path) -> None:
    """The document's files in a language, each named in its first line."""
    for name, text in re.findall(rf"```{language}\n# ([\w.]+)\n(.*?)```", DOCUMENT, re.DOTALL):
        (folder / name).write_text(text)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The folder that `pip install` of a package with the document's files would leave."""
    folder = tmp_path / "installed"
    about = folder / "mine-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    write_files("python", folder)
    tables = "\n".join(re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL))
    (about / "entry_points.txt").write_text(TABLE.sub(r"[\1]", tables).replace('"', ""))
    return folder


def sid(package: Path, *commands: Sequence[object], **variables: str) -> str:
    """What commands print that run one after the other beside the package."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        input=json.dumps([[str(word) for word in words] for words in commands]),
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_data_set(package: Path, tmp_path: Path) -> None:
    sid(package, ["data", "stripes", "--out", tmp_path / "stripes.zip", "--count", 50])
    data = read_zip(tmp_path / "stripes.zip")
    assert data.shape == (50, 1, 8, 8)
    assert data.labels is not None
    across = data.images[:][data.labels == 0]
    assert (across == across[:, :, :, :1]).all()


def test_a_metric_an_extractor_and_an_implementation(package: Path, tmp_path: Path) -> None:
    images, labels = digits()
    dark = (images[:200] * 0.5).astype(np.uint8)
    for name, part in (("generated", dark), ("real", images[200:400])):
        write_zip(tmp_path / f"{name}.zip", part, labels[:200])
    options = ["--extractor", "pixels-8x8", "--metrics", "fd,mean_shift", "--quiet"]
    options += ["--implementations", "ours,linear-algebra", "--json", tmp_path / "records.json"]
    shown = sid(package, ["evaluate", tmp_path / "generated.zip", tmp_path / "real.zip", *options])
    assert "Shift of the mean (pixels-8x8)" in shown
    found = {(r.implementation, r.metric): r for r in read_records(tmp_path / "records.json")}
    ours = found["ours", "frechet_distance"]
    theirs = found["linear-algebra", "frechet_distance"]
    assert theirs.value == pytest.approx(ours.value, rel=1e-6)
    assert theirs.stderr == ours.stderr
    means = [part.reshape(200, -1).mean(axis=0) for part in (dark, images[200:400].astype(float))]
    shift = ((means[0] - means[1]) ** 2).sum()
    assert found["ours", "mean_shift"].value == pytest.approx(shift, rel=1e-6)
    assert set(found) == {
        ("ours", "mean_shift"),
        *((n, ours.metric) for n in ("ours", theirs.implementation)),
    }


@pytest.mark.slow
def test_methods_and_a_claim(
    package: Path,
    tmp_path: Path,
    digits_zip: Path,
    teacher_run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The document's experiment on few images, to the ranking and the page; the other method."""
    monkeypatch.chdir(tmp_path)
    write_files("yaml", tmp_path)
    tables = shutil.copytree(TABLES, tmp_path / "tables")
    claims = lay_over(read_yaml(TABLES / "claims.yaml"), read_yaml(tmp_path / "claims.yaml"))
    (tables / "claims.yaml").write_text(yaml.safe_dump(claims))
    with monkeypatch.context() as installed:
        installed.syspath_prepend(package)
        plan = load_plan(configuration({"budget": 0.02}, [tmp_path / "mine.yaml"], CONFIG))
        assert "critic/below-sid" in claims_of(plan, load_claims(tables))
    about = plan.experiment.evaluation
    measured = ["--extractor", about.extractor, "--metrics", about.metrics, "--quiet"]
    measured += ["--implementations", about.implementations]
    measured += ["--n-curve", 100, "--n-final", 200, "--draws", about.draws]
    trained = ["--data", digits_zip, "--teacher", teacher_run, "--budget", 0.02, "--quiet"]
    commands: list[list[object]] = [["recipes", "show", "critic.yaml"]]
    for name, path in plan.paths.items():
        for seed in plan.experiment.seeds:
            run, values = f"distill/{name}/seed{seed}", f"{name}{seed}.json"
            commands += [["distill", "--recipe", path, "--seed", seed, "--out", run, *trained]]
            commands += [["evaluate", "run", run, digits_zip, "--json", values, *measured]]
    commands += [["merge", "sid0.json", "sid1.json", "critic0.json", "critic1.json"]]
    commands[-1] += ["--out", "records.csv"]
    commands += [["verdict", "records.csv", "--out", "verdict"]]
    commands += [["report", "records.csv", "--verdicts", "verdict", "--out", "report"]]
    fading = {**read_yaml(Path("critic.yaml")), "method": {"name": "fading", "fade_kimg": 0.5}}
    Path("fading.yaml").write_text(yaml.safe_dump({**fading, "name": "fading"}))
    commands += [["distill", "--recipe", "fading.yaml", "--tiny", "--out", "fading"]]
    assert "of them learn " in sid(package, *commands, SID_PUBLISHED=str(tables))

    assert read_json(Path("fading/manifest.json"))["recipe"]["method"]["name"] == "fading"
    assert Path("fading/done.json").exists()
    (last, *_) = sorted(Path("distill/critic/seed0/state").iterdir(), reverse=True)
    kept = load_tensors(last)[0]
    assert {"critic.0.weight", "critic_adam.0.exp_avg", "generator_adam.0.step"} <= set(kept)
    records = pd.read_csv("records.csv")
    final = records[(records["role"] == "final") & (records["selection"] == "last")]
    logs = np.log(final["value"]).groupby(final["recipe"]).mean()
    verdict = pd.read_csv("verdict/verdicts.csv").set_index("claim").loc["critic/below-sid"]
    assert verdict["value"] == pytest.approx(np.exp(logs["critic"] - logs["sid"]))
    assert verdict["runs"] == 2
    assert verdict["verdict"] in ("holds", "does not hold", "inconclusive")
    assert "| Critic, last" in Path("report/tables/main.md").read_text()
    assert "<!-- Critic -->" in Path("report/figures/curves.svg").read_text()
    assert "Critic has a lower distance on digits than SiD" in Path("report/index.html").read_text()


def test_a_file_beside_the_rivals_is_a_method(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is touched: not the entry points, and no list."""
    import baselines.methods

    name = "baselines.methods.my_players"
    monkeypatch.setattr(baselines.methods, "__path__", [*baselines.methods.__path__, str(package)])
    for other in package.glob("*.py"):
        if other.stem != "my_players":
            other.unlink()
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, name)
    found = method_class("my-players")
    assert (found.__name__, found.__module__) == ("Critic", name)


def test_a_network(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is trained, distilled by SiDA, which needs its encoder, and sampled."""
    recipe = yaml.safe_load(Path("config/recipes/digits/digits.yaml").read_text())
    recipe |= {"network": {"model_type": "Plain", "width": 8}, "kimg": 1}
    (tmp_path / "digits.yaml").write_text(yaml.safe_dump(recipe))
    images, labels = digits()
    write_zip(tmp_path / "digits.zip", images[:256], labels[:256])
    given = ["--data", str(tmp_path / "digits.zip"), "--quiet"]
    teacher, run = str(tmp_path / "teacher"), tmp_path / "run"
    trained = ["--recipe", str(tmp_path / "digits.yaml"), *given, "--out", teacher]
    distilled = ["--recipe", "config/recipes/digits/sida.yaml", "--teacher", teacher, *given]
    samples = str(tmp_path / "samples.zip")
    with monkeypatch.context() as installed:
        installed.syspath_prepend(package)
        accepted(here("teacher", "train", *trained))
        asked = ["--budget", "0.02", "--out", str(run)]
        accepted(here("distill", *distilled, *asked))
        accepted(here("evaluate", "sample", str(run), "--out", samples, "--n", "4"))
    assert read_zip(Path(samples)).shape == (4, 1, 8, 8)
    weights = sorted((run / "snapshots").glob("*.safetensors"))[-1]
    with pytest.raises(UserError, match="model_type: Plain is unknown; known are SongUNet, Dhari"):
        load_network(weights, torch.device("cpu"))
