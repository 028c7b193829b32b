"""EDM's augmentation of training images (Karras et al. 2022, arXiv 2206.00364, appendix F.2).

An image is flipped, scaled, turned, stretched and moved, each with its own probability, and the
network is told by nine numbers. Asked for zeros it draws images as they were: nothing leaks.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, conv2d, conv_transpose2d, grid_sample, pad

from sid.streams import Stream

LABELS = 9  # Width of what the network is told.
SCALE = 0.2  # Standard deviations: of log2 of scaling and stretching,
SHIFT = 0.125  # and of translation as a share of the image.
# Daubechies' least asymmetric filter with six vanishing moments ("sym6"), centred at entry 5.
SYM6 = (
    *(0.015404109327044824, 0.0034907120842221626, -0.11799011114852002, -0.04831174258569806),
    *(0.49105594192797375, 0.787641141028651, 0.3379294217281658, -0.07263752278637658),
    *(-0.02106029251237085, 0.04472490177078139, 0.0017677118642540077, -0.00780070832503238),
)


class Parameters(NamedTuple):
    """What is done to each image; every field is [B], 0 or False where that is left out.

    Attributes:
        xflip: whether left and right change places.
        yflip: whether top and bottom do.
        scale: log2 of the magnification, in units of 0.2.
        turn: angle of rotation, radians.
        stretch: log2 of the magnification along `axis` (and of its inverse across), units of 0.2.
        axis: angle of the stretched direction, radians.
        right: translation in units of 1/8 of the width.
        down: translation in units of 1/8 of the height.
    """

    xflip: Tensor
    yflip: Tensor
    scale: Tensor
    turn: Tensor
    stretch: Tensor
    axis: Tensor
    right: Tensor
    down: Tensor

    def labels(self) -> Tensor:
        """What the network is told, [B, 9], float64; zeros where nothing is done."""
        turned = [self.turn.cos() - 1, self.turn.sin()]
        stretched = [self.stretch * self.axis.cos(), self.stretch * self.axis.sin()]
        flips = [self.xflip, self.yflip]
        rows = [*flips, self.scale, *turned, *stretched, self.right, self.down]
        return torch.stack([row.double() for row in rows], dim=1)

    def resampled(self) -> Tensor:
        """Where there is more than flips, [B], bool."""
        return torch.stack([self.scale, self.turn, self.stretch, self.right, self.down]).any(dim=0)

    def at(self, rows: Tensor) -> "Parameters":
        """The parameters of some images."""
        return Parameters(*(value[rows] for value in self))


def draw_parameters(seed: int, name: str, start: int, stop: int, p: float) -> Parameters:
    """Draw what is done to places `start` to `stop` of the training order.

    Args:
        seed: of the run.
        name: what is augmented; draws of different names are independent.
        start: first place, in images.
        stop: one past the last place.
        p: probability of scaling, of rotation, of stretching and of translation, and twice that of
            a vertical flip. Unless p is 0, half of the images are mirrored, as EDM does.

    Returns:
        Parameters of stop - start images, float64 and bool, on the CPU.
    """

    def uniform(what: str) -> Tensor:
        return Stream(seed, f"{name} {what}").uniform(start, stop)

    def normal(what: str) -> Tensor:
        return Stream(seed, f"{name} {what}").normal(start, stop).double()

    def angle(what: str) -> Tensor:
        return (2 * uniform(what) - 1) * math.pi

    def sometimes(what: str, value: Tensor, chance: float = p) -> Tensor:
        return value * (uniform(f"{what} chance") < chance)

    return Parameters(
        xflip=uniform("xflip") < (0.5 if p else 0),
        yflip=uniform("yflip") < p / 2,
        scale=sometimes("scale", normal("scale")),
        turn=sometimes("turn", angle("turn")),
        stretch=sometimes("stretch", normal("stretch")),
        axis=sometimes("axis", angle("axis"), 0.5),
        right=sometimes("shift", normal("right")),
        down=sometimes("shift", normal("down")),
    )


def augment(images: Tensor, parameters: Parameters) -> tuple[Tensor, Tensor]:
    """Apply `parameters`; a function of each image and its parameters alone.

    Args:
        images: [B, C, H, W], any device.
        parameters: of B images.

    Returns:
        Images [B, C, H, W] and labels [B, 9], on the device and of the type of the images.
    """
    labels = parameters.labels().to(images)
    for flip, axis in ((parameters.xflip, 3), (parameters.yflip, 2)):
        chosen = flip.to(images.device)[:, None, None, None]
        images = torch.where(chosen, images.flip(axis), images)
    rows = parameters.resampled().nonzero()[:, 0]
    if len(rows):  # The others stay exact, and cost nothing.
        on_device = rows.to(images.device)
        warped = _resample(images[on_device], parameters.at(rows))
        images = images.index_copy(0, on_device, warped)
    return images, labels


def source(parameters: Parameters, width: int, height: int) -> tuple[Tensor, Tensor]:
    """The linear map L [B, 2, 2] and the shift t [B, 2]: output x shows the input at L (x - t).

    Positions are (right, down) in pixels from the centre of the image.
    """
    axes, back = _rotation(parameters.axis), _rotation(-parameters.axis)
    scale, stretch = (
        torch.exp2(-SCALE * value) for value in (parameters.scale, parameters.stretch)
    )
    along = torch.diag_embed(torch.stack([stretch, 1 / stretch], dim=1))
    linear = scale[:, None, None] * _rotation(parameters.turn) @ back @ along @ axes
    shift = torch.stack([parameters.right * width, parameters.down * height], dim=1) * SHIFT
    return linear, shift


def _rotation(angle: Tensor) -> Tensor:
    cos, sin = angle.double().cos(), angle.double().sin()
    return torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)


def _resample(images: Tensor, parameters: Parameters) -> Tensor:
    """Reflect, double the resolution, look up bilinearly, halve; [B, C, H, W] -> the same."""
    n, channels, height, width = images.shape
    # As far as a reflection goes, whatever the parameters: so no image depends on its neighbours.
    reflected = pad(images, (width - 1, width - 1, height - 1, height - 1), mode="reflect")
    fine = _double(reflected)

    # Of s samples at double resolution, the one at u in [-1, 1] is u s / 4 + 1 / 4 pixels from the
    # centre. The filter needs five more samples on either side.
    wanted = torch.tensor([2 * width + 10, 2 * height + 10], dtype=torch.float64)
    given = torch.tensor([fine.shape[3], fine.shape[2]], dtype=torch.float64)[:, None]
    linear, shift = source(parameters, width, height)
    offset = (linear @ (0.25 - shift)[:, :, None] - 0.25) * 4 / given
    theta = torch.cat([linear * wanted / given, offset], dim=2).to(images)
    shape = [n, channels, 2 * height + 10, 2 * width + 10]
    return _halve(grid_sample(fine, affine_grid(theta, shape, False), align_corners=False))


def _double(x: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, 2 H, 2 W], the transpose of `_halve`: sample k is at pixel k / 2."""
    taps = x.new_tensor(SYM6)
    y = x.flatten(0, 1)[:, None]
    y = conv_transpose2d(y, taps.view(1, 1, 1, -1), stride=(1, 2), padding=(0, 5))
    y = conv_transpose2d(y, taps.view(1, 1, -1, 1), stride=(2, 1), padding=(5, 0))
    return y.view(*x.shape[:2], *y.shape[2:])


def _halve(x: Tensor) -> Tensor:
    """[B, C, 2 H + 10, 2 W + 10] -> [B, C, H, W]."""
    taps = x.new_tensor(SYM6)
    y = x.flatten(0, 1)[:, None]
    y = conv2d(y, taps.view(1, 1, 1, -1), stride=(1, 2))
    y = conv2d(y, taps.view(1, 1, -1, 1), stride=(2, 1))
    return y.view(*x.shape[:2], *y.shape[2:])
