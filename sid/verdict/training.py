"""Claims about the way down: curves on the fixed noise."""

import math

import numpy as np

from sid.verdict.criteria import FALL, FIT_FROM, GAIN, R2, THRESHOLDS
from sid.verdict.distances import NAMES, Array, Curve, Distances
from sid.verdict.fits import PowerLaw, images_until, power_law
from sid.verdict.intervals import Interval, around, mean_interval
from sid.verdict.verdict import FAST, Outcome, Verdict, above, called, limits, scope_of

ONE_SEED = "one training run; the points of one curve are not independent"


def falls(distances: Distances, recipe: str) -> Verdict:
    """Claim: the distance falls by a large factor from the undistilled generator."""
    name, curves = NAMES[recipe], distances.curves(recipe)
    claim = Verdict.of(
        f"falls/{recipe}",
        f"{called(name, len(curves))} lowers the distance by at least {FALL:g} times",
        f"{FAST[recipe]}; the factor {FALL:g} is ours",
    )
    if not all(len(c.images) > 1 and c.images[0] == 0 for c in curves.values()) or not curves:
        return claim.not_run(f"curve of {name} from image 0")
    logs = [math.log(c.distances[0] / c.distances[-1]) for c in curves.values()]
    if len(logs) > 1:
        fall = mean_interval(logs).exp()
        basis = f"over {len(logs)} training seeds on one noise, whose own spread is not in it"
    else:
        # One curve has one draw; fresh draws of the same snapshot tell its noise, which scales
        # as one over the root of the image count.
        draws = next(iter(distances.fresh(recipe).values()), np.array([]))
        stderr = float(np.std(np.log(draws), ddof=1)) if len(draws) > 1 else math.nan
        scale = math.sqrt(distances.n_images("final") / distances.n_images("curve"))
        fall = around(logs[0], stderr * scale, len(draws) - 1, 0.95).exp()
        basis = f"from the spread of {len(draws)} draws (redraw noise only)"
    starts, ends = zip(*((c.distances[0], c.distances[-1]) for c in curves.values()), strict=True)
    reason = (
        f"from {np.mean(starts):.3g} to {np.mean(ends):.3g}, {fall.value:.3g} times, "
        f"{limits(fall)} {basis}"
    )
    return claim.found(
        above(fall, FALL), scope_of(len(logs)), "distance at image 0 / at the last", fall, reason
    )


def _mean_curve(curves: list[Curve]) -> Curve:
    """Geometric mean over seeds at the images that all of them have."""
    shared: Array = curves[0].images
    for curve in curves[1:]:
        shared = np.intersect1d(shared, curve.images)
    logs = [np.log(c.distances[np.isin(c.images, shared)]) for c in curves]
    return Curve(shared, np.exp(np.mean(logs, axis=0)))


def _straight(fit: PowerLaw, slope: Interval, curvature: Interval) -> Outcome:
    bent = fit.gain >= GAIN and (curvature.low > 0 or curvature.high < 0)
    if slope.high < 0 and fit.r2 >= R2 and not bent:
        return "holds"
    return "does not hold" if bent or slope.low >= 0 else "inconclusive"


def follows_power_law(distances: Distances, recipe: str) -> Verdict:
    """Claim: log distance falls along a straight line over log images."""
    name = NAMES[recipe]
    curves = [c.after(FIT_FROM) for c in distances.curves(recipe).values()]
    claim = Verdict.of(
        f"power-law/{recipe}",
        f"{called(name, len(curves), 'run')}'s distance falls as a power of the images seen",
        f"{FAST[recipe]}; run_sid_v1.sh (log-log linear), which is of SiD",
    )
    if not curves or len(_mean_curve(curves).images) < 4:
        return claim.not_run(f"4 snapshots of {name} after {FIT_FROM / 1000:g} kimg")
    fit = power_law(*_mean_curve(curves))
    fits = [power_law(*curve) for curve in curves]
    slope = mean_interval([each.slope for each in fits])
    curvature = mean_interval([each.curvature for each in fits])
    basis = f"over {len(fits)} training seeds" if len(fits) > 1 else f"({ONE_SEED})"
    reason = (
        f"slope {slope.value:.3g}, {limits(slope)} {basis}; R2 {fit.r2:.3f} over {fit.points} "
        f"snapshots; a quadratic term of {curvature.value:.2g}, {limits(curvature)}, adds "
        f"{fit.gain:.3f}"
    )
    outcome = _straight(fit, slope, curvature)
    if outcome == "holds":
        reason += "; that no bend was found does not show that there is none"
    return claim.found(outcome, scope_of(len(curves), "this run"), "log-log slope", slope, reason)


def fewer_images(distances: Distances) -> Verdict:
    """Claim: SiDA reaches the same distances after fewer images than SiD."""
    sid, sida = distances.curves("sid"), distances.curves("sida")
    teacher = distances.teacher("curve")
    seeds = sorted(set(sid) & set(sida))
    fewer, more = (called(name, len(seeds), "run") for name in ("SiDA", "SiD"))
    claim = Verdict.of(
        "fewer-images",
        f"{fewer} needs fewer images than {more} to the same distance",
        f"{FAST['sida']}; judged here as faster at all, not as ten times",
    )
    if not seeds or len(teacher) == 0:
        return claim.not_run("curves of SiD and SiDA of one seed and the teacher at their n")
    levels = [multiple * float(np.exp(np.log(teacher).mean())) for multiple in THRESHOLDS]
    logs, reached = [], 0
    for seed in seeds:
        a, b = (
            np.array([images_until(*run[seed].after(1), level) for level in levels])
            for run in (sid, sida)
        )
        ratios = np.log(a / b)
        reached += int(np.isfinite(ratios).sum())
        if np.isfinite(ratios).any():
            logs.append(ratios[np.isfinite(ratios)])
    if not logs:
        return claim.not_run("distance that both SiD and SiDA come down to")
    ratio = mean_interval([float(r.mean()) for r in logs]).exp()
    low, high = np.exp(logs[0].min()), np.exp(logs[0].max())
    one = f"({low:.3g} to {high:.3g} from threshold to threshold; {ONE_SEED})"
    basis = f"over {len(logs)} training seeds" if len(logs) > 1 else one
    reason = (
        f"SiD takes {ratio.value:.3g} times the images of SiDA, {limits(ratio)} {basis}; "
        f"{reached} of {len(levels) * len(seeds)} thresholds reached by both, "
        "the others left out"
    )
    scope = scope_of(len(logs), "this run")
    return claim.found(above(ratio, 1), scope, "images of SiD / images of SiDA", ratio, reason)
