"""Class labels as `dataset.json` holds them: `{"labels": [["00000/img00000000.png", 6], ...]}`."""

import json


def parse_labels(content: bytes) -> dict[str, int] | None:
    """The class of each file by its name, in any order, or None where `labels` is null.

    Raises:
        ValueError: this is not such a file, or a label is no class (a vector, say).
    """
    try:
        pairs = json.loads(content)["labels"]
        known = None if pairs is None else dict(pairs)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"dataset.json: not EDM's labels ({error})") from error
    for name, label in (known or {}).items():
        if type(label) is not int or label < 0:
            raise ValueError(f"dataset.json: the label of {name} is {label}, not a class 0, 1, ...")
    return known
