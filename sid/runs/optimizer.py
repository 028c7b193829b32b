"""How one network descends: the optimiser's kind, its rate and its bounds."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import torch
from torch import nn

Kind = Literal["adam", "adamw", "radam"]


class Optimizer(NamedTuple):
    """The optimiser of one network, or of several that move together.

    Attributes:
        lr: learning rate.
        betas: decays of the first and second moments.
        eps: added to the root of the second moment.
        kind: Adam, AdamW (decoupled weight decay) or RAdam.
        weight_decay: share of the weights, times the rate, that an update of AdamW takes away; for
            the others it is added to the gradient, as torch does.
        clip_value: bound on each entry of the gradient, None for no bound.
        clip_norm: bound on the norm of the whole gradient, None for no bound.
        warmup: images over which the rate rises from 0, 0 for none.
    """

    lr: float
    betas: tuple[float, float] = (0.0, 0.999)
    eps: float = 1e-8
    kind: Kind = "adam"
    weight_decay: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None
    warmup: float = 0.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of these parameters, which require gradients while it is made."""
        given = list(parameters)
        rates = {"lr": self.lr, "betas": self.betas, "eps": self.eps}
        if self.kind == "adam" and not self.weight_decay:
            return torch.optim.Adam(given, **rates, fused=True)  # type: ignore[arg-type]
        rates["weight_decay"] = self.weight_decay
        if self.kind == "radam":
            return torch.optim.RAdam(given, **rates)  # type: ignore[arg-type]
        made = torch.optim.AdamW if self.kind == "adamw" else torch.optim.Adam
        return made(given, **rates, fused=True)  # type: ignore[arg-type]
