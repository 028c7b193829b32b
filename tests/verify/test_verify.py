"""From a name to a verdict on stand-ins in the official formats, as a stranger types it."""

import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sid.files import sha256
from sid.networks.weights import load_tensors, save_tensors
from tests.commands import Done, accepted, refused, sid
from tests.fetch.server import Web
from tests.teacher.test_importing import GIVEN, network
from tests.verify.standins import DATASET, DRAWS, GENERATOR, OTHER, TEACHER, N, write_tables
from workflow.rehearsal.official_pickle import dumps, snapshot

OUT = Path("results/verify")
QUICK = ("--chunk", 20, "--quiet", "--device", "cpu")


def verify(*words: object) -> Done:
    return sid("verify", *words, *QUICK)


def mean(subject: str) -> float:
    """What the published protocol finds, over the draws."""
    found = json.loads((OUT / f"{subject}.json").read_text())["records"]
    found = [r for r in found if r["implementation"] == "nvidia"]
    rule = found[0]["labels"]
    return float(np.mean([r["value"] for r in found if r["labels"] == rule]))


def verdicts(folder: Path = OUT) -> dict[str, str]:
    table = pd.read_csv(folder / "verdict" / "verdicts.csv")
    return dict(zip(table["claim"], table["verdict"], strict=True))


def test_a_true_number_reproduces_and_a_false_one_differs(
    web: Web, files: Path, tmp_path: Path
) -> None:
    """The same records, judged by the number that is published of them."""
    labels = ("--frequencies", files / "labels.npz")
    accepted(verify("--all", "--dataset", DATASET, *labels))
    sida = {"digits-sida/fid", "digits-sida/precision"}
    assert set(verdicts()) == {"digits-sid/fid", *sida, "edm-digits/fid"}
    before = {path.name: path.read_bytes() for path in OUT.glob("*.json")}
    true, false = mean("digits-sid"), mean("digits-sida") * 1.1
    write_tables(files, tmp_path / "tables", sid=f"{true:.3f}", sida=f"{false:.3f}")
    printed = accepted(verify("digits-sid", "digits-sida/fid", *labels))
    assert {path.name: path.read_bytes() for path in OUT.glob("*.json")} == before
    found = verdicts()
    assert found["digits-sid/fid"] == "reproduces"
    assert found["digits-sida/fid"] == "differs"
    first, second = printed.split("\n\n")
    assert first.startswith("REPRODUCES  digits-sid/fid: SiD, has FID")
    assert f"{true:.3f} (mean of 10, primary): here" in first
    assert re.search(r"others +ours \S+ \(data set's .*nvidia \S+ \(uniform", first)
    assert re.search(r"change +\S", first)
    assert second.startswith("DIFFERS  digits-sida/fid")
    assert "edm-digits" not in printed  # It was not asked for this time.
    assert "SiDA, has FID" in Path("reports/verify/index.html").read_text()


