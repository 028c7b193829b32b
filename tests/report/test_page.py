from html.parser import HTMLParser

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from sid.errors import UserError
from sid.report.command import register, write_report
from sid.report.page import render
from sid.report.page_text import objections, what_was_run
from sid.verdict.command import write_verdicts
from tests.report.runs import make_runs
from tests.report.verdict_rows import claims_of, every_outcome, external_records
from tests.verdict.synthetic import make_records
from tests.verdict.test_published import PUBLISHED

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


def test_each_claim_is_a_row_with_its_badge_and_its_evidence(page):
    parsed, _ = page
    rows = [attrs["id"] for tag, attrs in parsed.tags if tag == "tbody" and "id" in attrs]
    assert rows == [f"claim-{n}" for n in range(1, 14)]
    text = "".join(parsed.text)
    assert text.count("Evidence and command") == 13
    assert "This SiDA run needs fewer images than this SiD run" in text
    assert "say nothing of training again" in text
    assert "Fixed by commit dbb1d3d" in text
    assert "Changed after an outcome had been committed: the first outcome of one seed" in text


def test_the_page_says_what_bias_is(page):
    text = "".join(page[0].text)
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
    assert "seeds 0, 1" in html


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


def test_only_the_2015_inception_makes_an_fid(tmp_path, page):
    table = make_records().assign(extractor="inception-2015", extractor_accuracy=None)
    text = "".join(Page(write_report(*prepare(tmp_path, table), tmp_path).read_text()).text)
    assert "FID, clean-fid" in text
    assert "is not FID" not in text
    assert "nan" not in text
    assert "is not FID" in "".join(page[0].text)
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


@pytest.fixture(scope="module")
def verified():
    verdicts = every_outcome()
    return render(
        external_records(),
        verdicts,
        claims_of(verdicts),
        missing=[("Curves", "the records have no role curve")],
    )


def test_a_checkpoint_s_page_knows_no_digits_and_no_miniature(verified):
    text = "".join(Page(verified).text)
    for word in ("digits", "miniature", "laptop", "Diff-Instruct", "nan", "is not FID", "None"):
        assert word not in text, word
    assert "the records have no role curve" in text
    assert "Trained here" not in text


def test_the_first_screen_counts_what_was_found(verified):
    text = "".join(Page(verified).text)
    assert "Of 9 claims 3 are kept, 3 are broken and 3 are open." in text
    assert "Of 3 broken, 2 stay so at 5 %" in text
    assert "1 published number is unverified, and decides nothing" in text


def test_everything_of_a_verdict_stands_behind_it(verified):
    text = " ".join("".join(Page(verified).text).split())
    for part in (
        "1.923 (mean of 10, source graded primary)",
        "N = 3 runs, K = 10 draws",
        "2.1 % from run to run, 0.9 % from draw to draw",
        "\N{MINUS SIGN}10 to +9.0 %",
        "Smallest margin that keeps it10.9 %",
        "p < 0.0001; p < 0.0001 by Holm",
        "role external, recipe cifar10-uncond-sid-alpha1.2, draws 1 to 10",
        "sid verify cifar10-uncond-sid-alpha1.2",
        "A second training seed, and a verified number",
    ):
        assert part in text, part


def test_objections_concern_the_verdicts_shown():
    verdicts = every_outcome()
    all_of_them = [said for said, _ in objections(verdicts)]
    checkpoint = [said for said, _ in objections(verdicts.iloc[:1])]
    assert len(all_of_them) == 6
    assert len(checkpoint) == 2
    assert set(checkpoint) < set(all_of_them)
    assert objections(verdicts.iloc[:0]) == []


def test_without_verdicts_the_page_says_so():
    verdicts = every_outcome()
    html = render(external_records(), verdicts.iloc[:0], claims_of(verdicts))
    assert "No claim was judged" in html
    assert Page(html).open == []
