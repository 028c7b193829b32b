"""The section of runs that are on the way: its sentences, its rows, and what is not yet judged."""

from pathlib import Path

import pytest

from sid.report.progress import Progress
from sid.verdict.claim import TEACHER
from tests.report.statuses import REACHED, REASON, write_moment
from tests.report.test_page import Page, text_of


@pytest.fixture(scope="module")
def moment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Progress]:
    return write_moment(tmp_path_factory.mktemp("moment"))


def test_what_the_runs_add_up_to(moment: tuple[Path, Progress]) -> None:
    said = " ".join(moment[1].said)
    assert said.startswith(
        "Of 7 runs 1 waits, 1 trains, 1 pauses, 1 is stopped by a gate, 1 reached the published "
        "number and 2 ended."
    )
    assert "What trains now has 9 s left" in said
    assert "Training took 119 GPU-hours so far." in said
    assert f"SiD2A seed 0 reached {REACHED} of this one run, which says nothing" in said


def test_rows_are_in_the_order_of_the_claims_and_say_what_is_known(
    moment: tuple[Path, Progress],
) -> None:
    rows = {(row.name, row.seed): row for row in moment[1].rows}
    assert list(rows) == [
        *(("SiD", seed) for seed in (0, 1)),
        *(("SiDA", seed) for seed in (0, 1)),
        *(("SiD2A", seed) for seed in (0, 1)),
        ("Diff-Instruct", 0),
    ]
    trains = rows["SiDA", 0]
    assert (trains.images, trains.rate) == ("30.5 of 60 kimg", "3,360 images/s")
    assert (trains.left, trains.hours) == ("9 s", "19.8 GPU-hours")
    assert trains.share == pytest.approx(30_500 / 60_000)
    assert trains.measured.startswith("measured to ")
    assert rows["SiDA", 1].why == REASON
    assert rows["SiD", 0].left == ""
    assert rows["SiD2A", 1].why == "for SiD, from which it starts"  # Its seed 1 pauses.
    assert rows["SiD2A", 1].measured == "measured at its start"


def test_claims_about_runs_on_the_way_are_not_yet_and_the_others_judged(
    moment: tuple[Path, Progress],
) -> None:
    path, shown = moment
    assert set(shown.pending) == {"sid", "sida", "sid2a"}
    assert TEACHER not in shown.pending
    assert shown.pending["sid"] == "SiD seed 1 pauses at 30 of 60 kimg"
    page = Page(path.read_text())
    assert page.open == []
    text = text_of(page)
    assert "Not yet, undecided: " in text
    assert "Not yet, undecided: SiD seed 1 pauses at 30 of 60 kimg" in text
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert ids.index("progress") < ids.index("figure-curves") < ids.index("claims")
    assert ids.count("figure-curves") == 1
