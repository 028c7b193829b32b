# One JSON a job, merged into one table: parallel jobs never write one file.
if CLASSIFIER:

    rule extractor:
        input:
            DATA,
        output:
            CLASSIFIER,
        log:
            f"{RESULTS}/logs/extractor.log",
        conda:
            "../../environment.yml"
        resources:
            **cluster_resources(EXPERIMENT.cluster.evaluate),
        shell:
            "sid evaluate extractor {input} --out {output} 2> >(tee {log} >&2)"


rule evaluate_run:
    input:
        data=DATA,
        extractor=CLASSIFIER,
        run=f"{RESULTS}/distill/{{recipe}}/seed{{seed}}/done.json",
    output:
        f"{RESULTS}/evaluate/{{recipe}}/seed{{seed}}.json",
    log:
        f"{RESULTS}/logs/evaluate-{{recipe}}-seed{{seed}}.log",
    conda:
        "../../environment.yml"
    resources:
        **cluster_resources(EXPERIMENT.cluster.evaluate),
    params:
        run=subpath(input.run, parent=True),
        extractor=extractor_of,
        asked=f"{METRIC_OPTIONS} {MOMENTS}",
        n_curve=EVALUATION.n_curve,
        n_final=EVALUATION.n_final,
        draws=EVALUATION.draws,
    shell:
        "sid evaluate run {params.run} {input.data} --extractor {params.extractor} {params.asked}"
        " --n-curve {params.n_curve} --n-final {params.n_final} --draws {params.draws}"
        " --json {output} 2> >(tee {log} >&2)"


rule evaluate_teacher:
    input:
        data=DATA,
        extractor=CLASSIFIER,
        teacher=TEACHER_DONE,
    output:
        f"{RESULTS}/evaluate/teacher.json",
    log:
        f"{RESULTS}/logs/evaluate-teacher.log",
    # The longest job after the teacher itself: begun late, it would run alone at the end.
    priority: 20
    conda:
        "../../environment.yml"
    resources:
        **cluster_resources(EXPERIMENT.cluster.evaluate),
    params:
        teacher=teacher_of,
        extractor=extractor_of,
        asked=f"{METRIC_OPTIONS} {MOMENTS}",
        n_curve=EVALUATION.n_curve,
        n_final=EVALUATION.n_final,
        draws=EVALUATION.draws,
    shell:
        "sid evaluate teacher {params.teacher} {input.data} --extractor {params.extractor} {params.asked}"
        " --n-curve {params.n_curve} --n-final {params.n_final} --draws {params.draws}"
        " --json {output} 2> >(tee {log} >&2)"


rule evaluate_real:
    input:
        data=DATA,
        extractor=CLASSIFIER,
    output:
        f"{RESULTS}/evaluate/real.json",
    log:
        f"{RESULTS}/logs/evaluate-real.log",
    conda:
        "../../environment.yml"
    resources:
        **cluster_resources(EXPERIMENT.cluster.evaluate),
    params:
        extractor=extractor_of,
        asked=METRIC_OPTIONS,
        n_curve=EVALUATION.n_curve,
        n_final=EVALUATION.n_final,
        draws=EVALUATION.draws,
    shell:
        "sid evaluate real {input.data} --extractor {params.extractor} {params.asked}"
        " --n-curve {params.n_curve} --n-final {params.n_final} --draws {params.draws}"
        " --json {output} 2> >(tee {log} >&2)"


rule records:
    input:
        f"{RESULTS}/evaluate/teacher.json",
        f"{RESULTS}/evaluate/real.json",
        expand(f"{RESULTS}/evaluate/{{run}}.json", run=RUNS),
    output:
        report(
            f"{RESULTS}/records.csv",
            caption="../report/records.rst",
            category="Records",
        ),
    log:
        f"{RESULTS}/logs/records.log",
    conda:
        "../../environment.yml"
    shell:
        "sid merge {input} --out {output} 2> >(tee {log} >&2)"
