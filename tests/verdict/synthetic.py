"""A records table as the demonstration's, with known laws and a tenth of noise."""

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd

from sid.evaluate.records import Record

Law = Callable[[float], float]  # Images -> distance.

START = 764.0
STOPS = [250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 12000, 16000, 24000, 32000, 44000, 60000]
BRANCH = [1000, 2000, 4000, 6000, 9000, 12000, 18000]
BIAS = 4500.0  # b: two samples of n and N of one distribution read b (1 / n + 1 / N).
TEACHER = {1: 1350.0, 5: 160.0, 9: 22.0, 17: 5.6, 35: 4.4}
IMPLEMENTATIONS = {"ours": 0.0, "torch-fidelity": 3e-7, "clean-fid": 2e-5}


def power(slope: float, at_3000: float) -> Law:
    return lambda images: at_3000 * (images / 3000) ** slope


LAWS: dict[str, Law] = {
    "sid": power(-0.54, 42.0),
    "sida": power(-0.65, 40.0),
    "diff-instruct": power(-0.35, 62.0),
    "sid2a": lambda images: 8.3 * (1 + images / 2500) ** -0.30,
    "sid-continued": lambda images: 8.3 * (1 + images / 6000) ** -0.12,
}
METHODS = {"sid2a": "sida", "sid-continued": "sid"}


