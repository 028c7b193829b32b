from html.parser import HTMLParser

import pandas as pd
import pytest
from PIL import Image

from sid.report.agreement_text import agree
from sid.report.page import Numbers, render
from sid.report.page_text import objections, what_was_run
from tests.report.verdict_rows import claims_of, every_outcome, external_records
from tests.verdict.synthetic import make_records

# Elements without an end, and those of drawings, which end themselves.
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Tags with attributes, text, and whether every tag is closed in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def rendered(records, verdicts=None, **parts):
    verdicts = every_outcome() if verdicts is None else verdicts
    return Page(render(records, verdicts, claims_of(verdicts), **parts))


def text_of(page):
    return " ".join("".join(page.text).split())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A page with everything that it can have."""
    folder, records = tmp_path_factory.mktemp("page"), make_records()
    (folder / "curves.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    Image.new("L", (4, 4)).save(folder / "samples.png")
    figures = {name.split(".")[0]: folder / name for name in ("curves.svg", "samples.png")}
    table = pd.DataFrame({"Family": ["SiD <one step>"], "Method": ["SiD"], "FID": ["1.923"]})
    table.attrs["notes"] = ["Bold: the best."]
    return rendered(
        records,
        papers={"digits": table},
        numbers=[Numbers("Where the methods end", "", table)],
        figures={**figures, "agreement": folder / "curves.svg"},
        agreement=agree(records),
        missing=[("Nearest neighbours", "`sid <x>` makes them")],
    )


@pytest.fixture(scope="module")
def checkpoint():
    """That of `sid verify`, with nothing but draws of a checkpoint."""
    return rendered(external_records())


def test_everything_is_inside_the_page(whole):
    assert not {"script", "link", "iframe"} & {tag for tag, _ in whole.tags}
    images = [attrs for tag, attrs in whole.tags if tag == "img"]
    kinds = [attrs["src"].partition(";")[0] for attrs in images]
    assert sorted(kinds) == ["data:image/png", "data:image/svg+xml", "data:image/svg+xml"]
    assert all(len(attrs["alt"]) > 30 for attrs in images)
    assert all(attrs.get("href", "#").startswith("#") for _, attrs in whole.tags)
    style = "".join(whole.text)
    assert "url(" not in style
    assert "@import" not in style


def test_drawings_alone_follow_the_dark_page(whole):
    """A photograph in other colours would be another picture."""
    cards = [attrs["class"] for tag, attrs in whole.tags if "card" in attrs.get("class", "")]
    assert sorted(cards) == ["card", "card drawn", "card drawn"]


def test_the_agreement_s_caption_names_what_its_figure_has(whole):
    text = text_of(whole)
    assert "One dot a set of images" in text
    assert "Shaded: more than one draw of a generator differs from the next." in text
    assert "Triangle" not in text


def test_what_checkpoints_cannot_have_is_folded_away():
    missing = [("Curves", "the records have no role curve")]
    for records, folded in ((external_records(), True), (make_records(), False)):
        page = rendered(records, missing=missing)
        assert "The records have no role curve." in text_of(page)
        links = {attrs.get("href") for tag, attrs in page.tags if tag == "a"}
        assert ("#missing" not in links) == folded
        assert ("What these records cannot give" in text_of(page)) == folded
        assert page.open == []


@pytest.mark.parametrize("name", ["whole", "checkpoint"])
def test_the_page_is_well_formed(name, request):
    page = request.getfixturevalue(name)
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for tag, attrs in page.tags if tag == "a"} <= set(ids)
    tags = [tag for tag, _ in page.tags]
    assert tags[0] == "html"
    assert tags.count("h1") == tags.count("title") == tags.count("main") == 1


def test_a_section_appears_where_there_is_something_for_it(whole, checkpoint):
    ids = [
        {attrs["id"] for tag, attrs in page.tags if tag == "section" and "id" in attrs}
        for page in (whole, checkpoint)
    ]
    assert ids[1] == {"claims", "objections", "run"}
    more = {"numbers", "agreement", "missing", "figure-curves", "figure-samples"}
    assert ids[0] - ids[1] == more


def test_what_is_handed_in_is_shown(whole):
    text = text_of(whole)
    for part in (
        "SiD <one step>",
        "Bold: the best.",
        "Where the methods end",
        "sid <x> makes them.",
    ):
        assert part in text, part


def test_values_of_other_features_are_no_fid(whole):
    text = text_of(whole)
    assert "Frechet distance (digits-cnn) is not FID" in text
    assert "Against 1,797 references, n new images of a perfect generator would read b" in text
    own = Numbers("Values", "", pd.DataFrame({"Model": ["SiD"]}))
    assert "is not FID" not in text_of(rendered(external_records(), numbers=[own]))


def test_what_values_take_for_granted_is_on_the_page():
    table = make_records()
    assert not {"Classes", "Note"} & set(dict(what_was_run(table)))
    noted = table.assign(labels="uniform over 10 classes")
    noted.loc[noted["metric"] == "inception_score", "note"] = "the images are sorted by class"
    said = what_was_run(noted)
    assert ("Classes", "uniform over 10 classes") in said
    whose = {text for term, text in said if term == "Note"}
    assert "ours, inception_score: the images are sorted by class" in whose


def test_a_checkpoint_s_page_knows_no_digits_and_no_miniature(checkpoint):
    text = text_of(checkpoint)
    for word in ("digits", "miniature", "laptop", "Diff-Instruct", "nan", "is not FID", "None"):
        assert word not in text, word
    assert "Trained here" not in text


def test_the_first_screen_counts_what_was_found(checkpoint):
    text = text_of(checkpoint)
    assert "Of 9 claims 3 are kept, 3 are broken and 3 are open." in text
    assert "2 verdicts are about one trained generator each and say nothing of training" in text
    assert "Of 4 tests on one page" in text
    assert "2 of the 3 broken claims stay broken at 5 %" in text
    assert "1 published number is unverified, and decides nothing" in text


def test_rankings_that_decided_are_put_in_order(checkpoint):
    """An interval within a margin that reaches over 1 orders nobody."""
    verdicts = every_outcome()
    verdicts.loc[verdicts["verdict"] == "holds", "high"] = 0.99
    text = text_of(rendered(external_records(), verdicts))
    assert "Order that is sure: SiD, alpha = 1.2 before the teacher." in text
    assert "Order that" not in text_of(checkpoint)


def test_one_claim_is_answered_with_its_numbers():
    text = text_of(rendered(external_records(), every_outcome().iloc[:1]))
    assert "What was claimed SiD, alpha = 1.2 reads FID 1.923 on cifar10-32x32." in text
    assert "It reproduces. 1.931, where 1.923 is published: +0.42 %." in text
    sure = "\N{MINUS SIGN}0.20 to +1.0 %, within \N{PLUS-MINUS SIGN}2 %; 10 draws of 50,000 images."
    assert f"90 % interval: {sure}" in text
    assert "1 verdict is about one trained generator and says nothing of training again." in text
    assert "Holm's" not in text  # One test has nothing to be corrected for.


def test_the_intervals_of_a_few_checkpoints_stand_on_the_first_screen():
    outcomes = every_outcome()
    text = text_of(rendered(external_records(), outcomes[outcomes["kind"] == "checkpoint"]))
    named = "SiDA, alpha = 1 reads FID 1.516 on cifar10-32x32: 90 % interval +9.1 to +11 %"
    assert f"{named}, beyond \N{PLUS-MINUS SIGN}2 %; 10 draws of 50,000 images." in text
    open_still = "interval +0.40 to +2.8 %, margin \N{PLUS-MINUS SIGN}2 %; 10 draws"
    assert open_still in text


def test_a_narrow_interval_has_digits_enough_to_be_seen():
    narrow = every_outcome().iloc[:1].assign(value=1.14, low=1.1396, high=1.1412)
    page = rendered(external_records(), narrow)
    assert "interval: +14.0 to +14.1 %" in text_of(page)
    drawn = [attrs.get("aria-label", "") for tag, attrs in page.tags if tag == "svg"]
    assert any("from +14.0 % to +14.1 %" in label for label in drawn)


def test_everything_of_a_verdict_stands_behind_it(checkpoint):
    text = text_of(checkpoint)
    for part in (
        "1.923 (mean of 10, source graded primary)",
        "N = 3 runs, K = 10 draws",
        "2.1 % from run to run, 0.9 % from draw to draw",
        "\N{MINUS SIGN}10 to +9.0 %",
        "Smallest margin that keeps it10.9 % of the published value",
        "Smallest bound that keeps it1.003 times the value of the teacher",
        "Test that it is keptp = 0.004; p = 0.012 by Holm",
        "Fixed by commit 0123abc",
        "p < 0.0001; p < 0.0001 by Holm",
        "role external, recipe cifar10-uncond-sid-alpha1.2, draws 1 to 10",
        "sid verify cifar10-uncond-sid-alpha1.2",
        "A second training seed, and a verified number",
    ):
        assert part in text, part


def test_the_legend_stands_in_the_header_of_what_is_drawn():
    verdicts = every_outcome()
    html = render(external_records(), verdicts, claims_of(verdicts))
    head = html.partition('<table class="claims">')[2].partition("</thead>")[0]
    for mark in ("Diamond: what was found", "Thick line", "Thin line", "Shaded"):
        assert mark in head


def test_objections_concern_the_verdicts_shown():
    verdicts = every_outcome()
    all_of_them = [said for said, _ in objections(verdicts)]
    checkpoint = [said for said, _ in objections(verdicts.iloc[:1])]
    assert len(all_of_them) == 6
    assert len(checkpoint) == 2
    assert set(checkpoint) < set(all_of_them)
    assert objections(verdicts.iloc[:0]) == []


def test_without_verdicts_the_page_says_so():
    page = rendered(external_records(), every_outcome().iloc[:0])
    assert "No claim was judged" in text_of(page)
    assert page.open == []
