"""`sid evaluate GEN REF`, and what the workflow calls for runs, teachers and real images."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from sid.data.images import ImageSet, Picture
from sid.data.sources import read_images
from sid.data.zips import read_zip, write_images
from sid.errors import UserError, warn
from sid.evaluate.evaluate import (
    evaluate_images,
    evaluate_network,
    evaluate_teacher,
    teacher_passes,
)
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.extractors import load_extractor, train_extractor
from sid.evaluate.features.image_features import CAP, ImageFeatures
from sid.evaluate.features.statistics import Statistics
from sid.evaluate.implementations import curve_of
from sid.evaluate.metrics.memorisation import memorisation, write_pairs
from sid.evaluate.metrics.metric import indexed
from sid.evaluate.metrics.neighbours import Manifold
from sid.evaluate.real_images import evaluate_halves, evaluate_redrawn
from sid.evaluate.records import Record, check_external, write_records
from sid.evaluate.reference import check_counts, check_shapes, count_of, read_reference
from sid.evaluate.removal import Keep, remove_measured
from sid.evaluate.runs import evaluate_run, evaluate_snapshots, part_of, run_passes
from sid.evaluate.samplers import CHUNK, sampler_for, weights_at
from sid.evaluate.session import Chunk, Extractor, Measurement, NCurve, Session, Sizes
from sid.networks import load_network
from sid.options import Device, Out, Quiet, Seed, Threads, group, set_up_device, with_options
from sid.runs.folder import RunFolder, snapshot_at
from sid.teacher.sampler import PUBLISHED_SAMPLERS

app = typer.Typer(
    cls=group("compare"),
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure images, generators, runs, teachers and the real images themselves.\n\n"
    "`sid evaluate GEN REF` is short for `sid evaluate compare GEN REF`.",
)

Data = Annotated[Path, typer.Argument(help="The real images, a zip in EDM's layout.")]
Json = Annotated[Path, typer.Option(help="Where to write the records.")]
Curve = Annotated[
    str | None,
    typer.Option(
        help="Those of the implementations that measure each snapshot, with commas; by the first "
        "of them the best is chosen. The first of all if not given."
    ),
]
Kept = Annotated[
    Keep,
    typer.Option(
        help="What stays of the snapshots once they are measured: all; best and last so far; or "
        "those and the log-spaced curve."
    ),
]
Steps = Annotated[int | None, typer.Option(help="Of a teacher's sampler; 18 if not given.", min=1)]
Sampler = Annotated[
    str | None, typer.Option(help=f"Published steps and churn: {', '.join(PUBLISHED_SAMPLERS)}.")
]


@dataclass(frozen=True)
class Draws:
    """What is drawn of GEN, and under which name."""

    n: Annotated[
        int | None, typer.Option(help="Images of each draw; as many as REF's if not given.", min=2)
    ] = None
    draws: Annotated[int, typer.Option(help="Draws, each with a seed of its own.", min=1)] = 1
    seed: Seed = 0
    steps: Steps = None
    sampler: Sampler = None
    name: Annotated[
        str | None,
        typer.Option(
            "--as", help="Name of the generator in tables, figures and rankings; draws from 1 on."
        ),
    ] = None
    allow_unequal_n: Annotated[
        bool, typer.Option(help="Compare sets of different sizes all the same.")
    ] = False


@app.command()
@with_options
def compare(
    gen: Annotated[
        list[Path],
        typer.Argument(
            help="Images (folder, zip, npz, npy), a generator, a teacher or a run. With --as "
            "several sets of images, one for each draw."
        ),
    ],
    ref: Annotated[
        Path, typer.Argument(help="Images likewise, or an npz of their moments (mu, sigma).")
    ],
    options: Measurement,
    asked: Draws,
    json: Annotated[Path | None, typer.Option(help="Where to write the records.")] = None,
) -> None:
    """Measure GEN against REF: a table with intervals, and where every value came from.

    Example: sid evaluate samples/ digits.zip --metrics all --json samples.json
    """
    from sid.evaluate.table import show  # Its quantiles are slow to import.

    weights = weights_at(gen[0])
    if weights is None and (asked.n or asked.steps or asked.sampler or asked.draws > 1):
        raise UserError(
            f"{gen[0]}: holds images; --n, --draws, --steps and --sampler are for networks"
        )
    if len(gen) > 1 and (weights or not asked.name):
        raise UserError(f"{gen[1]}: several sets are draws of one generator; name it with --as")
    if asked.name:
        check_external(asked.name, asked.seed)
    if json and json.exists() and any(one.exists() and json.samefile(one) for one in (*gen, ref)):
        raise UserError(f"--json {json}: would replace what is measured; name another file")
    with Session(f"evaluate {gen[0]}", json, options) as session:
        reference = read_reference(ref)
        if weights:
            records = _of_network(session, weights, ref, reference, asked)
        else:
            records = _of_images(session, gen, ref, reference, asked)
        if session.world.main:
            if json:
                write_records(json, records)
            show(records)


def _about(asked: Draws) -> tuple[dict[str, str], int]:
    """Fields of the records, and the number of the first draw, as all others of that role have."""
    return (
        ({"role": "external", "recipe": asked.name}, 1) if asked.name else ({"role": "sample"}, 0)
    )


def _of_network(
    session: Session, weights: Path, ref: Path, reference: ImageSet | Statistics, asked: Draws
) -> list[Record]:
    count = asked.n or count_of(reference, ref)
    check_counts(weights, count, ref, reference, allow_unequal=asked.allow_unequal_n)
    evaluator = session.evaluator(reference)
    session.progress.expect(asked.draws * evaluator.passes(count))
    about, first = _about(asked)
    return evaluate_network(
        evaluator,
        weights,
        count,
        draws=range(first, first + asked.draws),
        device=session.device,
        seed=asked.seed,
        steps=asked.steps,
        sampler=asked.sampler,
        about=about,
    )


def _of_images(
    session: Session, gen: list[Path], ref: Path, reference: ImageSet | Statistics, asked: Draws
) -> list[Record]:
    sets = [(str(path), read_images(path)) for path in gen]
    for name, images in sets:
        if isinstance(reference, ImageSet):
            check_shapes(images, reference)
        unequal = asked.allow_unequal_n
        check_counts(Path(name), len(images), ref, reference, allow_unequal=unequal)
    evaluator = session.evaluator(reference)
    session.progress.expect(sum(evaluator.passes(len(one), drawn=False) for _, one in sets))
    about, first = _about(asked)
    return evaluate_images(evaluator, sets, about, first, asked.seed)


@app.command()
def extractor(data: Data, out: Out, seed: Seed = 0) -> None:
    """Train a small classifier as the extractor of a labelled data set, in seconds.

    Example: sid evaluate extractor results/data/digits.zip --out results/extractor.safetensors
    """
    trained = train_extractor(read_zip(data), seed)
    trained.save(out)
    print(f"{out}: {trained.name}, {trained.accuracy:.1%} of the held-out fifth right")


def _points(evaluator: Evaluator, curve: str | None) -> Evaluator:
    """What measures the points of a curve, as `--curve` says."""
    return evaluator.by(curve_of(curve, [one.name for one in evaluator.implementations]))


def _written(
    session: Session, run: Path, keep: Keep, points: Evaluator, records: list[Record]
) -> None:
    """Write the records of a run; then what was measured may be removed."""
    session.write(records)
    if session.world.main:
        remove_measured(RunFolder(run), keep, points.implementations[0].name, records)


@app.command()
@with_options
def run(
    run: Annotated[Path, typer.Argument(help="Folder of a finished distillation.")],
    data: Data,
    json: Json,
    sizes: Sizes,
    options: Measurement,
    curve: Curve = None,
    keep: Kept = "all",
) -> None:
    """Measure each snapshot of a run on one noise, the last and the best on fresh ones.

    Snapshots that were measured before, alone or by `sid evaluate snapshots`, are not measured
    again. Several processes have snapshots and draws of their own.

    Example: sid evaluate run results/distill/sid/seed0 results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/sid-seed0.json
    """
    with Session(f"evaluate {run}", json, options, dealt=True) as session:
        evaluator = session.evaluator(read_zip(data))
        points = _points(evaluator, curve)
        session.progress.expect(run_passes(evaluator, points, run, **asdict(sizes)))
        records = evaluate_run(evaluator, run, curve=points, **asdict(sizes), device=session.device)
        _written(session, run, keep, points, records)


@app.command()
@with_options
def snapshots(
    run: Annotated[Path, typer.Argument(help="Folder of a distillation, which may be going on.")],
    data: Data,
    json: Json,
    options: Measurement,
    first: Annotated[int, typer.Option("--from", help="Images of the first.", min=0)] = 0,
    last: Annotated[
        int | None, typer.Option("--to", help="Images of the last; all so far if not given.", min=0)
    ] = None,
    n_curve: NCurve = 5000,
    curve: Curve = None,
    keep: Kept = "all",
) -> None:
    """Measure some snapshots of a run, while it is trained, for `sid evaluate run` to go on with.

    Example: sid evaluate snapshots results/distill/sid/seed0 results/data/digits.zip --to 10048
    --extractor results/extractor.safetensors --json results/evaluate/sid-seed0-first.json
    """
    with Session(f"evaluate {run}", json, options, dealt=True) as session:
        evaluator = session.evaluator(read_zip(data))
        points = _points(evaluator, curve)
        session.progress.expect(len(part_of(run, first, last)) * points.passes(n_curve))
        records = evaluate_snapshots(
            points, run, first, last, n_curve=n_curve, device=session.device
        )
        _written(session, run, keep, points, records)


@app.command()
@with_options
def teacher(
    snapshot: Annotated[Path, typer.Argument(help="The teacher's weights, or its run folder.")],
    data: Data,
    json: Json,
    sizes: Sizes,
    options: Measurement,
) -> None:
    """Measure a teacher at 1 to 35 evaluations or the published number, there on fresh draws.

    Example: sid evaluate teacher results/teacher/digits results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/teacher.json
    """
    with Session(f"evaluate {snapshot}", json, options) as session:
        evaluator, path = session.evaluator(read_zip(data)), snapshot_at(snapshot)
        session.progress.expect(teacher_passes(evaluator, **asdict(sizes)))
        records = evaluate_teacher(evaluator, path, **asdict(sizes), device=session.device)
        session.write(records)


@app.command()
@with_options
def real(data: Data, json: Json, sizes: Sizes, options: Measurement) -> None:
    """Measure the real images against themselves: drawn again, and one half against the other.

    Example: sid evaluate real results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/real.json
    """
    reference = read_zip(data)
    with Session("evaluate real", json, options) as session:
        evaluator = session.evaluator(reference)
        passes = sum({sizes.n_curve, sizes.n_final}) + len(reference) // 2
        session.progress.expect(sizes.draws * evaluator.passes(passes, drawn=False))
        records = evaluate_redrawn(evaluator, reference, **asdict(sizes))
        records += evaluate_halves(session.evaluator, reference, sizes.draws)
        session.write(records)


@app.command()
def sample(
    weights: Annotated[Path, typer.Argument(help="Weights of a teacher or generator, or a run.")],
    out: Out,
    n: Annotated[int, typer.Option(help="How many images.", min=1)] = 64,
    steps: Steps = None,
    sampler: Sampler = None,
    seed: Seed = 0,
    chunk: Chunk = CHUNK,
    threads: Threads = 1,
    device: Device = "auto",
) -> None:
    """Write samples as a zip in EDM's layout; sample i depends on the seed and i alone.

    Example: sid evaluate sample results/distill/sid/seed0 --n 100 --out samples.zip
    """
    path = snapshot_at(weights)
    network, about = load_network(path, set_up_device(device, threads))
    make, _ = sampler_for(network, about, path, steps, sampler)
    drawn = make(seed)
    images = (image for part in drawn.chunks(n, chunk) for image in part)
    pictures = (Picture(number, image, None) for number, image in enumerate(images))
    classes = f"; classes {drawn.rule.text}" if drawn.rule.classes else ""
    print(f"{out}: {write_images(out, pictures, -1)}{classes}")


@app.command()
def neighbours(
    gen: Annotated[Path, typer.Argument(help="Generated images: a folder, zip, npz or npy.")],
    ref: Annotated[Path, typer.Argument(help="All training images.")],
    out: Out,
    extractor: Extractor = "efficientnet-lite0",
    pairs: Annotated[int, typer.Option(help="Pairs in the picture.", min=1, max=1000)] = 32,
    threads: Threads = 1,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Look for copies: a picture of generated images beside their nearest training images.

    Example: sid evaluate neighbours samples.zip digits.zip --out neighbours.png
    """
    options = Measurement(extractor=extractor, threads=threads, device=device, quiet=quiet)
    with Session(f"neighbours of {gen}", None, options) as session:
        images, training = read_images(gen), read_images(ref)
        check_shapes(images, training)
        session.progress.expect(len(images) + len(training))
        network = load_extractor(extractor, session.device)
        generated, real = (
            ImageFeatures(one, network, session.workspace.subfolder(name), session.progress)
            for name, one in (("generated", images), ("reference", training))
        )
        for one in (generated, real):
            if one.count > CAP:
                warn(f"{one.images.name}: the first {CAP:,} of {one.count:,} images are compared")
        found = memorisation(indexed(generated.features), Manifold(indexed(real.features)))
        write_pairs(out, images.images, training.images, found, pairs)
    print(
        f"{out}: {min(pairs, len(found.ratio))} pairs; authenticity {found.authenticity:.3f} "
        f"± {found.stderr:.3f}, that of the training images {found.real:.3f}"
    )


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="evaluate")
