rule report:
    input:
        records=f"{RESULTS}/records.csv",
        verdicts=f"{RESULTS}/verdict/verdicts.csv",
        runs=expand(f"{RESULTS}/distill/{{run}}/done.json", run=RUNS),
        teacher=TEACHER_DONE,
    output:
        page=report(
            f"{REPORTS}/index.html", caption="../report/page.rst", category="Page"
        ),
        curves=report(
            f"{REPORTS}/figures/curves.svg",
            caption="../report/curves.rst",
            category="Figures",
        ),
    log:
        f"{RESULTS}/logs/report.log",
    conda:
        "../../environment.yml"
    params:
        verdicts=subpath(input.verdicts, parent=True),
        runs=lambda wildcards, input: str(Path(input.runs[0]).parents[2]),
        teacher=teacher_of,
        out=subpath(output.page, parent=True),
    shell:
        "sid report {input.records} --verdicts {params.verdicts} --runs {params.runs}"
        " --teacher {params.teacher} --out {params.out} 2> >(tee {log} >&2)"


# The page at any moment. Without inputs and outputs it begins no other job, and locks nothing.
rule page:
    log:
        f"{RESULTS}/logs/page.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        experiment=yaml.safe_dump(EXPERIMENT.model_dump(mode="json")),
    shell:
        "printf '%s' {params.experiment:q} | sid report now /dev/stdin 2> >(tee {log} >&2)"
