# The workflow is in workflow/; this file lets `snakemake` be typed at the top.
include: "workflow/Snakefile"


rule default:
    default_target: True
    input:
        rules.all.input,
