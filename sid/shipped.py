"""The files that come with the package, found alike in a checkout and in an installed wheel.

`sid/configs` is a link to `config/`; a wheel holds copies of the files that it leads to.
"""

import os
from importlib.resources import files
from pathlib import Path

CONFIG = Path(str(files("sid"))) / "configs"  # Experiments, budgets and recipes.
TABLES = Path(str(files("baselines"))) / "published"  # Published numbers, their files, GPU rates.


def tables() -> Path:
    """The folder of published tables: `$SID_PUBLISHED`, or the one that comes with the package."""
    return Path(os.environ.get("SID_PUBLISHED") or TABLES)


def located(path: Path) -> Path:
    """A path; one that begins with `config/` and is not there is looked for in the package.

    So `config/recipes/digits/sid.yaml`, as documents and experiments say it, is found anywhere.
    """
    if path.exists() or path.parts[:1] != ("config",):
        return path
    packaged = CONFIG.joinpath(*path.parts[1:])
    return packaged if packaged.exists() else path
