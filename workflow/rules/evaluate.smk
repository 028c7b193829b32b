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
            **cluster_resources(EXPERIMENT.cluster.evaluate.alone()),
        shell:
            "sid evaluate extractor {input} --out {output} 2> >(tee {log} >&2)"


rule evaluate_run:
    input:
        data=DATA,
        extractor=CLASSIFIER,
        run=f"{RESULTS}/distill/{{recipe}}/seed{{seed}}/done.json",
        groups=group_files,
    output:
        f"{RESULTS}/evaluate/{{recipe}}/seed{{seed}}.json",
    log:
        f"{RESULTS}/logs/evaluate-{{recipe}}-seed{{seed}}.log",
    conda:
        "../../environment.yml"
    resources:
        **cluster_resources(EXPERIMENT.cluster.evaluate),
    params:
        submitit="sid.cluster:Command",
        asked=f"{ASKED} {BY} {SIZES}",
        command=run_command,
    shell:
        "sid {params.command} --threads {threads} 2> >(tee {log} >&2)"


# Snapshots of a leg, measured while the next one trains; the evaluation of the run goes on with them.
use rule evaluate_run as evaluate_snapshots with:
    input:
        data=DATA,
        extractor=CLASSIFIER,
        leg=group_leg,
    output:
        f"{RESULTS}/evaluate/{{recipe}}/seed{{seed}}/{{group}}.json",
    log:
        f"{RESULTS}/logs/evaluate-{{recipe}}-seed{{seed}}-{{group}}.log",
    # What may end a run goes before its next leg.
    priority: 15 if TO_REACH else 0
    params:
        submitit="sid.cluster:Command",
        asked=f"{ASKED} {BY} {CURVE}",
        command=snapshots_command,


# The longest job after the teacher itself: begun late, it would run alone at the end.
use rule evaluate_run as evaluate_teacher with:
    input:
        data=DATA,
        extractor=CLASSIFIER,
        teacher=TEACHER_DONE,
    output:
        f"{RESULTS}/evaluate/teacher.json",
    log:
        f"{RESULTS}/logs/evaluate-teacher.log",
    priority: 20
    params:
        submitit="sid.cluster:Command",
        asked=f"{ASKED} {SIZES}",
        command=evaluate_teacher_command,


use rule evaluate_run as evaluate_real with:
    input:
        data=DATA,
        extractor=CLASSIFIER,
    output:
        f"{RESULTS}/evaluate/real.json",
    log:
        f"{RESULTS}/logs/evaluate-real.log",
    params:
        submitit="sid.cluster:Command",
        asked=f"{ASKED} {SIZES}",
        command=real_command,


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
