"""How often the gates stop a healthy run, and how soon they stop a broken one.

    python -m benchmarks.gates --out gates.csv
    python -m benchmarks.gates --out more.csv --zip fashion-mnist-16.zip    # other data sets

Teachers are trained on small real data sets, and generators distilled from them: every method,
from the teacher and from a generator, with several seeds, learning rates and batches. Each run has
its gates as users have them. Then SiD is broken on purpose, in every way that the gates are for.
"""

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
import typer
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor

from sid.data.sets.digits import digits
from sid.data.zips import read_zip, write_zip
from sid.distill.distillation import Distillation
from sid.distill.gates import distance, pixel_noise, spread
from sid.distill.player import Batch, Player
from sid.distill.recipe import Recipe
from sid.networks import load_network
from sid.runs.folder import RunFolder, snapshot_at
from sid.runs.loop import Problem, StoppedError, train
from sid.runs.schedule import snapshot_times
from sid.runs.world import World
from sid.streams import Stream
from sid.teacher.recipe import TeacherRecipe
from sid.teacher.train import train_teacher

CPU = torch.device("cpu")
BATCH = 32
NETWORK = {"model_channels": 8, "channel_mult": [1], "num_blocks": 1, "attn_resolutions": []}
RATE = 2e-4
BREAKS_AT = 1600  # Images after which a run is broken.
# Recipes that start from the teacher, and those that start from the first one's generator.
FROM_TEACHER: dict[str, dict[str, Any]] = {
    "sid": {"method": {"name": "sid", "alpha": 1.2}},
    "sid-alpha1": {"method": {"name": "sid", "alpha": 1.0}},
    "sid-fast": {"method": {"name": "sid", "alpha": 1.2}, "lr_generator": 6e-4, "lr_fake": 6e-4},
    "sid-batch8": {"method": {"name": "sid", "alpha": 1.2}, "batch": 8},
    "sida": {"method": {"name": "sida", "generator_from_kimg": 0.5, "adversarial_from_kimg": 1}},
    "distribution-matching": {"method": {"name": "distribution-matching"}},
}
FROM_GENERATOR: dict[str, dict[str, Any]] = {
    "sid2a": {"method": {"name": "sida", "generator_from_kimg": 1, "adversarial_from_kimg": 1}},
    "sid-continued": {"method": {"name": "sid", "alpha": 1.2, "generator_from_kimg": 1}},
}


