# Every published experiment in one graph:
#   snakemake --snakefile workflow/published.smk -n --config seeds='[0,1,2]'
# `source` is not for several data sets: the files are expected where config/*.yaml says.
EXPERIMENTS = "cifar10 cifar10-cond imagenet64 ffhq64 afhqv2-64 ablation".split()


for NAME in EXPERIMENTS:
    PREFIX = NAME.replace("-", "_") + "_"

    module:
        name: NAME
        snakefile:
            "Snakefile"
        config:
            {**config, "experiment": NAME}

    use rule * from NAME as PREFIX*


rule all:
    default_target: True
    input:
        [getattr(rules, f"{name.replace('-', '_')}_all").input for name in EXPERIMENTS],
