"""SiD's and SiDA's updates as their authors' loops do them, with the authors' networks and losses.

The classes come from checkouts on the user's disk; no line of theirs is here.
"""

import copy
import importlib
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sid.data.images import to_unit
from sid.distill.recipe import Recipe
from sid.distill.sid import SiD
from sid.errors import UserError
from sid.networks import EDMPrecond
from sid.runs.ema import ema_decay

# Both checkouts have a package of this name; their other packages are the same.
SHARED = "training"
AUGMENT = {"xflip": 1e8, "yflip": 1, "scale": 1, "rotate_frac": 1, "aniso": 1, "translate_frac": 1}


def load(checkout: Path, name: str) -> Any:
    """A class of a checkout, named `package.module:class`.

    Raises:
        UserError: it is not there.
    """
    for known in [key for key in sys.modules if key.split(".")[0] == SHARED]:
        del sys.modules[known]
    module, _, wanted = name.partition(":")
    sys.path.insert(0, str(checkout))
    try:
        return getattr(importlib.import_module(module), wanted)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{checkout}: has no {name} ({error})") from error
    finally:
        sys.path.remove(str(checkout))


class Official:
    """The authors' networks, losses and optimisers, stepped by a plain loop on one device.

    Args:
        recipe: what to do; its method is sid or sida.
        teacher: ours, whose architecture and weights theirs get.
        images: real images, uint8 [N, C, H, W].
        device: where.
        sid: checkout of mingyuanzhou/SiD, of its branch sida for SiDA.
        edm: checkout of NVlabs/edm for networks and augmentation, None for SiD's copy of them.

    Raises:
        UserError: a checkout has not what is needed.
    """

    def __init__(
        self,
        recipe: Recipe,
        teacher: EDMPrecond,
        images: Tensor,
        device: torch.device,
        sid: Path,
        edm: Path | None,
    ) -> None:
        self.recipe, self.images, self.device = recipe, images.to(device), device
        self.adversarial = recipe.method.name == "sida"
        values = {**teacher.architecture.model_dump(), "dropout": recipe.dropout}
        network, loss = "training.networks:EDMPrecond", "training.sid_loss:SID_EDMLoss"
        if self.adversarial:
            network = "sida_training.sida_networks:EDMPrecond_EncoderDecoder"
            loss = "sida_training.sida_loss:SIDA_EDMLoss"
            values["model_type"] += "_EncoderDecoder"
        self.loss = load(sid, loss)()
        pipe = load(edm or sid, "training.augment:AugmentPipe")
        self.pipe = pipe(p=recipe.augment, **AUGMENT) if recipe.augment else None
        self.teacher = load(sid if self.adversarial or not edm else edm, network)(**values)
        self.teacher.load_state_dict(teacher.state_dict())
        self.teacher = self.teacher.to(device).eval().requires_grad_(False)
        self.fake, self.generator, self.average = (copy.deepcopy(self.teacher) for _ in range(3))
        self.fake_adam, self.generator_adam = (
            torch.optim.Adam(network.parameters(), lr=lr, betas=betas, eps=recipe.eps)
            for network, lr, betas in (
                (self.fake, recipe.lr_of_fake, recipe.betas_fake),
                (self.generator, recipe.lr_generator, recipe.betas_generator),
            )
        )

    def step(self, images: int) -> None:
        """One update of the fake score, one of the generator, and the average."""
        torch.backends.cudnn.benchmark = True  # As the authors do.
        self._update(self.fake, self.fake_adam, self._fake_loss, clip=self.adversarial)
        self._update(self.generator, self.generator_adam, self._generator_loss)
        recipe = self.recipe
        assert recipe.ema_kimg is not None
        decay = ema_decay(images, recipe.batch, recipe.ema_kimg * 1000, recipe.ema_rampup)
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
            for averaged, parameter in pairs:
                averaged.lerp_(parameter, 1 - decay)
        torch.backends.cudnn.benchmark = False

    def _update(self, network: Any, adam: Any, compute: Any, clip: bool = False) -> None:
        network.train().requires_grad_(True)
        adam.zero_grad(set_to_none=True)
        for _ in range(self.recipe.batch // self.recipe.micro):
            total = compute() / self.recipe.batch
            total.backward()
        total.item()  # They report the last one.
        network.eval().requires_grad_(False)
        for parameter in network.parameters():
            if parameter.grad is not None:
                torch.nan_to_num(parameter.grad, 0, 1e5, -1e5, out=parameter.grad)
        if clip:
            torch.nn.utils.clip_grad_value_(network.parameters(), 1)
        adam.step()

    def _images(self) -> tuple[Tensor, Tensor]:
        """Real and generated images, [micro, C, H, W]."""
        chosen = torch.randint(len(self.images), (self.recipe.micro,), device=self.device)
        real, sigma = to_unit(self.images[chosen]), self.recipe.sigma_init
        column = torch.full((len(real), 1, 1, 1), sigma, device=self.device)
        told = torch.zeros(len(real), 9, device=self.device)
        latents = sigma * torch.randn_like(real)
        return real, self.generator(latents, column, None, augment_labels=told)

    def _fake_loss(self) -> Tensor:
        real, made = self._images()
        if not self.adversarial:
            return self._sum(self.loss(self.fake, made, None, self.pipe))
        losses = self.loss.fakescore_discriminator_share_encoder_loss(
            self.fake, made, None, self.pipe, real
        )
        return self._sum(*losses)

    def _generator_loss(self) -> Tensor:
        _, made = self._images()
        assert isinstance(self.recipe.method, SiD)
        arguments = (self.teacher, self.fake, made, None, None, self.recipe.method.alpha)
        if not self.adversarial:
            return 100 * self._sum(self.loss.generator_loss(*arguments))
        distil, fool = self.loss.generator_share_encoder_loss(*arguments)
        return 50 * self._sum(distil) + 0.005 * made[0].numel() * self._sum(fool)

    @staticmethod
    def _sum(*losses: Tensor) -> Tensor:
        return torch.stack([loss.sum() for loss in losses]).sum()
