# Every published experiment in one graph:
#   snakemake --snakefile workflow/published.smk -n --config seeds='[0,1,2]'
# `source` is not for several data sets: the files are expected where config/*.yaml says.
from pathlib import Path

import yaml

PUBLISHED = ("cifar10", "cifar10-cond", "imagenet64", "ffhq64", "afhqv2-64", "ablation")


def settings(name):
    """An experiment laid over the demo, and what the command line says over both."""
    read = [
        yaml.safe_load(Path(f"config/{n}.yaml").read_text()) for n in ("demo", name)
    ]
    return {**read[0], **read[1], **config, "experiment": name}


for NAME in PUBLISHED:
    PREFIX = NAME.replace("-", "_") + "_"

    module:
        name: NAME
        snakefile:
            "Snakefile"
        config:
            settings(NAME)

    use rule * from NAME as PREFIX*


rule all:
    default_target: True
    input:
        [getattr(rules, f"{name.replace('-', '_')}_all").input for name in PUBLISHED],
