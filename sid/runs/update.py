"""One update: micro-batches, gradients over processes, what is not finite, bounds, a step."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sid.runs.world import World

LARGEST = torch.finfo(torch.float32).max
BOUND = 1e5  # What an infinite entry of a gradient becomes, as in the authors' code.


class Loss(NamedTuple):
    """A loss per image and numbers worth logging, scalars by name.

    `per_image` is [B'], B' <= B: images of which something is not finite are left out.
    """

    per_image: Tensor
    numbers: dict[str, Tensor]


class Update(NamedTuple):
    """What an update was.

    Attributes:
        numbers: means over the batch, to be logged.
        dropped: images left out because something of them was not finite.
        sanitised: 1 where the gradient held entries that were not finite, else 0.
    """

    numbers: dict[str, float]
    dropped: int
    sanitised: int


def update(
    optimizer: torch.optim.Optimizer,
    losses: Iterable[tuple[int, Callable[[], Loss]]],
    batch: int,
    world: World,
    *,
    name: str,
    lr: float,
    clip: float | None = None,
    clip_norm: float | None = None,
) -> Update:
    """Accumulate the gradient of the mean loss, sum it over the processes and descend.

    Args:
        optimizer: of the network.
        losses: for each micro-batch of this process, its size and what computes its loss.
        batch: images of the update over all processes.
        world: the processes.
        name: of the network, in the names of the numbers.
        lr: learning rate of this update.
        clip: bound on each entry of the gradient, or None.
        clip_norm: bound on the norm of the whole gradient, or None.
    """
    optimizer.zero_grad(set_to_none=True)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    totals: dict[str, Tensor] = {}
    for size, compute in losses:
        loss = compute()
        # Dropped images count as zero: the others keep their weight.
        total = loss.per_image.sum() / batch
        total.backward()  # type: ignore[no-untyped-call]
        dropped = torch.tensor(float(size - len(loss.per_image)), device=total.device)
        parts = {f"{name}_loss": total.detach(), "dropped": dropped}
        parts |= {key: value.detach() * size / batch for key, value in loss.numbers.items()}
        for key, value in parts.items():
            totals[key] = totals.get(key, 0) + value.float()
    gradients = [p.grad for p in parameters if p.grad is not None]
    numbers = torch.stack(list(totals.values()))
    world.sum([*gradients, numbers])
    norm = nn.utils.get_total_norm(gradients)
    # The norm of finite entries may overflow: only then are they looked at.
    sanitised = not bool(torch.isfinite(norm)) and not all(
        bool(torch.isfinite(gradient).all()) for gradient in gradients
    )
    if sanitised:
        for gradient in gradients:
            torch.nan_to_num(gradient, nan=0.0, posinf=BOUND, neginf=-BOUND, out=gradient)
        norm = nn.utils.get_total_norm(gradients)
    if clip is not None:
        nn.utils.clip_grad_value_(parameters, clip)
    if clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
    found = dict(zip(totals, numbers.tolist(), strict=True))
    dropped_images = round(found.pop("dropped"))
    found[f"{name}_gradient"] = min(norm.item(), LARGEST)
    return Update(found, dropped_images, int(sanitised))
