"""What each cell of the papers' tables says: values, bold, grey, notes; Markdown and LaTeX."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.report import cifar10
from sid.report.benchmark import benchmarks
from sid.report.paper_cells import BOLD, GREY, cells, papers_html, papers_markdown, to_latex
from sid.report.papers import RIVALS, filled, paper_table
from sid.report.published_rows import contradictions, families
from sid.shipped import TABLES
from sid.verdict.claim import Claims
from sid.verdict.published import Number, load_published
from tests.report.published import RECIPES, claims_in
from tests.verdict.synthetic import make_records

NO_VERDICTS = pd.DataFrame(columns=["kind"])
VERDICT = {
    "kind": "checkpoint",
    "subject": "u-sid-1.2",
    "metric": "frechet_distance",
    "dataset": "cifar10-32x32",
    "extractor": "inception-2015",
    "reproduced": 1.925,
    "value": 1.001,
    "low": 0.991,
    "high": 1.011,
    "runs": 1,
    "draws": 10,
    "verdict": "reproduces",
}


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Claims:
    return claims_in(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def cifar() -> pd.DataFrame:
    return cifar10(RECIPES, "edm", snapshots=3, draws=4, external=("u-sid-1.2",))


def tables(
    records: pd.DataFrame, claims: Claims, verdicts: pd.DataFrame = NO_VERDICTS
) -> dict[str, pd.DataFrame]:
    published = load_published(claims.path.parent / "results.csv")
    return {
        one.name: filled(paper_table(one, claims, verdicts, published))
        for one in benchmarks(records, claims)
    }


@pytest.fixture(scope="module")
def table(claims: Claims, cifar: pd.DataFrame) -> pd.DataFrame:
    (found,) = tables(cifar, claims, pd.DataFrame([VERDICT])).values()
    return found


def row_of(table: pd.DataFrame, method: str, nfe: str = "1") -> pd.Series:
    (row,) = (row for _, row in table.iterrows() if (row["method"], row["nfe"]) == (method, nfe))
    return row


def cell(table: pd.DataFrame, method: str, column: str, nfe: str = "1") -> tuple[str, str]:
    """Text and style of a cell as it is printed."""
    shown = cells(table)
    at = (shown.text["Method"] == method) & (shown.text["Evaluations"] == nfe)
    return str(shown.text.loc[at, column].iloc[0]), str(shown.style.loc[at, column].iloc[0])


def test_families_and_methods_stand_in_the_order_of_the_data(table: pd.DataFrame) -> None:
    assert list(dict.fromkeys(table["family"])) == [
        "Teacher",
        "Diffusion",
        "Consistency",
        "Score identity distillation",
        "Other",
    ]
    assert list(table["method"])[:4] == ["EDM", "DDPM", "iCT", "iCT"]
    own = table.loc[table["family"] == "Score identity distillation", "subject"]
    assert list(own) == list(RECIPES)
    assert (row_of(table, "EDM", "35")["nfe"], row_of(table, "DDPM", "1000")["subject"]) == (
        "35",
        "",
    )


def test_published_values_are_as_printed_with_their_sources(table: pd.DataFrame) -> None:
    row = row_of(table, "SiD, alpha = 1.2")
    assert row["frechet_distance_published"] == "1.923"
    assert row["frechet_distance_source"] == "README"
    assert row["inception_score_published"] == "9.980"
    assert row_of(table, "iCT")["inception_score_published"] == "9.54"
    assert row_of(table, "iCT", "2")["frechet_distance_published"] == "2.46"
    assert "4.02" not in set(table["frechet_distance_published"])  # ImageNet's.


def test_a_verdicts_value_and_interval_are_on_the_published_scale(table: pd.DataFrame) -> None:
    row = row_of(table, "SiD, alpha = 1.2")
    scale = 1.925 / 1.001
    assert row["frechet_distance_checkpoint"] == 1.925
    assert row["frechet_distance_checkpoint_low"] == pytest.approx(0.991 * scale)
    assert row["frechet_distance_checkpoint_high"] == pytest.approx(1.011 * scale)
    text, style = cell(table, "SiD, alpha = 1.2", "FID, not trained here")
    assert text == "1.925 (1.906 to 1.944), reproduces"
    assert style == BOLD  # The teacher's takes 35 evaluations.


@pytest.mark.filterwarnings("error")
def test_a_recipe_without_a_claim_is_taken_where_it_ends(
    cifar: pd.DataFrame, claims: Claims
) -> None:
    """And nothing that the tables ask of pandas is going away."""
    cifar = cifar.replace({"recipe": {"u-sida-1": "own"}})
    (found,) = tables(cifar, claims).values()
    last = cifar[(cifar["recipe"] == "own") & (cifar["selection"] == "last")]
    last = last[(last["metric"] == "frechet_distance") & (last["implementation"] == "nvidia")]
    (own,) = found.loc[found["subject"] == "own", "frechet_distance_retrained"]
    assert own == pytest.approx(np.exp(np.log(last["value"].astype(float)).mean()))


def test_values_without_a_verdict_are_means_over_seeds_of_the_best_snapshots(
    table: pd.DataFrame, cifar: pd.DataFrame
) -> None:
    rows = cifar[
        (cifar["recipe"] == "u-sida-1")
        & (cifar["selection"] == "best")
        & (cifar["metric"] == "frechet_distance")
        & (cifar["implementation"] == "nvidia")
    ]
    row = row_of(table, "SiDA, alpha = 1.0")
    logs = np.log(rows.pivot(index="run_seed", columns="draw", values="value").astype(float))
    expected = np.exp(logs.to_numpy().mean())
    assert row["frechet_distance_retrained"] == pytest.approx(expected)
    assert row["frechet_distance_retrained_over"] == "3 training seeds"
    of_seeds, of_draws = (logs.mean(axis=axis).var(ddof=1) for axis in (1, 0))
    # Student's t of 2 and of 3 degrees: all seeds have the same four draws.
    half = np.sqrt(2.9199856**2 * of_seeds / 3 + 2.3533634**2 * of_draws / 4)
    assert row["frechet_distance_retrained_low"] == pytest.approx(expected * np.exp(-half))
    assert row["frechet_distance_retrained_high"] == pytest.approx(expected * np.exp(half))
    # The teacher has published weights, and was drawn from several times.
    assert row_of(table, "EDM", "35")["frechet_distance_checkpoint_over"] == "5 draws"


def test_bold_is_the_best_verified_value_of_few_evaluations(table: pd.DataFrame) -> None:
    assert cell(table, "SiD2A, alpha = 1.0", "FID, published") == ("1.499", BOLD)
    assert cell(table, "iCT", "Inception score, published") == ("9.54", BOLD)
    styles = cells(table).style
    assert (styles["FID, published"] == BOLD).sum() == 1
    ours = table["frechet_distance_retrained"].astype(float)
    best = table.loc[ours.idxmin(), "method"]
    assert cell(table, best, "FID, trained here")[1] == BOLD


def test_unverified_values_are_grey_and_never_the_best(table: pd.DataFrame) -> None:
    assert cell(table, "SiD2A, alpha = 1.2", "FID, published") == ("1.30", GREY)
    assert cell(table, "Fast & Rare_1", "FID, published", "") == ("1.00", GREY)
    assert cell(table, "SiD, alpha = 1.2", "Inception score, published") == ("9.980", GREY)


def test_conflicting_quotations_are_notes_and_roundings_are_not(table: pd.DataFrame) -> None:
    text, _ = cell(table, "SiD, alpha = 1.2", "FID, published")
    (note,) = [line for line in cells(table).notes if "SiD, alpha = 1.2" in line]
    assert text == f"1.923 {note.partition(' ')[0]}"
    assert "1.98 (SCT)" in note
    assert "1.89 (Elsewhere)" in note
    assert "1.92 (" not in note
    number = Number("1.923", "", "", "primary", "", ("1.92 (A)", "1.9 (B)", "1.93 (C)"))
    assert contradictions(number) == ["1.93 (C)"]


def test_conditional_and_unconditional_are_two_tables(claims: Claims, cifar: pd.DataFrame) -> None:
    other = cifar10({"c-sid-1.2": (713312.0, 1.71, "sid", "")}, "edm-c", snapshots=3, draws=2)
    found = tables(pd.concat([cifar, other.assign(labels="uniform")]), claims)
    assert set(found) == {"cifar10-32x32-uncond", "cifar10-32x32-cond"}
    row = row_of(found["cifar10-32x32-cond"], "SiD, alpha = 1.2")
    assert row["frechet_distance_published"] == "1.710"
    assert row["frechet_distance_retrained"] == pytest.approx(1.71, rel=0.1)
    assert "edm-c" in set(found["cifar10-32x32-cond"]["method"])


def test_anybodys_generator_has_a_row_under_its_own_name(claims: Claims) -> None:
    own = cifar10({"mine": (1.0, 1.2, "", "")}, "edm", seeds=0, draws=4, external=("mine",))
    (found,) = tables(own, claims).values()
    row = row_of(found, "mine")
    assert (row["family"], row["frechet_distance_checkpoint_over"]) == ("Other", "4 draws")
    assert cell(found, "mine", "FID, not trained here")[1] == BOLD
    # Also alone, beside the published values of its data set.
    (alone,) = tables(own[own["role"] == "external"], claims).values()
    assert row_of(alone, "SiD, alpha = 1.2")["frechet_distance_published"] == "1.923"
    assert "1.710" not in set(alone["frechet_distance_published"])


def test_digits_have_no_fid_and_no_published_column(claims: Claims) -> None:
    (found,) = tables(make_records(), claims).values()
    shown = cells(found).text
    assert not [name for name in shown if "FID" in name or "published" in name]
    assert "Frechet distance (digits-cnn), trained here" in shown
    assert list(shown["Method"]) == [
        "teacher",
        "SiD",
        "SiDA",
        "SiD2A",
        "SiD continued",
        "Diff-Instruct",
    ]


def test_markdown_has_bold_italics_and_notes(table: pd.DataFrame) -> None:
    text = papers_markdown(cells(table))
    assert "| **1.499** |" in text
    assert "| *1.30* |" in text
    assert "\n(a) " in text
    body = [line for line in text.splitlines() if line.startswith("|")]
    assert len(body) == len(table) + 2
    assert len({line.count("|") for line in body}) == 1


def test_html_is_escaped_but_for_its_marks(table: pd.DataFrame) -> None:
    frame = papers_html(cells(table))
    assert "<strong>1.499</strong>" in set(frame["FID, published"])
    assert frame.attrs["notes"][1].startswith("(a) ")


def test_a_page_shows_ours_the_teacher_and_the_ten_best_others_first(
    cifar: pd.DataFrame, tmp_path: Path
) -> None:
    """The others are folded, on the page alone; no unverified value is among the best."""
    line = "{},cifar10-32,uncond,{},FID,{},,,,a paper,,,{}\n"
    named = [(f"Rival {n}", 1, f"{3 + n / 10:.1f}", "primary") for n in range(12)]
    named += [("Slow", 1000, "1.1", "primary"), ("Said", 1, "1.2", "unverified")]
    claims = claims_in(tmp_path)
    results = claims.path.parent / "results.csv"
    results.write_text(results.read_text() + "".join(line.format(*one) for one in named))
    (table,) = tables(cifar, claims).values()
    whole = cells(table)
    frame = papers_html(whole)
    first, rest = set(frame["Method"]), set(frame.attrs["rest"]["Method"])
    assert {"EDM", *(f"Rival {n}" for n in range(8))} <= first
    assert {"SiD, alpha = 1.2", "SiD2A, alpha = 1.0"} <= first
    assert {"Slow", "Said", "Rival 11"} <= rest
    assert len(frame) + len(frame.attrs["rest"]) == len(table)
    others = frame[~frame["Family"].isin(["Teacher", "Score identity distillation"])]
    assert len(others) == RIVALS
    for text in (papers_markdown(whole), to_latex(whole, "caption")):
        assert all(name in text for name, *_ in named)


def test_latex_escapes_and_has_booktabs(table: pd.DataFrame) -> None:
    text = to_latex(cells(table), "50 % of A & B")
    assert r"Fast \& Rare\_1" in text
    assert r"50 \% of A \& B" in text
    assert r"\bfseries 1.499" in text
    assert r"\color{gray} 1.30" in text
    assert text.count(r"\toprule") == 2  # Of the first page, and of the others.
    families = table["family"].nunique()
    body = text.partition(r"\endlastfoot")[2]
    assert body.count(r"\midrule") == families - 1
    assert text.count("{") == text.count("}")


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex on this machine")
def test_latex_compiles(table: pd.DataFrame, tmp_path: Path) -> None:
    head = r"\documentclass{article}\usepackage[a4paper,landscape,margin=1.5cm]{geometry}"
    head += r"\usepackage{booktabs,longtable,xcolor}\begin{document}"
    body = to_latex(cells(table), "50 % of A & B")
    (tmp_path / "paper.tex").write_text(f"{head}\n{body}\\end{{document}}\n")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 10000
    assert not re.search(r"Overfull \\hbox \((\d{3,})", done.stdout)


def test_every_published_method_has_a_family() -> None:
    with (TABLES / "results.csv").open(newline="", encoding="utf-8") as file:
        methods = {row["method"] for row in csv.DictReader(file)}
    assert methods <= set(families(TABLES))
