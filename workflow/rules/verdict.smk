rule verdict:
    input:
        f"{RESULTS}/records.csv",
    output:
        report(
            f"{RESULTS}/verdict/verdicts.csv",
            caption="../report/verdicts.rst",
            category="Verdicts",
        ),
    log:
        f"{RESULTS}/logs/verdict.log",
    conda:
        "../../environment.yml"
    params:
        out=subpath(output[0], parent=True),
    shell:
        "sid verdict {input} --out {params.out} 2> >(tee {log} >&2)"
