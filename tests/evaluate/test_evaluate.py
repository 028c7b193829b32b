"""The stage on a run folder of untrained networks, through functions and commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from sid.data.images import ImageSet
from sid.data.zips import read_zip, write_zip
from sid.errors import UserError
from sid.evaluate.command import app
from sid.evaluate.evaluate import (
    evaluate_teacher,
    teacher_passes,
    teacher_steps,
)
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.extractors import Extractor
from sid.evaluate.implementations import IMPLEMENTATIONS, usual
from sid.evaluate.merging import merge_records
from sid.evaluate.metrics import metric_names
from sid.evaluate.real_images import evaluate_halves, evaluate_redrawn, halves
from sid.evaluate.records import Record, load_table, read_records
from sid.evaluate.runs import evaluate_run, run_passes, snapshots_of
from sid.evaluate.workspace import Workspace
from sid.files import read_json, sha256, write_json
from sid.networks import save_network
from sid.progress import Progress
from tests.evaluate.cases import network

CPU = torch.device("cpu")


def write_snapshot(path: Path, seed: int, images: int, channels: int = 1) -> None:
    made = network(seed, img_channels=channels)
    about = {"kind": "generator", "recipe": "sid-tiny", "method": "sid", "seed": 5}
    counts = {"images": images, "iterations": images // 8, "sigma_init": 2.5}
    save_network(path, made, {**about, **counts})


def make_run(folder: Path, images: list[int]) -> Path:
    hashes = {}
    for seed, count in enumerate(images):
        path = folder / "snapshots" / f"{count:012d}.safetensors"
        write_snapshot(path, seed, count)
        hashes[path.name] = sha256(path)
    write_json(folder / "manifest.json", {"recipe": {"name": "sid-tiny"}, "seed": 5})
    write_json(folder / "done.json", {"snapshots": hashes})
    return folder


@contextmanager
def evaluator_for(
    reference: ImageSet, extractor: Extractor
) -> Iterator[tuple[Evaluator, Progress]]:
    asked = [IMPLEMENTATIONS[name]() for name in usual(extractor.name)]
    with Workspace(None) as workspace, Progress("test", 1, quiet=True) as progress:
        options = {"workspace": workspace, "device": CPU, "progress": progress}
        yield Evaluator(reference, extractor, asked, metric_names(None), **options), progress


def measure(run: Path, reference: ImageSet, extractor: Extractor) -> list[Record]:
    sizes = {"n_curve": 60, "n_final": 90, "draws": 2}
    with evaluator_for(reference, extractor) as (evaluator, progress):
        records = evaluate_run(evaluator, run, **sizes, device=CPU)
        best_is_last = len({r.images for r in records if r.role == "final"}) == 1
        saved = 2 * evaluator.passes(90) if best_is_last else 0
        curve = evaluator.by(["ours"])
        assert progress._done == run_passes(evaluator, curve, run, **sizes) - saved
    return records


def test_run(reference: ImageSet, extractor: Extractor, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [0, 64, 128])
    records = measure(run, reference, extractor)
    curve = [record for record in records if record.role == "curve"]
    final = [record for record in records if record.role == "final"]
    assert len(curve) == 3 * 3  # Three metrics, by ours alone.
    assert {r.implementation for r in curve} == {"ours"}
    assert {(r.images, r.kimg, r.iterations) for r in curve} == {
        (0, 0.0, 0),
        (64, 0.064, 8),
        (128, 0.128, 16),
    }
    assert {(r.draw, r.seed, r.n_images, r.selection) for r in curve} == {(0, 0, 60, "")}
    assert {(r.draw, r.seed, r.n_images) for r in final} == {(1, 1, 90), (2, 2, 90)}
    assert len(final) == 2 * 2 * 8  # Three metrics, three and two.
    assert {r.images for r in final if r.selection == "last"} == {128}
    ours = [r for r in curve if (r.implementation, r.metric) == ("ours", "frechet_distance")]
    best = min(ours, key=lambda record: record.value)
    assert {r.images for r in final if r.selection == "best"} == {best.images}
    first = records[0]
    assert (first.method, first.recipe, first.run_seed, first.nfe) == ("sid", "sid-tiny", 5, 1)
    assert first.extractor_sha256 == extractor.sha256
    assert first.reference_sha256 == reference.sha256


def test_last_is_best(reference: ImageSet, extractor: Extractor, tmp_path: Path) -> None:
    records = measure(make_run(tmp_path / "run", [64]), reference, extractor)
    last, best = (
        [r.model_dump(exclude={"selection"}) for r in records if r.selection == selection]
        for selection in ("last", "best")
    )
    assert last == best
    assert len(last) == 2 * 8


def test_teacher(reference: ImageSet, extractor: Extractor, tmp_path: Path) -> None:
    path = tmp_path / "teacher.safetensors"
    save_network(path, network(), {"kind": "denoiser"})
    with evaluator_for(reference, extractor) as (evaluator, progress):
        sizes = {"n_curve": 40, "n_final": 60, "draws": 2}
        records = evaluate_teacher(evaluator, path, **sizes, device=CPU)
        assert progress._done == teacher_passes(evaluator, **sizes)
    measured = {(r.nfe, r.n_images, r.draw, r.seed) for r in records}
    fresh = {(35, 60, 1, 1), (35, 60, 2, 2)}
    assert measured == {*((nfe, 40, 0, 0) for nfe in (1, 5, 9, 17, 35)), *fresh}
    assert len({r.generated_sha256 for r in records}) == 7  # Every draw has noise of its own.
    assert {(r.role, r.method, r.recipe, r.run_seed) for r in records} == {
        ("teacher", "teacher", "teacher", -1)
    }


def test_teachers_are_sampled_as_published() -> None:
    assert list(teacher_steps("digits")) == [1, 3, 5, 9, 18]
    assert list(teacher_steps("ffhq-64x64")) == [1, 3, 5, 9, 18, 40]
    imagenet = teacher_steps("imagenet-64x64")
    assert [steps for steps, churn in imagenet.items() if churn.amount] == [256]


def test_floor(reference: ImageSet, extractor: Extractor) -> None:
    with evaluator_for(reference, extractor) as (evaluator, progress):
        records = evaluate_redrawn(evaluator, reference, n_curve=100, n_final=400, draws=2)
        assert progress._done == 2 * evaluator.passes(100 + 400, drawn=False)
    ours = {
        (r.n_images, r.draw): r.value
        for r in records
        if (r.implementation, r.metric) == ("ours", "frechet_distance")
    }
    assert set(ours) == {(100, 1), (100, 2), (400, 1), (400, 2)}
    assert len(set(ours.values())) == 4
    assert max(ours[400, 1], ours[400, 2]) < min(ours[100, 1], ours[100, 2])  # Bias falls with n.
    assert {(r.role, r.method, r.run_seed, r.nfe) for r in records} == {("redrawn", "real", -1, 0)}


def test_halves_share_no_image(reference: ImageSet, extractor: Extractor) -> None:
    one, other = halves(reference, 1)
    assert len(one) == len(other) == 1797 // 2
    assert not set(one.images._index) & set(other.images._index)
    with evaluator_for(reference, extractor) as (evaluator, _):

        def against(half: ImageSet) -> Evaluator:
            parts = (half, extractor, evaluator.implementations, metric_names(None))
            where = {"workspace": evaluator.workspace, "progress": evaluator.progress}
            return Evaluator(*parts, **where, device=CPU)

        records = evaluate_halves(against, reference, 2)
    found = [r for r in records if (r.implementation, r.metric) == ("ours", "frechet_distance")]
    assert {(r.role, r.n_images, r.n_reference, r.draw) for r in found} == {
        ("halves", 898, 898, 1),
        ("halves", 898, 898, 2),
    }
    assert len({r.generated_sha256 for r in found} | {r.reference_sha256 for r in found}) == 4


def test_refusals(reference: ImageSet, extractor: Extractor, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing: not a run .*sid distill"):
        snapshots_of(tmp_path / "nothing")
    run = make_run(tmp_path / "run", [64])
    done, snapshot = run / "done.json", next(iter(snapshots_of(run)))
    whole = read_json(done)
    done.unlink()
    with pytest.raises(UserError, match="not finished"):
        snapshots_of(run)
    write_json(done, {})
    with pytest.raises(UserError, match=r"done.json: lists no snapshots"):
        snapshots_of(run)
    write_json(done, whole)
    write_snapshot(snapshot, 1, 64)
    with pytest.raises(UserError, match=r"64.safetensors: missing or changed since it"):
        measure(run, reference, extractor)

    def accept() -> None:
        write_json(done, {"snapshots": {snapshot.name: sha256(snapshot)}})

    write_snapshot(snapshot, 0, 64, channels=3)
    accept()
    with pytest.raises(UserError, match=r"makes images \(3, 8, 8\)"):
        measure(run, reference, extractor)
    save_network(snapshot, network(), {})
    accept()
    with pytest.raises(UserError, match=r"64.safetensors: .*no `recipe`"):
        measure(run, reference, extractor)


def test_commands(reference: ImageSet, extractor: Extractor, tmp_path: Path) -> None:
    data, weights, run = tmp_path / "digits.zip", tmp_path / "e.safetensors", tmp_path / "run"
    write_zip(data, reference.images, reference.labels)
    extractor.save(weights)
    make_run(run, [64])
    sizes = ["--n-curve", "20", "--n-final", "20", "--quiet"]
    given = [str(data), "--extractor", str(weights), *sizes, "--json"]

    def sid(*words: str | Path) -> str:
        done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    sid("run", run, *given, tmp_path / "run.json", "--draws", "1")
    teacher = tmp_path / "teacher.safetensors"
    save_network(teacher, network(), {"kind": "denoiser"})
    sid("teacher", teacher, *given, tmp_path / "teacher.json", "--draws", "2")
    with pytest.raises(UserError, match="a generator, not a teacher"):
        sid("teacher", run, *given, tmp_path / "teacher.json")
    for made in (teacher, run):
        sid("sample", made, "--n", "3", "--out", tmp_path / "samples.zip")
        assert read_zip(tmp_path / "samples.zip").shape == (3, 1, 8, 8)
    sid("real", *given, tmp_path / "real.json", "--draws", "1")
    assert len(read_records(tmp_path / "run.json")) == 3 + 2 * 8
    out = tmp_path / "records.csv"
    files = [tmp_path / f"{name}.json" for name in ("run", "teacher", "real")]
    assert len(merge_records(files, out)) == sum(len(read_records(file)) for file in files)
    table = load_table(out)
    assert isinstance(table, pd.DataFrame)
    assert set(table["role"]) == {"curve", "final", "teacher", "redrawn", "halves"}
    assert "Example: sid evaluate run" in sid("run", "--help")
