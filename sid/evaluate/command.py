"""`sid evaluate GEN REF`, and what the workflow calls for runs, teachers and real images."""

from pathlib import Path
from typing import Annotated

import typer

from sid.data.images import ImageSet, Picture
from sid.data.sources import read_images
from sid.data.zips import read_zip, write_images
from sid.errors import UserError
from sid.evaluate.bench import Bench
from sid.evaluate.evaluate import evaluate_run, evaluate_teacher, run_passes, teacher_passes
from sid.evaluate.extractors import train_extractor
from sid.evaluate.floor import evaluate_floor, evaluate_halves
from sid.evaluate.records import Record, merge_records, write_records
from sid.evaluate.reference import check_counts, check_shapes
from sid.evaluate.sample import (
    evaluate_images,
    evaluate_network,
    look_for_copies,
    sampler_for,
    weights_at,
)
from sid.evaluate.sampling import CHUNK
from sid.evaluate.setup import Setup, metrics_of
from sid.evaluate.statistics import Statistics, read_reference
from sid.networks import load_network
from sid.options import Device, Out, Quiet, Seed, Threads, group, prepare
from sid.runs.folder import snapshot_at
from sid.teacher.sampler import PUBLISHED

app = typer.Typer(
    cls=group("compare"),
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure images, generators, runs, teachers and the real images themselves.\n\n"
    "`sid evaluate GEN REF` is short for `sid evaluate compare GEN REF`.",
)

Reference = Annotated[Path, typer.Argument(help="The real images, a zip in EDM's layout.")]
Extractor = Annotated[
    str, typer.Option(help="efficientnet-lite0, inception-2015, dinov2-..., or a weights file.")
]
Json = Annotated[Path, typer.Option(help="Where to write the records.")]
Metrics = Annotated[
    str | None, typer.Option(help="Of fd, kid, is, pr, dc, authenticity, fd-infinity; or all.")
]
Implementations = Annotated[
    str | None, typer.Option(help="ours, torch-fidelity, clean-fid, nvidia, ...; with commas.")
]
Moments = Annotated[
    str | None, typer.Option(help="Published moments of the same images, for nvidia; npz or name.")
]
Chunk = Annotated[
    int, typer.Option(help="Images per forward of a network; another rounds otherwise.", min=1)
]
# Two images for each of the ten splits of the inception score.
Curve = Annotated[int, typer.Option(help="Images per snapshot of a curve.", min=20)]
Final = Annotated[int, typer.Option(help="Images per draw of a final value.", min=20)]
Draws = Annotated[int, typer.Option(help="Draws, each with a seed of its own.", min=1)]
Steps = Annotated[int | None, typer.Option(help="Of a teacher's sampler; 18 if not given.", min=1)]
Sampler = Annotated[
    str | None, typer.Option(help=f"Published steps and churn: {', '.join(PUBLISHED)}.")
]


