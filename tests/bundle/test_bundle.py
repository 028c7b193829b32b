"""A bundle gives the same bytes again, and a changed digit anywhere is found."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sid.bundle.archive import SUMS, pack, write_sums
from sid.bundle.bundle import check_bundle, make_bundle
from sid.errors import UserError
from sid.evaluate.records import load_table
from sid.files import sha256
from tests.commands import accepted, refused, sid

RECORDS = Path(__file__).resolve().parents[2] / "reports" / "reference" / "records.csv"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as a folder."""
    out = tmp_path_factory.mktemp("a bundle") / "bundle"
    make_bundle([RECORDS], out, None, "demo")
    return out


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A copy elsewhere: no path of where it was made may matter."""
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


def test_it_holds_what_the_challenge_asks_for(bundle: Path) -> None:
    for name in (
        *("records.csv", "verdicts/verdicts.csv", "report/index.html", "published/claims.yaml"),
        *("config/demo.yaml", "config/recipes/sid.yaml", "versions.json", "constraints.txt"),
        *("environment.yml", "README.md", "summary.md", SUMS),
    ):
        assert (bundle / name).is_file(), name
    text = (bundle / "summary.md").read_text()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [
        "Scope of reproducibility",
        "Methodology",
        "Results",
        "What was easy",
        "What was difficult",
        "Communication with original authors",
    ]
    communication = text.partition("## Communication")[2]
    assert "**To be written by the person who hands this in:**" in communication
    assert "sid (1)" in text


def test_elsewhere_it_gives_the_same_bytes(copy: Path) -> None:
    """In another place, by an older processor's instructions, in another order of hashes."""
    older = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4", "OPENBLAS_CORETYPE": "Nehalem"}
    done = subprocess.run(
        [sys.executable, "-m", "sid", "bundle", "check", copy],
        env={**os.environ, **older, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "files made again, the same to the last byte" in done.stdout


def test_an_archive_is_the_same_file_again(tmp_path: Path) -> None:
    archives = [tmp_path / folder / "bundle.tar.gz" for folder in ("one", "other")]
    for archive in archives:
        accepted(sid("bundle", RECORDS, "--out", archive))
    assert sha256(archives[0]) == sha256(archives[1])
    assert "the same to the last byte" in accepted(sid("bundle", "check", archives[0]))
    archives[0].write_bytes(archives[0].read_bytes()[:5000])
    refused(sid("bundle", "check", archives[0]), "bundle.tar.gz: not a whole bundle")


def one_digit(path: Path) -> None:
    """Change the last digit of the last value with decimals in a file."""
    text = path.read_text()
    at = [found.end() - 1 for found in re.finditer(r"\d\.\d+", text)][-1]
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :])


@pytest.mark.parametrize("name", ["records.csv", "verdicts/verdicts.csv", "report/index.html"])
def test_a_changed_digit_is_found(copy: Path, name: str) -> None:
    one_digit(copy / name)
    with pytest.raises(UserError, match=rf"{name}: was changed"):
        check_bundle(copy)


@pytest.mark.parametrize("name", ["records.csv", "verdicts/verdicts.csv"])
def test_also_where_the_checksums_were_made_anew(copy: Path, name: str) -> None:
    one_digit(copy / name)
    write_sums(copy)
    with pytest.raises(UserError, match="is not what its records give"):
        check_bundle(copy)


def test_files_that_are_missing_or_too_many(copy: Path) -> None:
    (copy / "notes.txt").write_text("")
    with pytest.raises(UserError, match=r"notes\.txt: is not of the bundle"):
        check_bundle(copy)
    (copy / "notes.txt").unlink()
    (copy / "versions.json").unlink()
    with pytest.raises(UserError, match=r"versions\.json: is missing"):
        check_bundle(copy)
    (copy / SUMS).unlink()
    with pytest.raises(UserError, match=f"has no {SUMS}"):
        check_bundle(copy)


def test_an_archive_names_its_own_member(copy: Path, tmp_path: Path) -> None:
    """And not the place where it was unpacked for the check."""
    one_digit(copy / "records.csv")
    archive = tmp_path / "handed in.tar.gz"
    pack(copy, archive)
    with pytest.raises(UserError) as changed:
        check_bundle(archive)
    assert str(changed.value) == f"{archive}/records.csv: was changed; get the bundle again"
    (copy / "records.csv").write_text("nothing")
    write_sums(copy)
    pack(copy, archive)
    with pytest.raises(UserError, match=rf"^{archive}/records\.csv: has no column role"):
        check_bundle(archive)


def test_two_values_of_one_measurement_are_settled_by_merging(tmp_path: Path) -> None:
    changed = tmp_path / "changed.csv"
    table = load_table(RECORDS)
    table.assign(value=table["value"] * 1.01).to_csv(changed, index=False)
    out = tmp_path / "bundle"
    done = sid("bundle", RECORDS, changed, "--out", out)
    assert done.returncode == 2
    assert "by `sid merge ... --prefer FILE`" in done.stderr
    assert not out.exists()


def test_what_is_there_is_not_replaced(bundle: Path) -> None:
    with pytest.raises(UserError, match="is there already"):
        make_bundle([RECORDS], bundle, None, None)
