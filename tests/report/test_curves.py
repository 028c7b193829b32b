import itertools

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from benchmarks.report import cifar10
from sid.report.ablation import plot_ablation
from sid.report.axes import steps
from sid.report.benchmark import benchmarks
from sid.report.bracket import marks
from sid.report.cost_figure import Price, hours, plot_cost
from sid.report.curves import plot_curves
from sid.report.labels import figures, number, spread_apart
from sid.report.lines import lines
from sid.report.papers import paper_table
from sid.report.style import looks, write_figure
from sid.verdict.claim import load_claims
from sid.verdict.published import load_published
from tests.report.published import DIGITS, NAMES, RECIPES, claims_in
from tests.verdict.synthetic import BIAS, BRANCH, LAWS, STOPS, TEACHER, make_records

NO_VERDICTS = pd.DataFrame(columns=["kind"])


@pytest.fixture(scope="module")
def claims(tmp_path_factory):
    return claims_in(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def cifar():
    return cifar10(RECIPES, "edm", snapshots=8, draws=3, external=("u-sid-1.2",))


def drawn(plot, records, claims):
    """The figure of a table's only benchmark, after the layout."""
    (one,) = benchmarks(records, claims)
    published = load_published(claims.path.parent / "results.csv")
    figure = plot(one, claims, paper_table(one, claims, NO_VERDICTS, published))
    if figure is not None:
        FigureCanvasAgg(figure).draw()
    return figure


def texts(figure):
    return [text for axes in figure.axes for text in axes.texts] + list(figure.texts)


def named(figure):
    return {text.get_text(): text for text in texts(figure)}


def stars(axes):
    """Published marks: place and whether they are filled."""
    found = {}
    for line in axes.lines:
        if line.get_label() == "_published":
            place = (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
            found[place] = line.get_markerfacecolor() != "white"
    return found


def test_axes_are_logarithmic_and_every_method_has_its_line(claims):
    left, main = drawn(plot_curves, make_records(), claims).axes
    assert (main.get_xscale(), main.get_yscale(), left.get_yscale()) == ("log", "log", "log")
    shown = {line.get_label(): line for line in main.lines if line.get_label() in NAMES}
    assert set(shown) == set(NAMES)
    assert list(shown["sida"].get_xdata()) == pytest.approx([stop / 1000 for stop in STOPS])
    assert main.child_axes[0].get_xlabel() == "iterations (batch 128)"


def test_teacher_and_real_images_are_horizontal_lines_at_the_curves_n(claims):
    main = drawn(plot_curves, make_records(noise=0), claims).axes[1]
    levels = {line.get_ydata()[0] for line in main.lines if list(line.get_xdata()) == [0, 1]}
    perfect = BIAS * (1 / 5000 + 1 / 1797)
    assert levels >= {*TEACHER.values(), 0.9}
    assert pytest.approx(perfect) in list(levels)
    assert 4.1 not in levels  # The teacher at the fresh draws' n has no place here.


def test_what_starts_from_another_counts_its_own_images_and_says_so(claims):
    records = make_records(noise=0)
    (one,) = benchmarks(records, claims)
    line = lines(one, claims)["sid2a"]
    assert list(line.kimg) == pytest.approx([images / 1000 for images in [0, *BRANCH]])
    assert line.middle[-1] == pytest.approx(LAWS["sid2a"](18000))
    said = " ".join(named(drawn(plot_curves, records, claims)))
    assert "counted from another generator's: SiD2A; SiD continued" in said


def test_a_band_shows_the_seeds(claims):
    (one,) = benchmarks(make_records(seeds=(0, 1, 2)), claims)
    line = lines(one, claims)["sid"]
    assert (line.low < line.middle).all()
    assert (line.middle < line.high).all()
    bands = [
        len(drawn(plot_curves, make_records(seeds=seeds), claims).axes[1].collections)
        for seeds in ((0,), (0, 1, 2))
    ]
    assert bands[1] > bands[0]


def test_published_checkpoints_are_marks_at_their_kimg_hollow_where_unverified(claims, cifar):
    main = drawn(plot_curves, cifar, claims).axes[1]
    assert stars(main) == {
        (400000.0, 2.03): True,
        (403968.0, 1.923): True,
        (217920.0, 1.516): True,
        (28160.0, 1.499): True,
        (22528.0, 1.30): False,
    }
    assert marks(claims, ["c-sid-1.2"])["c-sid-1.2"].number.text == "1.710"


def test_teachers_levels_and_a_few_rivals_are_named_with_their_values(claims, cifar):
    figure = drawn(plot_curves, cifar, claims)
    names = set(named(figure))
    assert "EDM, published  1.97" in names
    assert any(name.startswith("EDM, 35 evaluations  ") for name in names)
    few = cifar[(cifar["role"] == "teacher") & (cifar["draw"] == 0)].assign(nfe=5)
    subjects = {
        name: about.model_copy(update={"title": "EDM, 35 evaluations"}) if about.nfe > 1 else about
        for name, about in claims.subjects.items()
    }
    titled = claims._replace(subjects=subjects)
    ladder = named(drawn(plot_curves, pd.concat([cifar, few]), titled))
    for nfe in (5, 35):  # The title names those of the published number.
        assert sum(name.startswith(f"EDM, {nfe} evaluations  ") for name in ladder) == 1
    assert "iCT, published  2.83" in names  # The best of its family in one evaluation.
    assert not any("Fast & Rare" in name or "DDPM" in name for name in names)  # Unverified; slow.
    assert figure.axes[0].get_ylabel() == "FID"


def test_five_near_named_recipes_are_told_apart(claims, cifar):
    look = looks(claims.subjects, RECIPES)
    assert len({(one.colour, str(one.dash)) for one in look.values()}) == len(RECIPES)
    assert len({(one.colour, one.marker) for one in look.values()}) == len(RECIPES)
    assert look["u-sid-1"].colour == look["u-sid-1.2"].colour != look["u-sida-1"].colour
    names = set(named(drawn(plot_curves, cifar, claims)))
    assert {claims.subjects[recipe].title for recipe in RECIPES} <= names


@pytest.mark.parametrize("plot", [plot_curves, plot_ablation])
def test_names_are_inside_the_figure_and_apart(claims, cifar, plot):
    inside_and_apart(drawn(plot, cifar, claims))


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_names_of_the_digits_are_inside_the_figure_and_apart(claims, seeds):
    inside_and_apart(drawn(plot_curves, make_records(seeds=seeds), claims))


def test_long_names_are_not_cut(claims):
    long = "a generator whose maker gave it a name of some sixty characters"
    table = make_records().replace({"recipe": {"diff-instruct": long}})
    figure = drawn(plot_curves, table, claims)
    assert long in named(figure)
    inside_and_apart(figure)


def inside_and_apart(figure):
    boxes = {text.get_text(): text.get_window_extent() for text in texts(figure)}
    for name, box in boxes.items():
        assert figure.bbox.x0 <= box.x0, name
        assert box.x1 <= figure.bbox.x1, name
        assert figure.bbox.y0 <= box.y0, name
        assert box.y1 <= figure.bbox.y1, name
    edge = figure.axes[-1].get_window_extent().x1
    margin = sorted((b for b in boxes.values() if b.x0 > edge), key=lambda box: box.y0)
    assert margin
    for lower, upper in itertools.pairwise(margin):
        assert lower.y1 <= upper.y0 + 1
    labels = [
        label.get_window_extent()
        for axes in figure.axes
        for label in (axes.xaxis.label, axes.yaxis.label)
        if label.get_text()
    ]
    assert all(box.x0 >= figure.bbox.x0 and box.y0 >= figure.bbox.y0 for box in labels)
    # What is said below does not run into the axis.
    below = max(text.get_window_extent().y1 for text in figure.texts)
    assert below <= figure.axes[-1].xaxis.label.get_window_extent().y0


def test_missing_methods_are_left_out(claims):
    table = make_records()
    figure = drawn(plot_curves, table[table["recipe"].isin(["sid2a", "teacher"])], claims)
    assert set(named(figure)) & set(NAMES.values()) == {"SiD2A"}


def test_records_without_curves_have_no_figure_of_curves(claims, cifar):
    assert drawn(plot_curves, cifar[cifar["role"] == "external"], claims) is None


def test_both_files_are_written_and_repeat(tmp_path, claims):
    paths = write_figure(drawn(plot_curves, make_records(), claims), tmp_path / "a")
    again = write_figure(drawn(plot_curves, make_records(), claims), tmp_path / "b")
    assert [path.suffix for path in paths] == [".png", ".svg"]
    assert min(path.stat().st_size for path in paths) > 20000
    assert paths[1].read_bytes() == again[1].read_bytes()


def test_the_ablation_has_ours_and_the_published_at_their_alphas(claims, cifar):
    figure = drawn(plot_ablation, cifar, claims)
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "1.2"]
    places = [tuple(point) for found in axes.collections for point in found.get_offsets().tolist()]
    assert {(1.0, 2.03), (1.2, 1.923), (1.0, 1.499), (1.2, 1.30)} <= set(places)
    names = named(figure)
    assert {"SiD", "SiD2A"} <= set(names)
    assert "undecided: no records" not in " ".join(names)
    assert len(axes.containers) == 3  # SiD and SiD2A trained here, SiD's published weights.


def test_an_alpha_without_records_is_undecided(claims, cifar):
    figure = drawn(plot_ablation, cifar[cifar["recipe"] != "u-sid2a-1"], claims)
    assert "undecided: no records" not in named(figure)  # SiD has records at that alpha.
    kept = cifar[~cifar["recipe"].isin(["u-sid-1", "u-sid2a-1"])]
    assert drawn(plot_ablation, kept, claims) is None  # No method at two values.


def test_the_cost_of_a_start_is_part_of_the_cost(claims):
    known = {name: Price(0.005, "estimated") for name in claims.subjects}
    ends = {"u-sid-1.2": 400000.0}
    own = hours(claims.subjects, "u-sid2a-1", 20000.0, known, ends)
    assert own == pytest.approx(0.005 * 420000)
    assert hours(claims.subjects, "u-sid-1", 400000.0, known, ends) == pytest.approx(2000)
    assert hours(claims.subjects, "u-sid2a-1", 20000.0, known, {}) is None
    assert hours(claims.subjects, "mine", 20000.0, known, ends) is None


def test_cost_against_quality_of_the_published_recipes():
    claims = load_claims()
    figure = drawn(plot_cost, cifar10(snapshots=3, draws=2, seeds=1), claims)
    (axes,) = figure.axes
    assert axes.get_xlabel().startswith("GPU-hours")
    assert "Not measured in these runs" in " ".join(named(figure))
    ours = [line for line in axes.lines if line.get_label().startswith("_child")]
    assert len(stars(axes)) == 6  # With ECT.
    assert len(ours) >= 5
    inside_and_apart(figure)


def test_recipes_of_unknown_cost_have_no_figure(claims):
    assert drawn(plot_cost, make_records(), claims) is None


def test_labels_spread_by_the_gap_and_keep_their_order():
    places = [0.5, 0.49, 0.9, 0.51, 0.02]
    moved = spread_apart(places, 0.1, 0.0, 1.0)
    assert sorted(range(5), key=moved.__getitem__) == sorted(range(5), key=places.__getitem__)
    ordered = sorted(moved)
    assert min(b - a for a, b in itertools.pairwise(ordered)) >= 0.1 - 1e-9
    assert moved[2] == 0.9


def test_numbers_are_readable():
    assert [number(value) for value in (1350.4, 764, 13.52, 0.2449)] == [
        "1,350",
        "764",
        "13.5",
        "0.245",
    ]
    assert [figures(value) for value in (1.9, 13.52, 1350.44)] == ["1.900", "13.52", "1,350.4"]


def test_steps_are_round_and_few():
    assert steps(1.4, 2.2) == [1.4, 1.6, 1.8, 2, 2.2]
    assert steps(60, 5000) == [100, 200, 500, 1000, 2000, 5000]
    assert steps(0.5, 5e6) == [1, 10, 100, 1000, 10000, 100000, 1000000]
    assert all(len(steps(1, 10.0**power)) <= 8 for power in range(1, 8))


def test_a_recipe_without_an_entry_is_drawn_under_its_own_name(claims):
    table = make_records()
    figure = drawn(plot_curves, table.replace({"recipe": {"diff-instruct": "mine"}}), claims)
    assert "mine" in {line.get_label() for line in figure.axes[1].lines}
    assert "mine" in named(figure)


def test_unknown_recipes_have_a_look_of_their_own():
    look = looks(DIGITS, ["mine", "sid"])
    assert look["mine"] == looks(DIGITS, ["mine"])["mine"]
    assert look["mine"].colour != look["sid"].colour
