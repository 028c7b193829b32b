"""Hours from rates: a row's own, or the nearest row's, and said which."""

from pathlib import Path

import pytest

from sid.config import recipe_path
from sid.cost import rates
from sid.cost.cost import Cost, cost
from sid.cost.rates import Row, growth
from sid.errors import UserError
from sid.recipes.listing import load
from tests.commands import refused, sid

ROOT = Path(__file__).resolve().parents[2]


def cost_of(name: str, gpu: str) -> Cost:
    return cost(load(recipe_path(name)), gpu)


def test_a_cited_rate_gives_back_the_printed_time() -> None:
    """EDM's README: ImageNet-64 took 32 A100 about 13 days."""
    found = cost_of("edm-imagenet-64x64-cond-adm", "A100")
    assert found.rate.evidence == "cited"
    assert found.days(32) == pytest.approx(13, rel=0.01)
    assert cost_of("edm-cifar10-32x32-uncond-vp", "V100").days(8) == pytest.approx(2, rel=0.01)


def test_memory_agrees_with_the_readme_of_sid() -> None:
    """README.md line 119: "cifar10-uncond consumes less than 10 GB of memory per GPU"."""
    found = cost_of("cifar10-uncond-sid-alpha1.2", "A100")
    assert 5 < found.memory / 1e9 < 10
    assert found.held == 10 * 4 * 55_733_891


def test_without_a_row_of_its_own_a_rate_is_estimated_by_operations() -> None:
    teacher = cost_of("edm-cifar10-32x32-uncond-vp", "V100")
    student = cost_of("cifar10-uncond-sid-alpha1.2", "A100")
    assert student.rate.evidence == "estimated"
    assert "teacher edm-cifar10-32x32-uncond-vp, V100 fp32, times 1.24" in student.rate.basis
    # 11 passes for 3, and 19.5 / 15.7 of the speed.
    expected = 144.7 * 3 / 11 * 19.5 / 15.7
    assert student.rate.images_per_second == pytest.approx(expected)
    assert student.gpu_hours == pytest.approx(500e6 / expected / 3600)
    assert teacher.rate.images_per_second == 144.7


def test_another_network_stands_in_where_the_precision_asks_for_it() -> None:
    """FFHQ's teacher was trained in float32; distilled in fp16 it goes by ImageNet's rate."""
    basis = cost_of("ffhq64-sid-alpha1.2", "A100").rate.basis
    assert basis == "operations at the rate of teacher edm-imagenet-64x64-cond-adm, A100 fp16"


def test_a_measured_rate_goes_before_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    network = "edm-cifar10-32x32-uncond-vp"
    row = Row("H100", "fp32", "sid", network, 200.0, "measured", "docs/performance.md")
    known = (*rates.rates(), row)
    monkeypatch.setattr(rates, "rates", lambda: known)
    measured = cost_of("cifar10-uncond-sid-alpha1.2", "H100")
    assert (measured.rate.images_per_second, measured.rate.evidence) == (200.0, "measured")
    near = cost_of("cifar10-uncond-sida-alpha1", "H100")
    assert near.rate.evidence == "estimated"
    assert "rate of sid" in near.rate.basis
    ratio = 11 / (11 + 3 * 0.324686)  # The encoder has 0.3247 of the operations.
    assert near.rate.images_per_second == pytest.approx(200 * ratio, rel=1e-4)


def test_growth_over_generations() -> None:
    assert growth("V100", "A100", "fp32") == pytest.approx(19.5 / 15.7)
    assert growth("A100", "H100", "fp16") == pytest.approx(3350 / 2039)
    there, back = growth("V100", "H100", "fp16"), growth("H100", "V100", "fp16")
    assert there * back == pytest.approx(1)
    assert there == pytest.approx(2039 / 900 * 3350 / 2039)
    assert growth("A100", "A100", "fp16") == 1


def test_rows_without_a_source_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heading = (rates.TABLES / "rates.csv").read_text().splitlines()[0]
    (tmp_path / "rates.csv").write_text(f"{heading}\nA100,fp32,sid,x,9,guessed,me,\n")
    monkeypatch.setattr(rates, "TABLES", tmp_path)
    with pytest.raises(UserError, match="line 2: needs a source"):
        rates.rates.__wrapped__()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name a recipe, --experiment NAME, or --all"),
        (("cifar10-uncond-sid-alpha1", "--all"), "name a recipe, --experiment NAME, or --all"),
        (("cifar10-uncond-sid-alpha1", "--gpu", "a10"), "--gpu a10: unknown; known are v100"),
        (("digits/sid",), "recipe digits: its network has the size of its data"),
    ],
)
def test_errors_are_one_line(words: tuple[str, ...], message: str) -> None:
    refused(sid("cost", *words), message)


def test_one_recipe_says_what_it_rests_on() -> None:
    printed = sid("cost", "cifar10-uncond-sid-alpha1.2", "--gpu", "h100").stdout
    assert "500 Mimg in fp32, 466 GFLOP an image (counted)" in printed
    assert "activations of 16 images" in printed
    assert "18 days on 4" in printed
    assert "days on 32" not in printed  # The batch is 16 micro-batches.
    assert "(estimated: operations at the rate of teacher" in printed


def test_the_document_has_the_table_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    table = sid("cost", "--all", "--markdown").stdout
    assert table.count("\n") > 30
    assert table in (ROOT / "docs" / "scaling.md").read_text()
