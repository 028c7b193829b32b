# The original files are no input: a dry run shows the whole line without them.
rule data:
    output:
        DATA,
    log:
        f"{RESULTS}/logs/data.log",
    conda:
        "../../environment.yml"
    params:
        make=EXPERIMENT.data.make,
        source=SOURCE,
    shell:
        '(for source in {params.source}; do test -e "$source" ||'
        ' {{ echo "error: $source: not there; get the files as docs/data.md says, or name'
        ' their place with --config source=PATH"; exit 2; }}; done >&2;'
        " sid data {params.make} {params.source} --out {output}) 2> >(tee {log} >&2)"
