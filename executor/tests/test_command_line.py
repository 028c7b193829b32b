"""Names that the Snakemake on the node could read otherwise come back unchanged, or are refused."""

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.utils import (
    TargetSpec,
    encode_target_jobs_cli_args,
    format_cli_arg,
)

from executor_helpers import files, snakemake, unsent
from snakemake_executor_plugin_submitit import command_line
from snakemake_executor_plugin_submitit.tasks import SnakemakeTask

SNAKEFILE = """
import json

NAMES = json.load(open("names.json"))


rule all:
    input:
        [f"made/{name}.txt" for name in NAMES["right"]],
        [f"alone/{name}.txt" for name in NAMES["wrong"]],


rule made:
    output:
        "made/{name}.txt",
    group:
        "group"
    shell:
        "printf 'made %s' {wildcards.name:q} > {output:q}"


rule alone:
    output:
        "alone/{name}.txt",
    shell:
        "printf 'made %s' {wildcards.name:q} > {output:q}"
"""
# Pieces that shells, Slurm, submitit, Python or Snakemake read in a way of their own.
PIECES = [
    *"'\"\\$`,=:;&|<>()[]*?!#~ \t-@^%é\x7f\u2028🙂ab0_.",
    *("--", "%j", "%A", "%t", "%%", "\\n", "..", "$HOME", "$(touch x)", "`touch x`", "日本", "run"),
]
TEXT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
NAME = TEXT.filter(lambda name: name == name.strip() and name not in {".", ".."})
# Real workflows take seconds: a failure is shown as it was found.
FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
IN_A_RUN = 100


def changed(name: str) -> bool:
    """Whether Snakemake's parser takes a name for another one."""
    return "," in name or name.strip("'\"") != name


def decoded(words: Sequence[str]) -> list[str]:
    """Words as a program gets them from a shell that got them from Snakemake."""
    line = format_cli_arg("--words", words)
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\0' {line}"], capture_output=True, text=True, check=True
    )
    return done.stdout.split("\0")[1:-1]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), TEXT, max_size=2), min_size=1, max_size=3))
def test_wildcards_come_back_or_are_refused(wildcards: list[dict[str, str]]) -> None:
    specs = [TargetSpec("rule", values) for values in wildcards]
    job: Any = SimpleNamespace(get_target_spec=lambda: specs)
    if any(changed(value) for values in wildcards for value in values.values()):
        with pytest.raises(WorkflowError, match=r"rule rule: wildcard .*name the file otherwise"):
            command_line.check_wildcards(job)
        return
    command_line.check_wildcards(job)
    words = ["--target-jobs", *decoded(encode_target_jobs_cli_args(specs))]
    assert command_line._parser().parse_args(words).target_jobs == specs


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.sets(TEXT, max_size=3), st.sets(TEXT, max_size=3), st.booleans())
def test_files_come_back_or_not(awaited: set[str], temporary: set[str], whole: bool) -> None:
    spec = [TargetSpec("rule", {"a": "b"})]
    dag = SimpleNamespace(get_unneeded_temp_files=lambda job: temporary)
    job: Any = SimpleNamespace(name="rule", dag=dag, get_target_spec=lambda: spec)
    words = ["--target-jobs", "rule:a=b", "--unneeded-temp-files", *sorted(temporary)]
    words += ["--wait-for-files", *sorted(awaited)] if awaited else []
    words = words if temporary else [word for word in words if word != "--unneeded-temp-files"]
    if whole and not any(name.startswith("-") for name in awaited | temporary):
        command_line.check_arguments(words, job, awaited)
    else:
        with pytest.raises(WorkflowError, match=r"rule rule: .*no name may begin with a dash"):
            command_line.check_arguments(
                words[:-1] if awaited | temporary else ["-n"], job, awaited
            )


@FEW
@given(names=st.sets(NAME, min_size=IN_A_RUN, max_size=IN_A_RUN), folder=NAME)
def test_many_names_through_real_jobs(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], folder: str
) -> None:
    top = tmp_path_factory.mktemp("names")
    place = top / folder
    place.mkdir()
    wrong = {name for name in names if changed(name)}
    (place / "Snakefile").write_text(SNAKEFILE)
    told = json.dumps({"right": sorted(names - wrong), "wrong": sorted(wrong)})
    (place / "names.json").write_text(told)
    # What a changed name would lead to is there, finished.
    (place / "alone").mkdir()
    read = {part.strip("'\"") for name in wrong for part in (name, *name.split(","))}
    for name in read - wrong:
        (place / "alone" / f"{name}.txt").write_text("finished")
    before = files(place)
    words = ["--keep-going", "--cores", "2", "--group-components", f"group={IN_A_RUN}"]
    status, said = snakemake(place, *words, "--quiet", "rules", "progress")
    after = files(top)
    if any(part in folder for part in ("%j", "%t", "%a", "%A")):
        assert "give another by --submitit-folder" in said
        assert unsent(top)
        assert files(place) == before
        return
    made = {f"{folder}/made/{name}.txt": f"made {name}".encode() for name in names - wrong}
    assert after == {f"{folder}/{path}": text for path, text in before.items()} | made, said
    refusal = "Error in rule alone: Not submitted: rule alone: wildcard name="
    assert said.count(refusal) == len(wrong)
    assert status == (1 if wrong else 0)


RUNS = """
rule all:
    input:
        "runs/it's $HOME", "shadowed/a\\\\b"


rule runs:
    output:
        "runs/{name}",
    group:
        "group"
    run:
        open(output[0], "w").write(wildcards.name)


rule shadowed:
    output:
        "shadowed/{name}",
    group:
        "group"
    shadow:
        "minimal"
    shell:
        "printf %s {wildcards.name:q} > {output:q}"
"""


@pytest.mark.skipif(" " in sys.executable, reason="Snakemake itself does not quote its Python")
def test_parts_of_a_group_that_start_a_snakemake_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(RUNS)
    status, said = snakemake(tmp_path, "--cores", "2", "--group-components", "group=2")
    assert status == 0, said
    assert (tmp_path / "runs" / "it's $HOME").read_text() == "it's $HOME"
    assert (tmp_path / "shadowed" / "a\\b").read_text() == "a\\b"


def test_environment_and_precommand_of_the_inner_snakemake(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(
        'envvars: "ODD"\nrule all:\n  output: "out"\n  shell: \'printf "$ODD|$B" > out\'\n'
    )
    odd = "it's $HOME\n`x`"
    status, said = snakemake(tmp_path, "--precommand", "export B='b c'", ODD=odd)
    assert status == 0, said
    assert (tmp_path / "out").read_text() == f"{odd}|b c"


def test_more_words_than_a_program_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "local")
    monkeypatch.setenv("SUBMITIT_LOCAL_JOB_ID", "1")
    monkeypatch.setenv("SUBMITIT_FOLDER", str(tmp_path))
    reader = "import json, sys; open('count', 'w').write(str(len(json.load(open(sys.argv[1])))))"
    words = [f"{n:0100}" for n in range(40_000)]
    SnakemakeTask(f"python3 -c {shlex.quote(reader)}", words, str(tmp_path), {})()
    assert (tmp_path / "count").read_text() == "40000"
