# `snakemake verify --config verify=NAME,...`: published checkpoints, one job each (docs/verify.md).
# Without names it is every one. `claims` is another key: what an experiment's verdict is about.
rule verify_checkpoint:
    output:
        f"{VERIFIED}/{{subject}}.json",
    log:
        f"{VERIFIED}/logs/{{subject}}.log",
    wildcard_constraints:
        subject=r"[^/]+",
    conda:
        "../../environment.yml"
    resources:
        **cluster_resources(EXPERIMENT.cluster.evaluate),
    params:
        submitit="sid.cluster:Command",
        options=config.get("verify_options", ""),
        command=lambda wildcards, output: (
            f"verify measure {wildcards.subject} {config.get('verify_options', '')}"
            f" --json {output[0]}"
        ),
    shell:
        "sid {params.command} --threads {threads} 2> >(tee {log} >&2)"


rule verify_records:
    input:
        lambda wildcards: expand(f"{VERIFIED}/{{subject}}.json", subject=checkpoints()),
    output:
        f"{VERIFIED}/records.csv",
    log:
        f"{VERIFIED}/logs/records.log",
    conda:
        "../../environment.yml"
    shell:
        "sid merge {input} --out {output} 2> >(tee {log} >&2)"


rule verify_verdict:
    input:
        f"{VERIFIED}/records.csv",
    output:
        f"{VERIFIED}/verdict/verdicts.csv",
    log:
        f"{VERIFIED}/logs/verdict.log",
    conda:
        "../../environment.yml"
    params:
        out=subpath(output[0], parent=True),
        claims=checkpoint_claims,
    shell:
        "sid verdict {input} --claims {params.claims} --out {params.out} 2> >(tee {log} >&2)"


rule verify_report:
    input:
        records=f"{VERIFIED}/records.csv",
        verdicts=f"{VERIFIED}/verdict/verdicts.csv",
    output:
        f"{VERIFIED_PAGES}/index.html",
    log:
        f"{VERIFIED}/logs/report.log",
    conda:
        "../../environment.yml"
    params:
        verdicts=subpath(input.verdicts, parent=True),
        out=subpath(output[0], parent=True),
    shell:
        "sid report {input.records} --verdicts {params.verdicts} --out {params.out}"
        " 2> >(tee {log} >&2)"


rule verify:
    input:
        f"{VERIFIED_PAGES}/index.html",
