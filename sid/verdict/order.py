"""What rankings say together: a partial order, since most pairs are left open."""

from collections.abc import Iterable
from typing import Protocol

from sid.verdict.evidence import sign


class Ranked(Protocol):
    """What of a verdict, or of a row of verdicts, the order needs."""

    kind: str
    verdict: str
    subject: str
    against: str
    metric: str
    low: float
    high: float


def partial_order(verdicts: Iterable[Ranked]) -> list[tuple[str, str]]:
    """Who is better than whom, by rankings that decided, without what follows from the others.

    A ranking within a margin, such as *at most 1.1 times the teacher*, orders nobody unless its
    whole interval lies on one side of 1.

    Args:
        verdicts: of one call of `sid.verdict.claims.judge`, with Holm's correction.

    Returns:
        Pairs (better, worse), in the order of the verdicts.
    """
    pairs = []
    for verdict in verdicts:
        sure = verdict.kind == "ranking" and verdict.verdict in ("holds", "does not hold")
        if sure and (verdict.high < 1 or verdict.low > 1):
            below = (verdict.high < 1) == (sign(verdict.metric) > 0)
            better, worse = (verdict.subject, verdict.against)[:: 1 if below else -1]
            pairs.append((better, worse))
    return [pair for pair in dict.fromkeys(pairs) if not _follows(pair, pairs)]


def _follows(pair: tuple[str, str], pairs: list[tuple[str, str]]) -> bool:
    """Whether a chain of other pairs leads from the better to the worse one."""
    others = [each for each in pairs if each != pair]
    reached, seen = [worse for better, worse in others if better == pair[0]], set()
    while reached:
        name = reached.pop()
        if name == pair[1]:
            return True
        if name not in seen:
            seen.add(name)
            reached += [worse for better, worse in others if better == name]
    return False