def make_records(
    seeds: tuple[int, ...] = (0,),
    laws: dict[str, Law] | None = None,
    noise: float = 0.08,
    draws: int = 3,
    teacher_draws: int | None = None,
    last_is_best: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Records of all roles for the given laws; noise 0 gives the laws exactly.

    Args:
        seeds: of training.
        laws: of each recipe.
        noise: sd of log distance from draw to draw at 5,000 images.
        draws: fresh draws of a generator, and of the real images.
        teacher_draws: those of the teacher, as many if not given; 0 puts it on draw 0 alone, as
            older records do.
        last_is_best: recipes whose last snapshot is their best, of which the rows stand twice.
    """
    laws = LAWS if laws is None else laws
    rng = np.random.default_rng(7)
    rows: list[dict[str, object]] = []

    def add(value: float, n_images: int, **fields: object) -> None:
        value *= float(np.exp(noise * rng.standard_normal() * (5000 / n_images) ** 0.5))
        score = float(9.6 - 0.4 * np.log1p(value))
        made = "".join(str(fields.get(key, "")) for key in ("recipe", "run_seed", "images", "nfe"))
        for implementation, offset in IMPLEMENTATIONS.items():
            off = 1 + offset * float(rng.uniform(0.2, 1.0))
            for metric, number, stderr in (
                ("frechet_distance", value * off, None),
                ("kernel_distance", value * off * 0.002, 1e-3 * value**0.5),
                ("inception_score", score * off, 0.05),
            ):
                rows.append(
                    {
                        "dataset": "digits",
                        "generated_sha256": hashlib.sha256(made.encode()).hexdigest(),
                        "run_seed": -1,
                        "images": 0,
                        "iterations": 0,
                        "selection": "",
                        "nfe": 1,
                        "implementation": implementation,
                        "implementation_version": "0.4.0",
                        "extractor": "digits-cnn",
                        "extractor_sha256": "e" * 64,
                        "extractor_accuracy": 0.983,
                        "metric": metric,
                        "value": number,
                        "stderr": stderr,
                        "n_images": n_images,
                        "n_reference": 1797,
                        "reference_sha256": "d" * 64,
                        "draw": 0,
                        "seed": 1,
                        "seconds": 1.0,
                        "device": "cpu",
                        "torch": "2.13.0",
                        "git": "0123abc",
                        **fields,
                    }
                )

    for recipe, law in laws.items():
        stops = BRANCH if recipe in METHODS else STOPS
        first = 8.3 if recipe in METHODS else START
        for seed in seeds:
            run = {"recipe": recipe, "method": METHODS.get(recipe, recipe), "run_seed": seed}
            shift = float(np.exp(1.5 * noise * rng.standard_normal()))
            for images in [0, *stops]:
                value = first if images == 0 else min(START, law(images)) * shift
                at = {"images": images, "iterations": images // 128}
                add(value, 5000, role="curve", **run, **at)
            chosen = [("last", stops[-1])]
            chosen += [] if recipe in last_is_best else [("best", stops[-2])]
            for selection, images in chosen:
                at = {"images": images, "iterations": images // 128, "selection": selection}
                for draw in range(1, draws + 1):
                    value = law(images) * shift * 0.97
                    add(value, 20000, role="final", **run, **at, draw=draw, seed=draw + 1)
            if recipe in last_is_best:
                own = [row for row in rows if row["role"] == "final" and run.items() <= row.items()]
                rows += [{**row, "selection": "best"} for row in own]
    trained = {"method": "teacher", "recipe": "teacher", "run_seed": 0, "images": 277000}
    for nfe, value in TEACHER.items():
        add(value, 5000, role="teacher", nfe=nfe, **trained)
    fresh = draws if teacher_draws is None else teacher_draws
    for draw in range(1, fresh + 1) if fresh else [0]:
        add(4.1, 20000, role="teacher", nfe=35, draw=draw, seed=draw, **trained)
    for draw in range(1, draws + 1):
        at = {"draw": draw, "seed": draw + 1}
        for n_images in (5000, 20000):
            add(
                BIAS / n_images, n_images, role="redrawn", method="real", recipe="real", nfe=0, **at
            )
        half = {"dataset": f"half {draw} 1", "reference_sha256": f"{draw}" * 64}
        at |= {"n_reference": 898, **half}
        add(BIAS * 2 / 898, 898, role="halves", method="real", recipe="real", nfe=0, **at)
    return _whole(rows)


def make_samples(
    ways: dict[str, dict[str, object]], draws: int = 1, spread: float = 0.02, n_images: int = 5000
) -> pd.DataFrame:
    """Records as `sid evaluate GEN REF` leaves them, of Frechet distances about 10.

    Args:
        ways: implementation -> its fields; `off` is its difference as a share.
        draws: how many sets of images.
        spread: standard deviation from draw to draw, as a share; one draw is 10 exactly.
        n_images: of each draw.
    """
    rng = np.random.default_rng(1)
    steps = rng.standard_normal(draws)
    steps = (steps - steps.mean()) / steps.std(ddof=1) if draws > 1 else np.zeros(1)
    fields = Record.model_fields.items()
    common = {
        **{name: field.default for name, field in fields if not field.is_required()},
        "role": "sample",
        "dataset": "digits",
        "generated": "samples",
        "nfe": 1,
        "metric": "frechet_distance",
        "extractor": "digits-cnn",
        "extractor_sha256": "e" * 64,
        "implementation_version": "0.4.0",
        "stderr": None,
        "n_images": n_images,
        "n_reference": 1797,
        "reference_sha256": "d" * 64,
        "seconds": 1.0,
        "device": "cpu",
        "torch": "2.13.0",
        "git": "0123abc",
    }
    rows = []
    for draw, step in enumerate(steps):
        for implementation, way in ways.items():
            off = 1 + float(str(way.get("off", 0.0)))
            value = 10 * (1 + spread * float(step)) * off
            own = {key: field for key, field in way.items() if key != "off"}
            about = {"draw": draw, "seed": draw, "generated_sha256": f"{draw:x}" * 64}
            rows.append(
                {**common, "implementation": implementation, "value": value, **about, **own}
            )
    return _whole(rows)


def _whole(rows: list[dict[str, object]]) -> pd.DataFrame:
    """A table of records, missing fields as the model has them."""
    table = pd.DataFrame(rows)
    table["kimg"] = table["images"] / 1000
    for name, field in Record.model_fields.items():
        if name not in table.columns:
            table[name] = field.default
    return table[list(Record.model_fields)]
