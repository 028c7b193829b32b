"""Curves of runs on the way, and what published points tell of where they should be."""

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from benchmarks.report import cifar10
from sid.report.benchmark import benchmarks
from sid.report.bracket import bracket
from sid.report.curves import plot_curves
from sid.report.lines import lines
from sid.report.papers import paper_table
from sid.verdict.published import load_published
from tests.report.published import RECIPES, claims_in
from tests.verdict.synthetic import make_records


@pytest.fixture(scope="module")
def claims(tmp_path_factory):
    return claims_in(tmp_path_factory.mktemp("published"))


@pytest.mark.parametrize(
    ("recipe", "kimg", "said"),
    [
        ("u-sid-1.2", 50_000, "not below 1.923 at 403,968 kimg, its lowest"),
        ("u-sid-1.2", 403_968, "1.923 at 403,968 kimg"),
        ("u-sid-1.2", 500_000, "1.923 at 403,968 kimg"),
        ("u-sid2a-1", 10_000, "1.923 at its start, 1.499 at 28,160 kimg"),
        ("u-sid2a-1.2", 10_000, "1.923 at its start, 1.30 (unverified) at 22,528 kimg"),
        ("c-sid-1.2", 10_000, "not below 1.710 at 713,312 kimg, its lowest"),
        ("sid", 10, ""),  # The digits: nothing is published.
        ("mine", 10, ""),
    ],
)
def test_only_published_points_are_named(claims, recipe, kimg, said):
    assert bracket(claims, recipe, kimg).text == said


def test_nothing_is_between_points_but_the_points(claims):
    found = bracket(claims, "u-sid2a-1", 10_000)
    assert (found.low, found.high, found.kimg) == (1.499, 1.923, 28160)
    assert bracket(claims, "u-sid-1.2", 10_000).high is None


def cut(records, recipe, seed, images):
    """Records of which one run has come to so many images only."""
    late = (records["recipe"] == recipe) & (records["run_seed"] == seed)
    return records[~(late & (records["images"] > images))]


def test_a_seed_that_is_ahead_goes_on_alone(claims):
    records = make_records(seeds=(0, 1), noise=0)
    stops = sorted(set(records.loc[records["recipe"] == "sid", "images"]))
    (one,) = benchmarks(cut(records, "sid", 1, stops[3]), claims)
    line = lines(one, claims)["sid"]
    assert (line.seeds, list(line.kimg)) == (2, [images / 1000 for images in stops[:4]])
    ((x, _),) = line.tails
    assert list(x) == [images / 1000 for images in stops[3:]]
    assert line.end[0] == stops[-1] / 1000
    (whole,) = benchmarks(records, claims)
    assert lines(whole, claims)["sid"].tails == ()


def test_a_seed_that_only_began_does_not_hide_the_others(claims):
    records = make_records(seeds=(0, 1), noise=0)
    (one,) = benchmarks(cut(records, "sid", 1, 0), claims)
    line = lines(one, claims)["sid"]
    assert (line.seeds, line.tails) == (1, ())
    (none,) = benchmarks(cut(cut(records, "sid", 1, 0), "sid", 0, 0), claims)
    assert "sid" not in lines(none, claims)


def test_the_figure_leads_from_an_unfinished_curve_to_the_published_star(claims):
    records = cifar10(RECIPES, "edm", seeds=1, snapshots=8, draws=3)
    records = records[records["role"] != "final"]
    at = 100_000_000
    for recipe in ("u-sid-1.2", "u-sid2a-1"):
        records = cut(records, recipe, 0, at if recipe == "u-sid-1.2" else 10_000_000)
    (one,) = benchmarks(records, claims)
    published = load_published(claims.path.parent / "results.csv")
    none = pd.DataFrame(columns=["kind"])
    figure = plot_curves(one, claims, paper_table(one, claims, none, published))
    FigureCanvasAgg(figure).draw()
    drawn = {
        line.get_ydata()[0]: list(line.get_xdata())
        for line in figure.axes[1].lines
        if line.get_label() == "_bracket"
    }
    assert set(drawn) == {1.923, 1.499}
    first, last = drawn[1.923]
    assert (first <= at / 1000, last) == (True, 403_968)
