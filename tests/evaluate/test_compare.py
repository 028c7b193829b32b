"""`sid evaluate GEN REF` on the real command line, as a stranger types it."""

import json
import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from sid.data.images import ImageSet
from sid.data.zips import read_zip, write_zip
from sid.evaluate.extractors import load_extractor
from sid.evaluate.extractors.classifier import DataExtractor
from sid.evaluate.features.moments import gaussian_of
from sid.evaluate.features.statistics import Statistics, write_statistics
from sid.evaluate.merging import merge_records
from sid.evaluate.records import load_table
from sid.files import sha256
from sid.networks import Architecture, save_network
from tests import commands
from tests.commands import refused
from tests.evaluate.cases import network

SID = str(Path(sys.executable).with_name("sid"))
sid = partial(commands.sid, "evaluate")
FRECHET = ("ours", "frechet_distance")


def values(path: Path) -> dict[tuple[str, str], float]:
    records = json.loads(path.read_text())["records"]
    return {(r["implementation"], r["metric"]): r["value"] for r in records}


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, reference: ImageSet, extractor: DataExtractor
) -> Path:
    """The digits, an extractor, a generator and half of the digits as a folder."""
    folder = tmp_path_factory.mktemp("the place")
    digits = np.asarray(reference.images)
    write_zip(folder / "digits.zip", digits[:600], None)
    extractor.save(folder / "e.safetensors")
    generator = network()
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    about = {"kind": "generator", "sigma_init": 2.5, "recipe": "r", "seed": 3, "images": 64}
    save_network(folder / "g.safetensors", generator, about)
    pictures(folder / "pictures", digits[600:1200])
    return folder


def pictures(folder: Path, images: NDArray[np.uint8]) -> Path:
    folder.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image[0]).save(folder / f"{i:04d}.png")
    return folder


def ask(place: Path, *words: object, json: Path) -> dict[Any, float]:
    given = (place / "digits.zip", "--extractor", place / "e.safetensors")
    done = sid(*words[:1], *given, *words[1:], "--json", json, "--quiet")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return values(json)


