"""Starts Snakemake with arguments from a JSON file: a long group would pass a command's limit."""

import json
import sys
from pathlib import Path

from snakemake.cli import main

if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