def test_a_quick_look_decides_nothing_and_loses_nothing(web: Web) -> None:
    accepted(verify("digits-sid", "--draws", 2))
    kept = (OUT / "digits-sid.json").read_bytes()
    assert "A quick look: draws of 30 images decide nothing" in accepted(
        verify("digits-sid", "--draws", 3, "--n", N // 2)
    )
    assert (OUT / "digits-sid.json").read_bytes() == kept
    assert verdicts(OUT / "n30") == {"digits-sid/fid": "undecided"}


def test_a_file_at_hand(web: Web, files: Path) -> None:
    """Named in records, terminal and page, with the command that measures it; in its own folder."""
    Path("mine").mkdir()
    mine = Path("mine/my-weights.pkl")
    mine.write_bytes((files / GENERATOR).read_bytes())
    printed = accepted(verify(mine, "--claim", "digits-sid"))
    assert not any(path.endswith(GENERATOR) for path, _ in web.asked)
    own, about = OUT / "my-weights", "my-weights.pkl, held against the claim: SiD, has FID"
    assert f"digits-sid/fid: {about}" in printed
    assert f"{mine}, SHA-256 {sha256(mine)}" in printed
    found = json.loads((own / "digits-sid.json").read_text())["records"]
    assert {(r["generated"], r["weights_sha256"]) for r in found} == {(str(mine), sha256(mine))}
    assert {(r["images"], r["kimg"]) for r in found} == {(0, 0.0)}
    page = Path("reports/verify/my-weights/index.html").read_text()
    assert "<h1>my-weights.pkl, held against SiD on digits-8x8</h1>" in page
    assert about in page
    assert f"<code>sid verify {mine} --claim digits-sid</code>" in page
    assert "this checkpoint" not in page
    assert "sid verify digits-sid<" not in page
    numbers = pd.read_csv(own / "verdict" / "published.csv")
    assert set(numbers["verdict"]) == {"not run"}  # Nothing was found of the published file.

    accepted(verify("digits-sid"))  # It lies elsewhere; the same weights give the same values.
    assert mean("my-weights/digits-sid") == mean("digits-sid")
    weights = OUT / "weights" / "digits-sid" / Path(GENERATOR).with_suffix(".safetensors")
    accepted(verify(weights, "--claim", "digits-sid/fid", "--out", "other"))
    records = json.loads(Path("other/digits-sid.json").read_text())["records"]
    values = [r["value"] for r in records if r["implementation"] == "nvidia"]
    assert np.mean(values) == mean("digits-sid")
    assert len(values) == DRAWS


def test_no_other_file_comes_among_records(web: Web, files: Path) -> None:
    """It is refused before anything is imported, and nothing is lost."""
    Path("a.pkl").write_bytes((files / GENERATOR).read_bytes())
    accepted(verify("a.pkl", "--claim", "digits-sid", "--draws", 1))
    kept = {path: path.read_bytes() for path in OUT.rglob("*") if path.is_file()}
    Path("b").mkdir()
    Path("b/a.pkl").write_bytes((files / OTHER).read_bytes())
    shas = (f"SHA-256 {sha256(Path('a.pkl'))[:12]}", f"this is {sha256(Path('b/a.pkl'))[:12]}")
    parts = (f"{OUT}/a/digits-sid.json", "measured of another file", *shas, "--out")
    refused(verify("b/a.pkl", "--claim", "digits-sid"), *parts)
    assert {path: path.read_bytes() for path in OUT.rglob("*") if path.is_file()} == kept


def test_the_published_name_of_a_file_at_hand(web: Web, files: Path) -> None:
    """In this folder, under the very name that it is published by, it is still a file at hand."""
    Path(GENERATOR).write_bytes((files / OTHER).read_bytes())
    printed = accepted(verify(GENERATOR, "--claim", "digits-sid", "--draws", 1))
    assert f"{GENERATOR}, held against the claim" in printed


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["digits-sad"], ["digits-sad", "did you mean digits-sid"]),
        ([], ["--all", "--claim"]),
        (["digits-sid", "--all"], ["--all"]),
        (["--all", "--dataset", "digit"], ["--dataset digit", DATASET]),
        (["no.pkl", "--claim", "digits-sid"], ["no.pkl", "no such file"]),
        (["no.pkl"], ["no.pkl", "no such file"]),
        (["dir", "--claim", "digits-sid"], ["dir: is a folder", ".safetensors"]),
        (["dir"], ["dir: is a folder", ".safetensors"]),
        (["file.pkl"], ["file.pkl: is a file", "--claim NAME", "sid claims --kind checkpoint"]),
        (["file.pkl", "--claim", ""], ["--claim: is empty", "sid claims"]),
        (["file.pkl", "--claim", "digits-sid"], ["file.pkl: damaged or not a pickle; get it"]),
        (["teacher.pkl", "--claim", "digits-sid"], ["teacher.pkl: is a teacher", "loss_fn"]),
        (["digits-sid", "--from", "file.pkl"], ["--from file.pkl: is a file", "folder"]),
        (["digits-sid", "--reports", "file.pkl/r"], ["--reports file.pkl/r", "give a folder"]),
        (["digits-sid", "--out", "file.pkl"], ["--out file.pkl", "give a folder"]),
        (["--claim", "digits-sid"], ["--claim digits-sid"]),
        (["digits-sid", "--from", "nowhere"], ["--from nowhere", "not there"]),
        (["digits-sid", "--data", "no.zip"], ["--data no.zip", "not there"]),
    ],
)
def test_what_is_wrong_is_one_line(
    words: list[str], parts: list[str], web: Web, files: Path
) -> None:
    Path("dir").mkdir()
    Path("file.pkl").write_bytes(b"hi, I am no pickle")  # `h` looks up memo 105.
    Path("teacher.pkl").write_bytes((files / TEACHER).read_bytes())
    refused(verify(*words), *parts)
    assert not OUT.exists()


