"""`sid evaluate`: make an extractor, measure runs, teachers and real images, merge the records."""

from pathlib import Path
from typing import Annotated

import typer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sid.data.zips import read_zip, write_zip
from sid.errors import UserError
from sid.evaluate.evaluate import (
    evaluate_floor,
    evaluate_run,
    evaluate_teacher,
    evaluated_images,
    teacher_images,
)
from sid.evaluate.extractor import load_extractor, train_extractor
from sid.evaluate.records import Record, merge_records, write_records
from sid.evaluate.sampling import sample_generator, sample_teacher
from sid.networks import load_network
from sid.options import Device, Out, Quiet, Seed, Threads, prepare
from sid.progress import Progress
from sid.runs.folder import snapshot_at
from sid.teacher.sampler import PUBLISHED

app = typer.Typer(no_args_is_help=True, help="Measure runs, teachers and the floor of the noise.")

Reference = Annotated[Path, typer.Argument(help="The real images, a zip in EDM's layout.")]
Weights = Annotated[Path, typer.Option(help="Made by `sid evaluate extractor`.")]
Json = Annotated[Path, typer.Option(help="Where to write the records.")]
# Two images for each of the ten splits of the inception score.
Curve = Annotated[int, typer.Option(help="Images per snapshot of a curve.", min=20)]
Final = Annotated[int, typer.Option(help="Images per draw of a final value.", min=20)]
Draws = Annotated[int, typer.Option(help="Draws of a final value.", min=1)]


@app.command()
def extractor(data: Reference, out: Out, seed: Seed = 0) -> None:
    """Train the feature extractor of a labelled data set, in seconds.

    Example: sid evaluate extractor results/data/digits.zip --out results/extractor.safetensors
    """
    trained = train_extractor(read_zip(data), seed)
    trained.save(out)
    print(f"{out}: {trained.name}, {trained.accuracy:.1%} of the held-out fifth right")


@app.command()
def run(
    run: Annotated[Path, typer.Argument(help="Folder of a finished distillation.")],
    data: Reference,
    extractor: Weights,
    json: Json,
    n_curve: Curve = 5000,
    n_final: Final = 20000,
    draws: Draws = 3,
    threads: Threads = 1,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure each snapshot of a run on one noise, the last and the best on fresh ones.

    Example: sid evaluate run results/distill/sid/seed0 results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/sid-seed0.json
    """
    total = evaluated_images(run, n_curve=n_curve, n_final=n_final, draws=draws)
    with (
        threadpool_limits(threads),
        Progress(f"evaluate {run}", total, quiet=quiet) as progress,
    ):
        records = evaluate_run(
            run,
            read_zip(data),
            load_extractor(extractor),
            n_curve=n_curve,
            n_final=n_final,
            draws=draws,
            device=prepare(device, threads),
            progress=progress,
        )
    _write(json, records)


@app.command()
def teacher(
    snapshot: Annotated[Path, typer.Argument(help="The teacher's weights, or its run folder.")],
    data: Reference,
    extractor: Weights,
    json: Json,
    n_curve: Curve = 5000,
    n_final: Final = 20000,
    threads: Threads = 1,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure a teacher at 1 to 35 network evaluations per image and at the published number.

    Example: sid evaluate teacher results/teacher/digits results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/teacher.json
    """
    reference = read_zip(data)
    total = teacher_images(reference.name, n_curve=n_curve, n_final=n_final)
    with (
        threadpool_limits(threads),
        Progress(f"evaluate {snapshot}", total, quiet=quiet) as progress,
    ):
        records = evaluate_teacher(
            snapshot_at(snapshot),
            reference,
            load_extractor(extractor),
            n_curve=n_curve,
            n_final=n_final,
            device=prepare(device, threads),
            progress=progress,
        )
    _write(json, records)


@app.command()
def floor(
    data: Reference,
    extractor: Weights,
    json: Json,
    n_curve: Curve = 5000,
    n_final: Final = 20000,
    draws: Draws = 3,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Measure the real images against themselves, drawn again with replacement.

    Example: sid evaluate floor results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/floor.json
    """
    total = draws * (n_curve + n_final)
    with threadpool_limits(threads), Progress("evaluate floor", total, quiet=quiet) as progress:
        records = evaluate_floor(
            read_zip(data),
            load_extractor(extractor),
            n_curve=n_curve,
            n_final=n_final,
            draws=draws,
            device=prepare("cpu", threads),
            progress=progress,
        )
    _write(json, records)


@app.command()
def sample(
    weights: Annotated[Path, typer.Argument(help="Weights of a teacher or generator, or a run.")],
    out: Out,
    n: Annotated[int, typer.Option(help="How many images.", min=1)] = 64,
    steps: Annotated[
        int | None, typer.Option(help="Of a teacher's sampler; 18 if not given.", min=1)
    ] = None,
    sampler: Annotated[
        str | None, typer.Option(help=f"Published steps and churn: {', '.join(PUBLISHED)}.")
    ] = None,
    seed: Seed = 0,
    threads: Threads = 1,
    device: Device = "auto",
) -> None:
    """Write samples as a zip in EDM's layout; sample i depends on the seed and i alone.

    Example: sid evaluate sample results/distill/sid/seed0 --n 100 --out samples.zip
    """
    if sampler is not None and sampler not in PUBLISHED:
        raise UserError(f"--sampler {sampler}: unknown; known are {', '.join(PUBLISHED)}")
    if sampler and steps:
        raise UserError("--steps: --sampler says how many; drop one of them")
    network, about = load_network(snapshot_at(weights), prepare(device, threads))
    if about.get("kind") == "generator":
        if sampler or steps:
            raise UserError(f"{weights}: a generator takes one step; drop --sampler and --steps")
        if "sigma_init" not in about:
            raise UserError(f"{weights}: its metadata has no `sigma_init`")
        images = sample_generator(network, n, seed, float(about["sigma_init"]))
    else:
        chosen, churn = PUBLISHED[sampler] if sampler else (steps or 18, None)
        images = sample_teacher(network, n, seed, chosen, churn)
    print(f"{out}: {write_zip(out, images, None)}")


@app.command()
def merge(
    files: Annotated[list[Path], typer.Argument(help="Records of several evaluations.")],
    out: Out = Path("results/records.csv"),
) -> None:
    """Merge records into one table.

    Example: sid evaluate merge results/evaluate/sid-seed0.json results/evaluate/floor.json
    --out results/records.csv
    """
    print(f"{out}: {len(merge_records(files, out))} values")


def _write(path: Path, records: list[Record]) -> None:
    write_records(path, records)
    print(f"{path}: {len(records)} values")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="evaluate")
