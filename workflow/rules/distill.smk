# The last leg of a run, or the whole run where it is one.
# On a cluster `submitit` names what runs the command in each process of the job (sid/cluster.py).
rule distill:
    input:
        data=DATA,
        teacher=TEACHER_DONE,
        start=start_done,
        leg=leg_before,
        measured=measured_before,
    output:
        f"{RESULTS}/distill/{{recipe}}/seed{{seed}}/done.json",
    log:
        f"{RESULTS}/logs/distill-{{recipe}}-seed{{seed}}.log",
    # Before evaluations, since others may start from it.
    priority: 10
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.threads.distill
    resources:
        **cluster_resources(EXPERIMENT.cluster.distill),
    params:
        submitit="sid.cluster:Command",
        values=recipe_of,
        command=distill_command,
    shell:
        "sid {params.command} --threads {threads} 2> >(tee {log} >&2)"


# The legs before, each to be evaluated while the next one trains.
use rule distill as distill_leg with:
    output:
        f"{RESULTS}/distill/{{recipe}}/seed{{seed}}/legs/{{leg}}.json",
    log:
        f"{RESULTS}/logs/distill-{{recipe}}-seed{{seed}}-{{leg}}.log",
    params:
        submitit="sid.cluster:Command",
        values=leg_recipe_of,
        command=distill_command,
