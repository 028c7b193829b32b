if EXPERIMENT.teacher_from == "import":

    rule teacher:
        output:
            TEACHER_DONE,
        log:
            f"{RESULTS}/logs/teacher.log",
        conda:
            "../../environment.yml"
        params:
            weights=PLAN.teacher.weights,
            sha256=f"--sha256 {PLAN.teacher.sha256}" if PLAN.teacher.sha256 else "",
            out=subpath(output[0], parent=True),
        shell:
            "sid teacher import {params.weights:q} --kind denoiser {params.sha256}"
            " --out {params.out} 2> >(tee {log} >&2)"

else:

    # The run's checkpoints are no output: Snakemake deletes the outputs of an interrupted job.
    rule teacher:
        input:
            data=DATA,
        output:
            TEACHER_DONE,
        log:
            f"{RESULTS}/logs/teacher.log",
        conda:
            "../../environment.yml"
        threads: EXPERIMENT.threads.teacher
        resources:
            **cluster_resources(EXPERIMENT.cluster.teacher),
        params:
            submitit="sid.cluster:Command",
            values=PLAN.teacher.model_dump(mode="json"),
            command=teacher_command,
        shell:
            "sid {params.command} --threads {threads} 2> >(tee {log} >&2)"