def test_a_folder_against_a_zip(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    given = (place / "pictures", place / "digits.zip", "--extractor", place / "e.safetensors")
    done = sid(*given, "--metrics", "all", "--json", out)
    assert done.returncode == 0, done.stderr
    assert "600 images" in done.stdout
    for line in done.stdout.splitlines()[1:]:
        assert "FID" not in line  # No 2015 Inception here.
    records = json.loads(out.read_text())["records"]
    wanted = {"metric", "extractor", "implementation", "value", "stderr", "n_images", "seed"}
    assert all(wanted <= set(record) for record in records)
    assert all(record["stderr"] is not None for record in records)
    metrics = {r["metric"] for r in records if r["implementation"] == "ours"}
    assert {"precision", "recall", "density", "coverage", "authenticity"} <= metrics
    found = values(out)
    for other in ("torch-fidelity", "clean-fid"):
        assert found[other, "frechet_distance"] == pytest.approx(found[FRECHET], rel=1e-4)
    again = tmp_path / "again.json"
    assert sid(*given, "--metrics", "all", "--json", again, "--quiet").returncode == 0
    assert values(again) == found
    merge_records([out], tmp_path / "records.csv")
    assert len(load_table(tmp_path / "records.csv")) == len(records)


def test_draws_have_seeds_and_an_interval(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    ask(place, place / "g.safetensors", "--draws", 2, "--seed", 5, json=out)
    records = json.loads(out.read_text())["records"]
    ours = [r for r in records if (r["implementation"], r["metric"]) == FRECHET]
    assert [(r["draw"], r["seed"], r["run_seed"], r["nfe"]) for r in ours] == [
        (0, 5, 3, 1),
        (1, 6, 3, 1),
    ]
    alone = ask(place, place / "g.safetensors", "--seed", 6, json=tmp_path / "alone.json")
    assert alone[FRECHET] == ours[1]["value"] != ours[0]["value"]


def test_somebody_else_s_generator_is_drawn_as_all_others(place: Path, tmp_path: Path) -> None:
    """Its draws are numbered from 1 and are of the seeds of a run's final draws."""
    out, given = tmp_path / "r.json", ("--metrics", "fd", "--implementations", "ours")
    ask(place, place / "g.safetensors", *given, "--as", "their-own", "--draws", 2, json=out)
    records = json.loads(out.read_text())["records"]
    assert [(r["role"], r["recipe"], r["draw"], r["seed"]) for r in records] == [
        ("external", "their-own", 1, 1),
        ("external", "their-own", 2, 2),
    ]
    assert {r["weights_sha256"] for r in records} == {sha256(place / "g.safetensors")}
    alone = ask(place, place / "g.safetensors", *given, "--seed", 2, json=tmp_path / "alone.json")
    assert alone[FRECHET] == records[1]["value"]

    other = pictures(tmp_path / "other", np.asarray(read_zip(place / "digits.zip").images))
    words = (place / "digits.zip", "--extractor", place / "e.safetensors", *given, "--json", out)
    done = sid(place / "pictures", other, *words, "--as", "their-own", "--quiet")
    assert done.returncode == 0, done.stderr
    records = json.loads(out.read_text())["records"]
    assert [(r["role"], r["draw"], r["generated"]) for r in records] == [
        ("external", 1, str(place / "pictures")),
        ("external", 2, str(other)),
    ]
    assert {r["weights_sha256"] for r in records} == {""}
    refused(sid(place / "pictures", other, *words), str(other), "--as")
    twice = (place / "pictures", place / "pictures", *words, "--as", "their-own")
    refused(sid(*twice), "the same images")
    for name in ("teacher", "cifar10-uncond-sid-alpha1.2"):
        refused(sid(place / "pictures", *words, "--as", name), f"--as {name}", "sid verify")
    refused(sid(place / "pictures", *words, "--as", "a b"), "--as a b")
    refused(sid(place / "pictures", *words, "--as", "own", "--seed", 3), "--seed", "drop it")


def test_classes_as_often_as_in_the_data(place: Path, tmp_path: Path, reference: ImageSet) -> None:
    """The rule of sid_metrics.py beside that of sid_generate.py; equal classes are one law."""
    out, labels = tmp_path / "r.json", np.repeat(np.arange(10), np.arange(1, 11))
    np.savez(tmp_path / "some.npz", labels=labels)
    np.savez(tmp_path / "equal.npz", labels=np.arange(50) % 10)
    np.savez(tmp_path / "few.npz", labels=np.arange(9))
    generator = conditional("generator", tmp_path / "g.safetensors", std=0.5)
    options = ("--metrics", "fd", "--implementations", "ours", "--n", 60, "--allow-unequal-n")
    found = {}
    for name in ("", "some", "equal"):
        rule = ("--frequencies", tmp_path / f"{name}.npz") if name else ()
        ask(place, generator, *options, *rule, json=out)
        (record,) = json.loads(out.read_text())["records"]
        found[name] = record["labels"], record["generated_sha256"]
    assert found["some"][0] == "data set's frequencies of 10 classes"
    assert found["equal"] == (
        "uniform over 10 classes, the data set's frequencies",
        found[""][1],
    )
    assert found["some"][1] != found[""][1]
    words = (place / "digits.zip", "--extractor", place / "e.safetensors", *options)
    refused(sid(generator, *words, "--frequencies", tmp_path / "few.npz"), "9 classes", "10")
    refused(sid(generator, *words, "--frequencies", tmp_path / "no.npz"), "no.npz: no such file")
    refused(sid(generator, *words, "--frequencies", place / "digits.zip"), "has no labels")


def conditional(kind: str, path: Path, std: float = 0.0) -> Path:
    """A network of ten classes; fresh ones end in zeros, so that their labels do nothing."""
    network = Architecture(
        img_resolution=8,
        img_channels=1,
        label_dim=10,
        model_channels=8,
        channel_mult=(1,),
        num_blocks=1,
        attn_resolutions=(),
    ).build()
    torch.manual_seed(0)
    for parameter in network.parameters() if std else ():
        torch.nn.init.normal_(parameter, std=std)
    save_network(path, network, {"kind": kind, "sigma_init": 2.5})
    return path


def test_how_classes_were_drawn_is_said(place: Path, tmp_path: Path, reference: ImageSet) -> None:
    out, digits = tmp_path / "r.json", place / "digits.zip"
    options = ("--extractor", place / "e.safetensors", "--json", out, "--quiet")
    options += ("--metrics", "fd", "--implementations", "ours", "--chunk", 20)
    generator, teacher = (tmp_path / f"{kind}.safetensors" for kind in ("generator", "denoiser"))
    for path in (generator, teacher):
        save_network(path, network(label_dim=10), {"kind": path.stem, "sigma_init": 2.5})
    done = sid(generator, digits, *options, "--n", 20, "--allow-unequal-n")
    assert "\nclasses    uniform over 10 classes\n" in done.stdout
    assert not done.stderr  # The labels of the reference are not looked at.
    ask(place, place / "g.safetensors", "--metrics", "fd", json=tmp_path / "one.json")
    both = (json.loads(path.read_text()) for path in (out, tmp_path / "one.json"))
    labels = [one["records"][0]["labels"] for one in both]
    assert labels == ["uniform over 10 classes", ""]

    assert reference.labels is not None
    some = np.flatnonzero(reference.labels != 3)[:100]
    write_zip(tmp_path / "d.zip", np.asarray(reference.images)[some], reference.labels[some])
    sizes = ("--n-curve", 20, "--n-final", 20)
    done = sid("teacher", teacher, tmp_path / "d.zip", *options, *sizes)
    told = "uniform over 10 classes{} d has no images of 1 of these"
    assert done.stderr == f"warning: images are drawn {told.format(', and')}\n"  # Once.
    records = json.loads(out.read_text())["records"]
    assert {record["labels"] for record in records} == {told.format(";")}


def test_sorted_images_are_said_beside_it(place: Path, tmp_path: Path, reference: ImageSet) -> None:
    out, digits = tmp_path / "r.json", np.asarray(reference.images)[:600, 0]
    assert reference.labels is not None
    np.save(tmp_path / "s.npy", digits[np.argsort(reference.labels[:600], kind="stable")])
    options = ("--extractor", place / "e.safetensors", "--metrics", "is", "--quiet", "--json", out)
    many = ("--implementations", "nvidia,ours")
    done = sid(tmp_path / "s.npy", place / "digits.zip", *options, *many)
    told = "nvidia, inception_score{}: the images are sorted by class, and its splits are contig"
    assert done.stderr.startswith(f"warning: {told.format(' of s')}")
    assert f"\nnote       {told.format('')}" in done.stdout
    notes = {r["implementation"]: r["note"] for r in json.loads(out.read_text())["records"]}
    assert "shuffled, they score" in notes["nvidia"]
    assert not notes["ours"]


def test_errors_are_of_the_images(place: Path, tmp_path: Path) -> None:
    """Libraries' errors of subsets are none of these: those shown cover other draws."""
    out, drawn = tmp_path / "r.json", {}
    options = ("--metrics", "kid", "--draws", 5, "--implementations", "ours,torch-fidelity")
    ask(place, place / "g.safetensors", *options, json=out)
    for record in json.loads(out.read_text())["records"]:
        drawn.setdefault(record["implementation"], []).append((record["value"], record["stderr"]))
    for pairs in drawn.values():
        found, errors = np.array(pairs).T
        assert found.std(ddof=1) < 2 * errors.mean()


def test_seeds_that_the_libraries_take(place: Path, tmp_path: Path) -> None:
    given = (place / "g.safetensors", place / "digits.zip", "--extractor", place / "e.safetensors")
    refused(sid(*given, "--seed", 2**31), "--seed")
    ask(place, place / "g.safetensors", "--seed", 2**31 - 1, "--draws", 2, json=tmp_path / "r")


def test_processes_give_the_last_digit(place: Path, tmp_path: Path) -> None:
    one = ask(place, place / "g.safetensors", json=tmp_path / "one.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    given = (place / "g.safetensors", place / "digits.zip", "--extractor", place / "e.safetensors")
    out, running = tmp_path / "two.json", []
    for rank in ("0", "1"):
        world = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2"}
        world |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [SID, "evaluate", *map(str, given), "--json", str(out), "--quiet"]
        running.append(
            subprocess.Popen(
                command, env={**os.environ, **world}, stdout=subprocess.PIPE, text=True
            )
        )
    printed = [process.communicate(timeout=600)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert values(out) == one
    assert "Frechet" in printed[0]
    assert not printed[1]


def given_moments(path: Path, place: Path) -> None:
    """The moments of the digits, as a file that names its extractor."""
    extractor = load_extractor(place / "e.safetensors")
    images = torch.from_numpy(np.asarray(read_zip(place / "digits.zip").images))
    features = extractor.features_and_logits(images)[0].numpy()
    about = {"extractor": extractor.name, "extractor_sha256": extractor.sha256}
    write_statistics(path, Statistics("digits", gaussian_of(features), 600, **about))


def test_published_forms_of_moments(place: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    width = 64
    np.savez(tmp_path / "ref.npz", mu=np.zeros(width), sigma=np.eye(width))
    given = (place / "pictures", tmp_path / "ref.npz", "--extractor", place / "e.safetensors")
    refused(sid(*given, "--metrics", "fd"), "ref: statistics that do not name their extractor")
    given_moments(tmp_path / "named.npz", place)
    ask_moments = (place / "pictures", tmp_path / "named.npz", *given[2:])
    done = sid(*ask_moments)
    assert done.returncode == 0, done.stderr
    assert "Inception score" in done.stdout  # All that moments are enough for.
    assert "Kernel" not in done.stdout
    refused(sid(*ask_moments, "--metrics", "kid"), "kernel_distance needs the images")
    refused(sid(*ask_moments, "--implementations", "clean-fid"), "clean-fid needs the images")
    np.savez(tmp_path / "other.npz", mu=np.zeros(9), sigma=np.eye(9))
    refused(sid(given[0], tmp_path / "other.npz", *given[2:], "--metrics", "fd"), "9 features")
    np.savez(tmp_path / "keys.npz", mean=rng.normal(size=9))
    refused(sid(given[0], tmp_path / "keys.npz", *given[2:]), "keys.npz", "`mu`")


def test_places_where_no_records_can_go(place: Path, tmp_path: Path) -> None:
    given = (place / "pictures", place / "digits.zip", "--extractor", place / "e.safetensors")
    os.mkfifo(tmp_path / "pipe")
    refused(sid(*given, "--json", tmp_path / "pipe"), "pipe: is a device or a pipe")
    refused(sid(*given, "--json", ""), "is a folder where a file was expected")
    refused(sid(*given, "--json", given[1]), "would replace what is measured")
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_bad_input_is_one_line_and_no_file(
    place: Path, tmp_path: Path, reference: ImageSet
) -> None:
    digits, out = np.asarray(reference.images[:20]), tmp_path / "out" / "r.json"
    ref, weights = place / "digits.zip", ("--extractor", place / "e.safetensors")

    def bad(gen: Path, *parts: str, options: tuple[object, ...] = ()) -> None:
        refused(sid(gen, ref, *weights, "--json", out, *options), *parts)
        assert not out.exists()
        assert not list(tmp_path.rglob("*.tmp"))
        assert not list(tmp_path.rglob("*.work"))

    bad(tmp_path / "nothing", "nothing: no such file or folder")
    few = pictures(tmp_path / "few", digits)
    bad(few, "few: 20 images, but", "600", "--allow-unequal-n")
    Image.new("RGB", (8, 8)).save(few / "colour.png")
    bad(few, "colour.png")
    (few / "colour.png").unlink()
    (few / "empty\nname.png").write_bytes(b"")
    bad(few, r"empty\nname.png", "0 bytes")
    colour = pictures(tmp_path / "colour", digits)
    for path in colour.iterdir():
        Image.open(path).convert("RGB").save(path)
    bad(colour, "(3, 8, 8)", options=("--allow-unequal-n",))
    large = ("--allow-unequal-n", "--extractor", "efficientnet-lite0")
    bad(colour, "(3, 8, 8)", "(1, 8, 8)", options=large)
    bad(place / "pictures", "--metrics: fad is unknown", options=("--metrics", "fad"))
    bad(place / "pictures", "x is unknown", options=("--implementations", "ours,x"))
    bad(place / "pictures", "are for networks", options=("--draws", "3"))
    bad(place / "g.safetensors", "takes one step", options=("--steps", "3"))
