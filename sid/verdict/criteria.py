"""The criteria: when each claim holds, by which constants, and since which commit.

A criterion counts for little if it was made to fit the outcome, so each stands with the commit at
which its text, its constants or its rule last changed, and with what of it changed after an outcome
had been committed. The history cannot show which trial runs had been seen before.
"""

from typing import NamedTuple

LEVEL = 0.95
TEST_LEVEL = 0.90  # Its limits are those of one-sided tests at 5 %.
FALL = 50.0
FIT_FROM = 3000  # Images; before them a run is still leaving the teacher's one-step output.
R2 = 0.9
GAIN = 0.02
THRESHOLDS = (10, 8, 6, 5, 4, 3, 2.5, 2)  # Multiples of the teacher's distance.
FACTOR = 3.0
MARGIN = 0.10


class Criterion(NamedTuple):
    """When a claim holds.

    Attributes:
        text: in words.
        constants: on which it depends.
        fixed: commit at which text, constants or rule last changed. A change cannot name its own
            commit: the next one does.
        changed: what changed after an outcome of it had been committed, and what that did.
    """

    text: str
    constants: tuple[float, ...]
    fixed: str
    changed: str = ""


CRITERIA = {
    "falls": Criterion(
        text=f"95 % interval of image 0's distance over the last snapshot's above {FALL:g}: "
        "fixed noise",
        constants=(LEVEL, FALL),
        fixed="dbb1d3d",
    ),
    "power-law": Criterion(
        text=f"least squares on log-log after {FIT_FROM / 1000:g} kimg: 95 % interval of the slope "
        f"below 0, R2 at least {R2}, and not bent (a quadratic term whose 95 % interval excludes 0 "
        f"and that adds {GAIN} to R2), over training seeds",
        constants=(LEVEL, FIT_FROM, R2, GAIN),
        fixed="dea8164",
        changed="the first outcome of one seed (155138b) was judged by the scatter of one curve "
        "about its line: SiD held and SiDA did not; by this rule both are inconclusive. The "
        "records of three seeds, committed later (5435227), are of earlier commits",
    ),
    "fewer-images": Criterion(
        text="95 % interval of images of SiD over images of SiDA above 1: fixed noise, thresholds "
        "from 10 to 2 times the teacher that both reach",
        constants=(LEVEL, *THRESHOLDS),
        fixed="dea8164",
        changed="the first outcome of one seed (155138b) had an interval over thresholds (0.847 to "
        "1.08), now it has none: inconclusive both times. The records of three seeds, committed "
        "later (5435227), are of earlier commits",
    ),
    "near-teacher": Criterion(
        text=f"95 % interval of the ratio below {FACTOR:g}: equal n, fresh draws, last snapshot",
        constants=(LEVEL, FACTOR),
        fixed="dbb1d3d",
        changed="since the first outcomes (155138b, 5435227), which have one draw of the teacher, "
        "it is drawn as often as the generators",
    ),
    "meets-teacher": Criterion(
        text=f"90 % interval of the ratio below {1 + MARGIN:.2f} (one-sided test at 5 %); "
        f"equivalent if also above 1/{1 + MARGIN:.2f} (two such tests), better if all below that",
        constants=(TEST_LEVEL, MARGIN),
        fixed="75d6b78",
        changed="after the first outcome (155138b: none met the teacher) the statement was "
        "narrowed to this budget; since then, and since that of three seeds (5435227), the teacher "
        "is drawn as often as the generators",
    ),
    "sid2a-improves-on-start": Criterion(
        text="95 % interval of the ratio, SiD2A over SiD's last snapshot, below 1: fresh draws, "
        "last snapshot",
        constants=(LEVEL,),
        fixed="dbb1d3d",
    ),
    "sid2a-improves-on-continued": Criterion(
        text="95 % interval of the ratio, SiD2A over SiD continued, below 1: fresh draws, last "
        "snapshots",
        constants=(LEVEL,),
        fixed="dbb1d3d",
    ),
}