def photographs() -> NDArray[np.uint8]:
    """2,000 crops, 8x8 RGB, of the two photographs that scikit-learn ships, at a quarter."""
    crops = []
    for which, photograph in enumerate(load_sample_images().images):
        height, width = (side // 4 for side in photograph.shape[:2])
        small = np.asarray(Image.fromarray(photograph).resize((width, height)))
        rows = Stream(which, "rows").integers(0, 1000, height - 8).tolist()
        columns = Stream(which, "columns").integers(0, 1000, width - 8).tolist()
        places = zip(rows, columns, strict=True)
        crops += [small[y : y + 8, x : x + 8].transpose(2, 0, 1) for y, x in places]
    return np.stack(crops)


class Watched(Distillation):
    """A distillation that remembers how near it came to each bound on its images."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.nearest = {"spread": math.inf, "noise": -math.inf, "distance": 0.0}

    def problem(self, images: int, at_snapshot: bool) -> Problem | None:
        """As every distillation; what was seen is noted in the units of the bounds."""
        if at_snapshot:
            made, watch, nearest = self._probe(), self.watch, self.nearest
            way = watch.white - watch.least_noise
            now = spread(made) / watch.least_spread, (pixel_noise(made) - watch.least_noise) / way
            nearest["spread"] = min(nearest["spread"], now[0])
            nearest["noise"] = max(nearest["noise"], now[1])
            far = distance(made, watch.real) / watch.farthest
            nearest["distance"] = max(nearest["distance"], far)
        return super().problem(images, at_snapshot)


class Broken(Watched):
    """A distillation that goes wrong in one way from `BREAKS_AT` images on."""

    seen = 0

    def step(self, images: int) -> dict[str, float]:
        """A step, which knows how far the run is."""
        self.seen = images + self.batch
        return super().step(images)

    @property
    def since(self) -> float:
        """Thousands of images since the break."""
        return max(self.seen - BREAKS_AT, 0) / 1000


class OneImage(Broken):
    """The generator makes one image, whatever its noise."""

    def _probe(self) -> Tensor:
        made = super()._probe()
        return made[:1].expand_as(made) if self.since else made


class Noise(Broken):
    """The generator makes white noise."""

    def _probe(self) -> Tensor:
        made = super()._probe()
        noise = Stream(self.seed, "planted").normal(0, len(made), tuple(made.shape[1:]))
        return self.planted(made, noise)

    def planted(self, made: Tensor, noise: Tensor) -> Tensor:
        """What the gates see."""
        return (noise / 2).clamp(-1, 1) if self.since else made


class Drift(Noise):
    """More and more noise lies over the images: its deviation grows by 0.1 a thousand images."""

    def planted(self, made: Tensor, noise: Tensor) -> Tensor:
        """What the gates see."""
        return made + 0.1 * self.since * noise


class Spoilt(Batch):
    """A micro-batch of which every fourth noise is not finite."""

    def normal(self, what: str) -> Tensor:
        """Normal numbers, and others."""
        drawn = super().normal(what)
        if what == "noise":
            drawn[::4] = math.nan
        return drawn


class ImagesNotFinite(Broken):
    """A quarter of the images that the fake score trains on are not finite."""

    def drawn(self, player: Player, start: int, stop: int, images: int) -> Batch:
        """As every distillation's, or with noise that is not finite."""
        drawn = super().drawn(player, start, stop, images)
        kind = Spoilt if self.since and player.name == "fake" else Batch
        return kind(**{field.name: getattr(drawn, field.name) for field in fields(drawn)})


class GradientsNotFinite(Broken):
    """The gradients of three updates in four are not finite."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for network in self.networks.values():
            weight = next(network.parameters()).requires_grad_(True)
            weight.register_hook(self._spoilt)  # type: ignore[no-untyped-call]
            weight.requires_grad_(False)

    def _spoilt(self, gradient: Tensor) -> Tensor | None:
        spoils = self.since and (self.seen // self.batch) % 4
        return torch.full_like(gradient, math.nan) if spoils else None


BREAKS: dict[str, type[Watched]] = {
    "one-image": OneImage,
    "noise": Noise,
    "drift-to-noise": Drift,
    "images-not-finite": ImagesNotFinite,
    "gradients-not-finite": GradientsNotFinite,
    "rate-x-100": Watched,
}


class Bench:
    """The runs of one data set.

    Args:
        path: its zip.
        work: folder for runs.
        kimg: length of a distillation.
    """

    def __init__(self, path: Path, work: Path, kimg: float) -> None:
        self.path, self.data, self.work, self.kimg = path, read_zip(path), work, kimg

    def teacher(self, seed: int) -> Path:
        """Train a teacher; its folder."""
        out = self.work / self.data.name / f"teacher{seed}"
        values = {"name": "teacher", "network": NETWORK, "batch": BATCH, "kimg": 4 * self.kimg}
        values |= {"lr": 2e-3, "lr_decay": 0.4, "ema_kimg": 1, "ema_rampup": 0.2}
        recipe = TeacherRecipe.model_validate(values)
        train_teacher(recipe, self.path, out, seed=seed, device=CPU, restart=True, quiet=True)
        return out

    def run(
        self,
        name: str,
        changes: Mapping[str, Any],
        teacher: Path,
        start: Path | None,
        seed: int,
        kind: type[Watched] = Watched,
    ) -> tuple[Path, dict[str, Any]]:
        """One distillation to its end or its stop: its folder, and what is to be known of it."""
        usual: dict[str, Any] = {"batch": BATCH, "kimg": self.kimg, "ema_kimg": 0.5}
        usual |= {"lr_generator": RATE, "lr_fake": RATE, "ema_rampup": 0.3, "per_decade": 10}
        usual |= {"name": name, "data": self.data.name, "teacher": "teacher"}
        recipe = Recipe.model_validate({**usual, **changes})
        folder = RunFolder(teacher.parent / f"{teacher.name}-{name}-{kind.__name__}-{seed}")
        networks = [p and load_network(snapshot_at(p), CPU)[0] for p in (teacher, start)]
        training = kind(recipe, *networks, self.data, seed, CPU, World())
        first = int(recipe.first_kimg * 1000)
        times = snapshot_times(int(recipe.kimg * 1000), recipe.batch, first, recipe.per_decade)
        images, stopped = times[-1], ""
        with folder.held({"run": folder.path.name}, CPU, World(), restart=True):
            try:
                train(folder, training, times, title="", quiet=True, world=World())
            except StoppedError as stop:
                images, stopped = stop.images, stop.problem.key
        about = {"data": self.data.name, "teacher": teacher.name, "recipe": name, "seed": seed}
        return folder.path, about | {"images": images, "stopped": stopped, **training.nearest}

    def healthy(self, teachers: int, seeds: int) -> Iterator[dict[str, Any]]:
        """Every method from every teacher with every seed, and on from the first one's end."""
        for number in range(teachers):
            teacher = self.teacher(number)
            yield {"data": self.data.name, "teacher": teacher.name, "recipe": "teacher"}
            for seed in range(seeds):
                start: Path | None = None
                for name, changes in {**FROM_TEACHER, **FROM_GENERATOR}.items():
                    begins = start if name in FROM_GENERATOR else None
                    made, row = self.run(name, changes, teacher, begins, seed)
                    start = start or made
                    yield row

    def broken(self, teacher: Path) -> Iterator[dict[str, Any]]:
        """SiD from a teacher, broken in every way."""
        for name, kind in BREAKS.items():
            changes = {**FROM_TEACHER["sid"], "kimg": 4 * self.kimg}
            if kind is Watched:
                changes |= {"lr_generator": 100 * RATE, "lr_fake": 100 * RATE}
            yield {**self.run(name, changes, teacher, None, 0, kind)[1], "broken": True}


def main(
    out: Annotated[Path, typer.Option(help="The table, a CSV; written row by row.")],
    zips: Annotated[
        list[Path] | None, typer.Option("--zip", help="Data sets in place of these two.")
    ] = None,
    teachers: Annotated[int, typer.Option(help="Of each data set.")] = 4,
    seeds: Annotated[int, typer.Option(help="Of each teacher's generators.")] = 2,
    kimg: Annotated[float, typer.Option(help="Length of a run.")] = 3.2,
) -> None:
    """Run all, and print what the gates stopped and how near the healthy runs came."""
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if not zips:
            zips = [work / "digits.zip", work / "photographs.zip"]
            write_zip(zips[0], *digits())
            write_zip(zips[1], photographs(), None)
        for path in zips:
            bench = Bench(path, work, kimg)
            for row in bench.healthy(teachers, seeds):
                rows.append({**row, "broken": False})
                pd.DataFrame(rows).to_csv(out, index=False)
            rows += bench.broken(work / bench.data.name / "teacher0")
            pd.DataFrame(rows).to_csv(out, index=False)
    print(summary(pd.DataFrame(rows)).to_string())


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Runs of each kind: how many, which gates stopped them and when, and how near they came."""
    groups = table.groupby(["broken", "data", "recipe"], sort=False)
    return groups.agg(
        runs=("recipe", "size"),
        stopped=("stopped", lambda keys: " ".join(sorted(set(keys.dropna()) - {""}))),
        images=("images", "max"),
        least_spread=("spread", "min"),
        most_noise=("noise", "max"),
        farthest=("distance", "max"),
    )


if __name__ == "__main__":
    typer.run(main)
