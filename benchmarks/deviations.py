"""What the deviations of docs/deviations.md change in numbers, on a tiny random network.

Run: python benchmarks/deviations.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from sid.config import lay_over, recipe_path
from sid.data.zips import read_zip
from sid.distill.distillation import Distillation
from sid.distill.recipe import Recipe, load_recipe
from sid.distill.tiny import BATCH, UPDATES, Inputs, tiny_inputs, tiny_recipe
from sid.networks import load_network
from sid.runs.ema import ema_decay, ema_update
from sid.runs.world import World

CPU = torch.device("cpu")
RECIPE = "cifar10-uncond-sida-alpha1"
CHANGES: dict[str, dict[str, Any]] = {
    "again": {},
    "reference: paper": {"reference": "paper"},
    "logit_bound: null": {"method": {"logit_bound": None}},
    "fake_grad_clip: null": {"method": {"fake_grad_clip": None}},
    "micro_batch: 4 for 2": {"micro_batch": 4},
    "seed: 1": {},
}


class Run:
    """One tiny run: the numbers of its first update, and its average at the end."""

    def __init__(self, recipe: Recipe, inputs: Inputs, seed: int) -> None:
        teacher, _ = load_network(inputs.teacher, CPU)
        training = Distillation(recipe, teacher, None, read_zip(inputs.data), seed, CPU, World())
        self.first = training.step(0)
        for images in range(BATCH, BATCH * UPDATES, BATCH):
            self.last = training.step(images)
        self.weights = torch.cat([p.flatten() for p in training.average.parameters()])
        self.began = torch.cat([p.flatten() for p in teacher.parameters()])

    def relative(self, other: "Run", key: str) -> float:
        """Relative difference of a number of the first update."""
        return abs(other.first[key] / self.first[key] - 1)

    def apart(self, other: "Run") -> float:
        """Distance of the averages at the end, as a share of how far this run went."""
        return float((self.weights - other.weights).norm() / (self.weights - self.began).norm())


def recipes() -> None:
    """Print what other switches make of the first update and of the end."""
    # Without warm-ups and dropout: what differs is the switch.
    base = tiny_recipe(load_recipe(recipe_path(RECIPE))).model_dump()
    at_once = {"generator_from_kimg": 0, "adversarial_from_kimg": 0}
    base = lay_over(base, {"method": at_once, "dropout": 0.0})
    keys = ("fake_loss", "fake_gradient", "generator_loss", "generator_gradient")
    with TemporaryDirectory() as folder:
        inputs = tiny_inputs(Recipe(**base), 0, Path(folder))
        plain = Run(Recipe(**base), inputs, 0)
        print(f"first update: {', '.join(f'{key} {plain.first[key]:.4g}' for key in keys)}")
        print(f"{'change':24}" + "".join(f"{key:>20}" for key in keys) + f"{'weights':>12}")
        for name, change in CHANGES.items():
            run = Run(Recipe(**lay_over(base, change)), inputs, int(name == "seed: 1"))
            numbers = "".join(f"{plain.relative(run, key):20.2g}" for key in keys)
            print(f"{name:24}{numbers}{plain.apart(run):12.2g}")


def averages() -> None:
    """Print how far the two branches' arithmetic of the average is from ours."""
    torch.manual_seed(0)
    network, ours = torch.nn.Linear(256, 256), torch.nn.Linear(256, 256)
    other = [p.detach().clone() for p in ours.parameters()]
    for update in range(2000):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(1e-5 * torch.randn_like(parameter))
        decay = ema_decay(update * 256, 256, 500_000, 0.05)
        ema_update(ours, network, decay)
        # SiD's branch interpolates from the network to the average, SiDA's the other way, as here.
        other = [
            p.detach().lerp(a, decay) for p, a in zip(network.parameters(), other, strict=True)
        ]
    apart = max(
        float((a - b).detach().abs().max()) for a, b in zip(ours.parameters(), other, strict=True)
    )
    print(f"average after 2000 updates, SiD's order of operands: apart by at most {apart:.2g}")


def logits() -> None:
    """Print what the channel mean in fp16, as the authors take it, loses."""
    bottleneck = torch.randn(64, 256, 8, 8, generator=torch.Generator().manual_seed(0)).half()
    apart = (bottleneck.mean(1).float() - bottleneck.float().mean(1)).abs().max()
    print(f"channel mean of 256 standard normals in fp16: off by at most {float(apart):.2g}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    recipes()
    averages()
    logits()
