rule distill:
    input:
        data=DATA,
        teacher=TEACHER_DONE,
        start=start_done,
    output:
        f"{RESULTS}/distill/{{recipe}}/seed{{seed}}/done.json",
    log:
        f"{RESULTS}/logs/distill-{{recipe}}-seed{{seed}}.log",
    # Before evaluations, since others may start from it.
    priority: 10
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.threads.distill
    params:
        recipe=lambda wildcards: PLAN.paths[wildcards.recipe],
        values=recipe_of,
        budget=EXPERIMENT.budget,
        teacher=teacher_of,
        start=start_option,
        out=subpath(output[0], parent=True),
    shell:
        "sid distill --recipe {params.recipe} --data {input.data} --teacher {params.teacher}"
        " {params.start} --out {params.out} --seed {wildcards.seed} --budget {params.budget}"
        " --threads {threads} --restart 2> >(tee {log} >&2)"
