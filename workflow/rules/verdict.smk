rule verdict:
    input:
        records=f"{RESULTS}/records.csv",
        # A changed criterion or published number is judged by again.
        tables=[f"{tables()}/{name}" for name in ("claims.yaml", "results.csv")],
        reached=reached_files,
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


# Where `until: reached`: what a leg left is measured, and the next leg that begins may end the run.
use rule evaluate_run as reached with:
    input:
        data=DATA,
        extractor=CLASSIFIER,
        groups=groups_so_far,
    output:
        f"{RESULTS}/verdict/reached/{{recipe}}/seed{{seed}}/{{leg}}.json",
    log:
        f"{RESULTS}/logs/reached-{{recipe}}-seed{{seed}}-{{leg}}.log",
    priority: 15
    params:
        submitit="sid.cluster:Command",
        asked=lambda wildcards: f"{ASKED} {EVALUATION.n_final} {TO_REACH[wildcards.recipe]}",
        command=reached_command,
