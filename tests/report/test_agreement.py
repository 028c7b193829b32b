import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection

from sid.report.agreement import REASONS, TOLERANCE, differences
from sid.report.agreement_figure import legend, plot_agreement
from sid.report.agreement_text import agree
from sid.report.noise import noise
from sid.report.style import INK, reason_colour
from tests.verdict.synthetic import LAWS, make_records, make_samples

PAIR = ["first", "second"]


def reasons(ways, **fields):
    """Reason of each pair of `make_samples`."""
    table = agree(make_samples(ways).assign(**fields)).table
    return {tuple(row[PAIR]): row["reason"] for _, row in table.iterrows()}


def reason(off=0.0, metric="frechet_distance", **fields):
    """Why `other` differs from ours."""
    found = reasons({"ours": {}, "other": {"off": off, **fields}}, metric=metric)
    return found["ours", "other"]


def test_every_pair_stands_once_with_ours_first():
    ways = {"clean-fid": {"off": 3e-6}, "ours": {}, "torch-fidelity": {"off": -1e-6}}
    found = differences(make_samples(ways))
    shares = {tuple(row[PAIR]): row["relative"] for _, row in found.iterrows()}
    assert shares == {
        ("ours", "clean-fid"): pytest.approx(3e-6, rel=1e-5),
        ("ours", "torch-fidelity"): pytest.approx(1e-6, rel=1e-5),
        ("clean-fid", "torch-fidelity"): pytest.approx(4e-6, rel=1e-5),
    }


def test_only_values_of_the_same_images_are_compared():
    records = make_samples({"ours": {}, "clean-fid": {"off": 1e-6}}, draws=3)
    assert len(differences(records)) == 3
    for column in ("generated_sha256", "n_images", "draw", "dataset", "extractor", "run_seed"):
        other = records["implementation"] == "clean-fid"
        changed = records.astype({column: object})
        changed.loc[other, column] = "7" if isinstance(records[column].iloc[0], str) else 7
        assert differences(changed).empty, column


def test_the_fields_of_the_records_tell_the_reason():
    assert reason() == "none: equal"
    assert reason(2e-5) == "rounding"
    assert reason(2e-4) == "not explained"
    assert reason(extractor_sha256="a" * 64) == "weights"
    assert reason(preprocessing="bicubic to 299x299, antialiased") == "preprocessing"
    assert reason(divisor="N") == "divisor"
    assert reason(device="H100") == "device"
    moments = {"n_reference": None, "reference_sha256": "9" * 64}
    assert reason(**moments) == "published moments"
    assert reason(reference_sha256="9" * 64) == "reference"
    assert reason(0.1, divisor="N", **moments) == "published moments, divisor"


def test_a_reason_counts_only_where_it_acts():
    moments = {"n_reference": None, "reference_sha256": "9" * 64}
    assert reason(1e-6, "inception_score", divisor="N", **moments) == "rounding"
    assert reason(0.1, "kernel_distance", seed=5) == "subsets"
    assert reason(0.1, "inception_score", seed=5) == "splits"
    assert reason(1e-6, "frechet_distance", seed=5) == "rounding"
    found = reasons({"ours": {}, "nvidia": {"off": 2e-3}, "nvidia-n": {}}, metric="inception_score")
    assert found["ours", "nvidia"] == "splits"
    assert found["nvidia", "nvidia-n"] == "not explained"


def test_differences_count_in_the_errors_that_are_given():
    ways = {"ours": {"stderr": 0.3}, "a": {"off": 0.01, "stderr": 0.4}, "b": {"off": 0.01}}
    found = differences(make_samples(ways)).set_index(PAIR)["in_errors"]
    assert found["ours", "a"] == pytest.approx(0.1 / 0.5)
    assert found["ours", "b"] == pytest.approx(0.1 / 0.3)
    assert np.isnan(differences(make_samples({"ours": {}, "b": {}}))["in_errors"].iloc[0])


def test_a_share_of_what_may_be_zero_is_none():
    found = differences(make_samples({"ours": {"stderr": 4.0}, "a": {"off": 0.1}}))
    assert np.isnan(found["relative"].iloc[0])
    assert found["in_errors"].iloc[0] == pytest.approx(0.25)
    # Beside an error of four times the value.
    assert reason(0.03, stderr=40.0) == "rounding"
    assert reason(0.05, stderr=40.0) == "not explained"
    assert reason(2e-4, stderr=0.3) == "not explained"


def test_values_that_are_not_finite_are_left_out():
    records = make_samples({"ours": {}, "a": {}, "b": {}})
    records.loc[records["implementation"] == "a", "value"] = np.nan
    assert list(differences(records)["second"]) == ["b"]


def test_differences_stand_beside_the_redraw_noise():
    records = make_samples({"ours": {}, "a": {"off": 0.01}}, draws=4, spread=0.02)
    row = agree(records).table.iloc[0]
    assert row["sets"] == 4
    assert row["redraws_max"] == pytest.approx(0.01 / 1.01 / 0.02)
    assert np.isnan(agree(records[records["draw"] == 0]).table.iloc[0]["redraws_max"])


