rule verdict:
    input:
        records=f"{RESULTS}/records.csv",
        # A changed criterion or published number is judged by again.
        tables=[f"{tables()}/{name}" for name in ("claims.yaml", "results.csv")],
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
        claims=",".join(CLAIMS),
    shell:
        "sid verdict {input.records} --claims '{params.claims}' --out {params.out} 2> >(tee {log} >&2)"