@app.command()
def compare(
    gen: Annotated[
        Path,
        typer.Argument(help="Images (folder, zip, npz, npy), a generator, a teacher or a run."),
    ],
    ref: Annotated[
        Path, typer.Argument(help="Images likewise, or an npz of their moments (mu, sigma).")
    ],
    extractor: Extractor = "efficientnet-lite0",
    metrics: Metrics = None,
    implementations: Implementations = None,
    n: Annotated[
        int | None, typer.Option(help="Images of each draw; as many as REF's if not given.", min=2)
    ] = None,
    draws: Draws = 1,
    seed: Seed = 0,
    steps: Steps = None,
    sampler: Sampler = None,
    allow_unequal_n: Annotated[
        bool, typer.Option(help="Compare sets of different sizes all the same.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Where to write the records.")] = None,
    chunk: Chunk = CHUNK,
    threads: Threads = 1,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure GEN against REF: a table with intervals, and where every value came from.

    Example: sid evaluate samples/ digits.zip --metrics all --json samples.json
    """
    from sid.evaluate.table import show  # Its quantiles are slow to import.

    metrics_of(metrics)  # Before the images are read.
    weights = weights_at(gen)
    if weights is None and (n or steps or sampler or draws > 1):
        raise UserError(
            f"{gen}: holds images; --n, --draws, --steps and --sampler are for networks"
        )
    if json and json.exists() and any(one.exists() and json.samefile(one) for one in (gen, ref)):
        raise UserError(f"--json {json}: would replace what is measured; name another file")
    with Setup(f"evaluate {gen}", json, device=device, threads=threads, quiet=quiet) as setup:
        reference = read_reference(ref)
        images = None if weights else read_images(gen)
        count = len(images) if images else n or len_of(reference, ref)
        if images and isinstance(reference, ImageSet):
            check_shapes(images, reference)
        check_counts(gen, count, ref, reference, allow_unequal=allow_unequal_n)
        bench = setup.bench(
            reference,
            extractor,
            total=lambda bench: draws * bench.passes(count, drawn=images is None),
            metrics=metrics_of(metrics, moments=not isinstance(reference, ImageSet)),
            implementations=implementations,
            chunk=chunk,
        )
        if weights:
            records = evaluate_network(
                bench,
                weights,
                count,
                seed=seed,
                draws=draws,
                steps=steps,
                sampler=sampler,
                device=setup.device,
            )
        else:
            assert images is not None
            records = evaluate_images(bench, images, str(gen), seed)
        if setup.world.main:
            if json:
                write_records(json, records)
            show(records)


@app.command()
def extractor(data: Reference, out: Out, seed: Seed = 0) -> None:
    """Train a small classifier as the extractor of a labelled data set, in seconds.

    Example: sid evaluate extractor results/data/digits.zip --out results/extractor.safetensors
    """
    trained = train_extractor(read_zip(data), seed)
    trained.save(out)
    print(f"{out}: {trained.name}, {trained.accuracy:.1%} of the held-out fifth right")


@app.command()
def run(
    run: Annotated[Path, typer.Argument(help="Folder of a finished distillation.")],
    data: Reference,
    extractor: Extractor,
    json: Json,
    metrics: Metrics = None,
    implementations: Implementations = None,
    n_curve: Curve = 5000,
    n_final: Final = 20000,
    draws: Draws = 3,
    statistics: Moments = None,
    chunk: Chunk = CHUNK,
    threads: Threads = 1,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure each snapshot of a run on one noise, the last and the best on fresh ones.

    Example: sid evaluate run results/distill/sid/seed0 results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/sid-seed0.json
    """
    sizes = {"n_curve": n_curve, "n_final": n_final, "draws": draws}
    with Setup(f"evaluate {run}", json, device=device, threads=threads, quiet=quiet) as setup:
        bench = setup.bench(
            read_zip(data),
            extractor,
            total=lambda bench: run_passes(bench, run, **sizes),
            metrics=metrics_of(metrics),
            implementations=implementations,
            chunk=chunk,
            statistics=statistics,
        )
        records = evaluate_run(bench, run, **sizes, device=setup.device)
        if setup.world.main:
            _write(json, records)


@app.command()
def teacher(
    snapshot: Annotated[Path, typer.Argument(help="The teacher's weights, or its run folder.")],
    data: Reference,
    extractor: Extractor,
    json: Json,
    metrics: Metrics = None,
    implementations: Implementations = None,
    n_curve: Curve = 5000,
    n_final: Final = 20000,
    draws: Draws = 3,
    statistics: Moments = None,
    chunk: Chunk = CHUNK,
    threads: Threads = 1,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure a teacher at 1 to 35 evaluations or the published number, there on fresh draws.

    Example: sid evaluate teacher results/teacher/digits results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/teacher.json
    """
    sizes = {"n_curve": n_curve, "n_final": n_final, "draws": draws}
    with Setup(f"evaluate {snapshot}", json, device=device, threads=threads, quiet=quiet) as setup:
        bench = setup.bench(
            read_zip(data),
            extractor,
            total=lambda bench: teacher_passes(bench, **sizes),
            metrics=metrics_of(metrics),
            implementations=implementations,
            chunk=chunk,
            statistics=statistics,
        )
        records = evaluate_teacher(bench, snapshot_at(snapshot), **sizes, device=setup.device)
        if setup.world.main:
            _write(json, records)


@app.command()
def floor(
    data: Reference,
    extractor: Extractor,
    json: Json,
    metrics: Metrics = None,
    implementations: Implementations = None,
    n_curve: Curve = 5000,
    n_final: Final = 20000,
    draws: Draws = 3,
    threads: Threads = 1,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure the real images against themselves: drawn again, and one half against the other.

    Example: sid evaluate floor results/data/digits.zip
    --extractor results/extractor.safetensors --json results/evaluate/floor.json
    """
    reference, sizes = read_zip(data), sorted({n_curve, n_final})
    half = len(reference) // 2
    with Setup("evaluate floor", json, device=device, threads=threads, quiet=quiet) as setup:

        def bench(against: ImageSet) -> Bench:
            return setup.bench(
                against,
                extractor,
                total=lambda bench: draws * bench.passes(sum(sizes) + half, drawn=False),
                metrics=metrics_of(metrics),
                implementations=implementations,
                chunk=CHUNK,
            )

        whole = bench(reference)
        records = evaluate_floor(whole, reference, n_curve=n_curve, n_final=n_final, draws=draws)
        records += evaluate_halves(bench, reference, draws)
        if setup.world.main:
            _write(json, records)


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
    network, about = load_network(path, prepare(device, threads))
    make, _ = sampler_for(network, about, path, steps, sampler)
    drawn = make(seed)
    images = (image for part in drawn.chunks(n, chunk) for image in part)
    pictures = (Picture(number, image, None) for number, image in enumerate(images))
    classes = f", drawn uniformly from {drawn.classes}" if drawn.classes else ""
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
    with Setup(f"neighbours of {gen}", None, device=device, threads=threads, quiet=quiet) as setup:
        found = look_for_copies(setup, read_images(gen), read_images(ref), extractor, out, pairs)
    print(
        f"{out}: {min(pairs, len(found.ratio))} pairs; authenticity {found.authenticity:.3f} "
        f"± {found.stderr:.3f}, that of the training images {found.real:.3f}"
    )


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


def len_of(reference: ImageSet | Statistics, path: Path) -> int:
    """How many images a reference has, as the number to draw.

    Raises:
        UserError: its moments do not tell.
    """
    count = len(reference) if isinstance(reference, ImageSet) else reference.count
    if count is None:
        raise UserError(f"{path}: does not say of how many images it is; give --n")
    return count


def _write(path: Path, records: list[Record]) -> None:
    write_records(path, records)
    print(f"{path}: {len(records)} values")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="evaluate")
