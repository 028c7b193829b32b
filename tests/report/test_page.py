from html.parser import HTMLParser

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from sid.errors import UserError
from sid.report.command import register, write_report
from sid.report.page_text import counts, what_was_run
from sid.verdict.command import write_verdicts
from tests.report.runs import make_runs
from tests.verdict.synthetic import make_records
from tests.verdict.test_published import PUBLISHED

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

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def prepare(folder, table):
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "records.csv", index=False)
    write_verdicts(folder / "records.csv", PUBLISHED, folder / "verdict")
    return folder / "records.csv", folder / "verdict", *make_runs(folder)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    path = write_report(*prepare(folder, make_records()), folder / "reports")
    return Page(path.read_text()), path.parent


def test_everything_is_inside_the_page(page):
    parsed, _ = page
    assert not {"script", "link", "iframe"} & {tag for tag, _ in parsed.tags}
    images = [attrs for tag, attrs in parsed.tags if tag == "img"]
    assert len(images) == 3
    for attrs in images:
        assert attrs["src"].startswith("data:image/")
        assert len(attrs["alt"]) > 30
    for tag, attrs in parsed.tags:
        assert attrs.get("href", "#").startswith("#"), tag
    style = "".join(parsed.text)
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_is_well_formed(page):
    parsed, _ = page
    assert parsed.open == []
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [attrs["href"][1:] for tag, attrs in parsed.tags if tag == "a"]
    assert set(targets) <= set(ids)
    tags = [tag for tag, _ in parsed.tags]
    assert tags[0] == "html"
    assert parsed.tags[0][1]["lang"] == "en"
    assert tags.count("h1") == tags.count("title") == tags.count("main") == 1


def test_each_claim_stands_with_its_badge_in_words(page):
    parsed, _ = page
    text = "".join(parsed.text)
    badges = [attrs["class"] for tag, attrs in parsed.tags if "badge" in attrs.get("class", "")]
    assert len(badges) == 13 + 1
    assert "This SiDA run needs fewer images than this SiD run" in text
    assert "say nothing of training again" in text
    assert "redraw noise only" in text
    assert "Frechet distance (digits-cnn)" in text


def test_the_page_says_when_criteria_were_fixed_and_what_bias_is(page):
    text = "".join(page[0].text)
    assert "As of commit dbb1d3d" in text
    assert "As of commit dea8164: the first outcome of one seed (155138b)" in text
    assert "beforehand" not in text
    assert "pooled over 11 generators (22 degrees of freedom)" in text
    assert "Against 1,797 references, n new images of a perfect generator would read b" in text
    assert "It is no lower bound" in text


def test_tables_and_figures_lie_beside_it(page):
    _, folder = page
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    figures = {
        f"figures/{name}.{kind}" for name in ("curves", "agreement") for kind in ("png", "svg")
    }
    tables = {
        f"tables/{name}.{kind}" for name in ("main", "agreement", "noise") for kind in ("csv", "md")
    }
    assert names == {"index.html", "figures/samples.png", *figures, *tables}


def test_the_command_prints_the_page(tmp_path):
    records, verdicts, runs, teacher = prepare(tmp_path, make_records(seeds=(0, 1)))
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # Of a single stage Typer would take the name away.
    options = {"verdicts": verdicts, "runs": runs, "teacher": teacher, "out": tmp_path / "out"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    done = CliRunner().invoke(app, ["report", str(records), *words])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(str(tmp_path / "out" / "index.html"))
    html = (tmp_path / "out" / "index.html").read_text()
    assert "The verdicts are about 2 training seeds of each method from one teacher" in html
    assert "over 2 training seeds (1 degree of freedom)" in html


@pytest.mark.parametrize("kept", [{"recipe": ["sid", "real"]}, {"role": ["curve", "teacher"]}])
def test_what_is_missing_leaves_a_page(tmp_path, kept):
    table = make_records()
    kept = table[table[list(kept)].isin(kept).all(axis=1)]
    html = write_report(*prepare(tmp_path, kept), tmp_path / "out").read_text()
    assert "not run" in html
    assert Page(html).open == []


def test_missing_verdicts_are_a_user_error(tmp_path):
    records, _, runs, teacher = prepare(tmp_path, make_records())
    with pytest.raises(UserError, match="sid verdict"):
        write_report(records, tmp_path / "none", runs, teacher, tmp_path / "out")


def test_a_page_of_the_2015_inception_says_fid(tmp_path, page):
    table = make_records().assign(extractor="inception-2015", extractor_accuracy=None)
    text = "".join(Page(write_report(*prepare(tmp_path, table), tmp_path).read_text()).text)
    assert "FID, clean-fid" in text
    assert "FID: 3 pairs differ by rounding alone" in text
    assert "It is not FID" not in text
    assert "nan" not in text
    assert "It is not FID" in "".join(page[0].text)
    assert "FID, ours" not in "".join(page[0].text)


def test_what_values_take_for_granted_is_on_the_page():
    table = make_records()
    assert not {"Classes", "Note"} & set(dict(what_was_run(table)))
    noted = table.assign(labels="uniform over 10 classes")
    noted.loc[noted["metric"] == "inception_score", "note"] = "the images are sorted by class"
    said = what_was_run(noted)
    assert ("Classes", "uniform over 10 classes") in said
    whose = {text for term, text in said if term == "Note"}
    assert "ours, inception_score: the images are sorted by class" in whose


def test_two_extractors_are_refused(tmp_path):
    table = make_records()
    path = tmp_path / "records.csv"
    both = pd.concat([table, table.assign(extractor="inception-2015", extractor_sha256="f" * 64)])
    both.to_csv(path, index=False)
    _, verdicts, runs, teacher = prepare(tmp_path / "one", table)
    with pytest.raises(UserError, match="mix 2 extractors"):
        write_report(path, verdicts, runs, teacher, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_counts_in_words():
    verdicts = pd.DataFrame({"verdict": ["holds", "inconclusive", "holds", "does not hold"]})
    assert counts(verdicts) == "2 hold, 1 does not, 1 is inconclusive"