def test_the_help_has_both_forms_and_leads_to_the_options() -> None:
    shown = accepted(sid("verify", "--help"))
    for part in ("sid verify NAME", "sid verify weights.pkl --claim NAME", "checkpoint --help"):
        assert part in " ".join(shown.split())


def test_stopped_it_says_so_and_goes_on(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("sid.evaluate.samplers.Sampler.draw", stopped)
        done = verify("digits-sid", "--draws", 1)
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "stopped; the same command goes on"
    done = sid("verify", "digits-sid", "--draws", 1, "--chunk", 20, "--device", "cpu")
    accepted(done)
    assert f"{3 * N}/{3 * N} passes in" in done.stderr  # Drawn, and seen by two implementations.


def test_a_network_of_another_kind_or_size(web: Web) -> None:
    accepted(verify("edm-digits", "--draws", 1))
    weights = OUT / "weights" / "edm-digits" / Path(TEACHER).with_suffix(".safetensors")
    refused(
        verify(weights, "--claim", "digits-sid"), "is a generator, but this file holds a denoiser"
    )
    tensors, about = load_tensors(weights)
    for key, value, part in (
        ("img_resolution", 16, "images of 16x16"),
        ("label_dim", 0, "no classes"),
    ):
        architecture = {**about["architecture"], key: value}
        save_tensors(Path("o.safetensors"), tensors, {**about, "architecture": architecture})
        done = verify("o.safetensors", "--claim", "edm-digits")
        refused(done, "o.safetensors: edm-digits is", part)


def test_a_network_that_the_recipe_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other channels are refused and another U-Net is warned of, both before anything is got."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SID_MIRROR", "http://127.0.0.1:9")
    claim = ("--claim", "cifar10-uncond-sid-alpha1.2")
    for channels in (1, 3):
        given = {"img_resolution": 32, "img_channels": channels, "label_dim": 0}
        content = dumps(snapshot(network(0, **given), {**GIVEN, **given}))
        Path(f"{channels}.pkl").write_bytes(content)
    refused(verify("1.pkl", *claim), "images of 3 channels", "makes them of 1")
    done = verify("3.pkl", *claim)
    refused(done, "cannot be fetched")
    assert "its model_channels is 8, that of cifar10-uncond-sid-alpha1.2 128" in done.stderr


def test_one_that_fails_does_not_stop_the_others(web: Web, files: Path) -> None:
    labels = ("--frequencies", files / "labels.npz")
    for path in list(web.files):
        if path.endswith(GENERATOR):
            web.files[path] = b"no pickle"
    done = verify("--all", "--draws", 2, *labels)
    assert done.returncode == 2
    first, last = done.stderr.splitlines()
    assert first.startswith("error: digits-sid: ")
    assert last.startswith("error: not measured: digits-sid;")
    assert {name.partition("/")[0] for name in verdicts()} == {"digits-sida", "edm-digits"}
