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
