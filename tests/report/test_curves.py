import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from sid.report.curves import line_of, plot_curves
from sid.report.labels import number, spread_apart
from sid.report.style import write_figure
from sid.verdict.distances import NAMES, Distances
from tests.verdict.synthetic import BIAS, BRANCH, LAWS, STOPS, TEACHER, make_records


def figure_of(table):
    figure = plot_curves(Distances(table))
    FigureCanvasAgg(figure).draw()
    return figure


def named(figure):
    return {text.get_text(): text for text in figure.axes[1].texts}


def test_axes_are_logarithmic_and_every_method_has_its_line():
    left, main = figure_of(make_records()).axes
    assert (main.get_xscale(), main.get_yscale(), left.get_yscale()) == ("log", "log", "log")
    lines = {line.get_label(): line for line in main.lines if line.get_label() in NAMES}
    assert set(lines) == set(NAMES)
    assert list(lines["sida"].get_xdata()) == pytest.approx([stop / 1000 for stop in STOPS])
    assert main.child_axes[0].get_xlabel() == "iterations (batch 128)"


def test_teacher_and_real_images_are_horizontal_lines_at_the_curves_n():
    main = figure_of(make_records(noise=0)).axes[1]
    levels = {line.get_ydata()[0] for line in main.lines if list(line.get_xdata()) == [0, 1]}
    perfect = BIAS * (1 / 5000 + 1 / 1797)
    assert levels >= {*TEACHER.values(), 0.9}
    assert pytest.approx(perfect) in list(levels)
    assert 4.1 not in levels  # The teacher at the fresh draws' n has no place here.


def test_branches_go_on_from_the_snapshot_they_began_from():
    line = line_of(Distances(make_records(noise=0)), "sid2a")
    assert list(line.kimg) == pytest.approx([(60000 + images) / 1000 for images in [0, *BRANCH]])
    assert line.middle[-1] == pytest.approx(LAWS["sid2a"](18000))


def test_a_band_shows_the_seeds():
    line = line_of(Distances(make_records(seeds=(0, 1, 2))), "sid")
    assert (line.low < line.middle).all()
    assert (line.middle < line.high).all()
    assert len(figure_of(make_records(seeds=(0, 1, 2))).axes[1].collections) > len(
        figure_of(make_records()).axes[1].collections
    )


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_labels_are_inside_the_figure_and_apart(seeds):
    figure = figure_of(make_records(seeds=seeds))
    texts = [*figure.axes[0].texts, *figure.axes[1].texts, *figure.texts]
    boxes = {text.get_text(): text.get_window_extent() for text in texts}
    for name, box in boxes.items():
        assert figure.bbox.x0 <= box.x0, name
        assert box.x1 <= figure.bbox.x1, name
        assert figure.bbox.y0 <= box.y0, name
        assert box.y1 <= figure.bbox.y1, name
    methods = sorted((boxes[name] for name in NAMES.values()), key=lambda box: box.y0)
    for lower, upper in itertools.pairwise(methods):
        assert lower.y1 <= upper.y0 + 1


def test_missing_methods_are_left_out():
    table = make_records()
    figure = figure_of(table[table["recipe"].isin(["sid2a", "teacher"])])
    assert set(named(figure)) & set(NAMES.values()) == {"SiD2A"}


def test_no_records_still_draw():
    assert len(figure_of(make_records().iloc[:0]).axes) == 2


def test_both_files_are_written_and_repeat(tmp_path):
    distances = Distances(make_records())
    paths = write_figure(plot_curves(distances), tmp_path / "a")
    again = write_figure(plot_curves(distances), tmp_path / "b")
    assert [path.suffix for path in paths] == [".png", ".svg"]
    assert min(path.stat().st_size for path in paths) > 20000
    assert paths[1].read_bytes() == again[1].read_bytes()


def test_labels_spread_by_the_gap_and_keep_their_order():
    places = [0.5, 0.49, 0.9, 0.51, 0.02]
    moved = spread_apart(places, 0.1, 0.0, 1.0)
    assert list(np.argsort(moved)) == list(np.argsort(places))
    assert np.diff(sorted(moved)).min() >= 0.1 - 1e-9
    assert moved[2] == 0.9


def test_numbers_are_readable():
    assert [number(value) for value in (1350.4, 764, 13.52, 0.2449)] == [
        "1,350",
        "764",
        "13.5",
        "0.245",
    ]


def test_a_recipe_unknown_here_is_drawn_under_its_own_name():
    table = make_records()
    figure = figure_of(table.replace({"recipe": {"diff-instruct": "mine"}}))
    assert "mine" in {line.get_label() for line in figure.axes[1].lines}
    assert "mine" in named(figure)
