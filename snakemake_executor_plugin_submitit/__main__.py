"""Starts Snakemake with the words of a JSON file, the only argument.

A command line has a limit, which a long group of jobs passes.
"""

import json
import sys
from pathlib import Path

from snakemake.cli import main

if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