def test_the_same_images_count_once():
    """Two runs share their start, and a last snapshot may be the best: one set of images each."""
    records = make_samples({"ours": {}, "a": {"off": 1e-5}}, draws=3)
    last = records.assign(role="final", recipe="sid", selection="last")
    again = [last.assign(selection="best"), last.assign(recipe="sida", seconds=2.0)]
    found = agree(pd.concat([last, *again], ignore_index=True))
    pd.testing.assert_frame_equal(found.table, agree(last).table)
    assert found.table.iloc[0]["sets"] == 3
    assert found.noise.iloc[0]["draws"] == 3


def test_one_implementation_alone_has_nothing_to_agree_with():
    records = make_records(laws={"sid": LAWS["sid"]})
    alone = agree(records[records["implementation"] == "ours"])
    assert alone.table.empty
    plot_agreement(alone.found, alone.noise)


def drawn(records):
    figure = plot_agreement(differences(records), noise(records))
    FigureCanvasAgg(figure).draw()
    return figure


def test_the_figure_has_a_dot_a_difference_the_tolerance_and_the_noise():
    figure = drawn(make_samples({"ours": {}, "a": {"off": 1e-5}, "b": {}}, draws=3, spread=0.03))
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    dots = np.concatenate(
        [dots.get_offsets() for dots in axes.collections if isinstance(dots, PathCollection)]
    )
    assert (dots[:, 0] > 0.9e-5).sum() == 6
    assert (dots[:, 0] < 1e-6).sum() == 1  # Equal: one mark at the edge for the three.
    at = [line.get_xdata()[0] for line in axes.lines]
    assert TOLERANCE in at
    assert pytest.approx(0.03) in at
    words = [text.get_text() for text in axes.texts]
    assert "redraw noise\n3 % (n = 5,000)" in words
    assert words.count("rounding") == 2


def test_a_single_draw_has_its_own_error_as_noise():
    (axes,) = drawn(make_samples({"ours": {"stderr": 0.5}, "a": {"off": 1e-5}})).axes
    assert "standard error\n5 % (n = 5,000)" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("ways", "draws", "named"),
    [
        ({"a": {}}, 1, {"Triangle"}),
        ({"a": {"off": 1e-5}}, 1, {"One dot"}),
        ({"a": {"off": 1e-5, "stderr": 0.5}}, 1, {"One dot", "standard error"}),
        ({"a": {"off": 1e-5}, "b": {}}, 3, {"One dot", "Triangle", "one draw of a generator"}),
        ({"a": {"off": 1e-5}}, 9, {"One dot", "Bar", "one draw of a generator"}),
    ],
)
def test_the_legend_names_what_is_drawn_and_nothing_else(ways, draws, named):
    own = {"stderr": 0.5} if "standard error" in named else {}
    records = make_samples({"ours": own} | ways, draws=draws)
    words = legend(differences(records), noise(records))
    known = ("One dot", "Triangle", "Bar", "standard error", "one draw of a generator")
    assert {word for word in known if word in words} == named
    assert "Dashed: the tolerance" in words


def test_there_is_a_panel_a_metric():
    words = [{text.get_text() for text in axes.texts} for axes in drawn(make_records()).axes]
    names = ("Frechet distance", "Kernel distance", "Inception score")
    for name, found in zip(names, words, strict=True):
        assert f"{name} (digits-cnn)" in found


@pytest.mark.parametrize("ways", [1, 7])
def test_all_words_are_inside_the_figure(ways):
    own = {"preprocessing": "bicubic", "divisor": "N", "extractor_sha256": "a" * 64}
    names = ["clean-fid-legacy_tensorflow", "clean-fid-legacy_pytorch", *"abcde"][:ways]
    figure = drawn(make_samples({"ours": {}} | {name: {"off": 1e-3, **own} for name in names}))
    for axes in figure.axes:
        for text in [*axes.texts, *axes.get_yticklabels(), axes.xaxis.label]:
            box = text.get_window_extent()
            assert figure.bbox.x0 <= box.x0, text.get_text()
            assert box.x1 <= figure.bbox.x1, text.get_text()
            assert figure.bbox.y0 <= box.y0, text.get_text()
            assert box.y1 <= figure.bbox.y1, text.get_text()


def test_every_reason_has_its_colour():
    for name in (*REASONS, "rounding", "none: equal"):
        assert reason_colour(name) != INK, name
    assert reason_colour("weights, divisor") == reason_colour("weights")
    assert reason_colour("not explained") == INK


def test_two_extractors_are_never_compared():
    one = make_samples({"ours": {}})
    other = make_samples({"clean-fid": {"extractor": "inception-2015"}})
    assert differences(pd.concat([one, other], ignore_index=True)).empty
