rule data:
    output:
        DATA,
    log:
        f"{RESULTS}/logs/data.log",
    conda:
        "../../environment.yml"
    params:
        make=EXPERIMENT.data.make,
    shell:
        "sid data {params.make} --out {output} 2> >(tee {log} >&2)"
