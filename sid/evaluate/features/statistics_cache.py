"""Reference statistics that were computed before, kept under everything that they depend on."""

import functools
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace

from sid.errors import UserError, printable, reason
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.features.statistics import Statistics, read_statistics, write_statistics
from sid.files import cache_folder


@dataclass(frozen=True)
class Key:
    """What statistics depend on; the attributes are those of `Statistics`."""

    data_sha256: str
    resolution: str
    preprocessing: str
    extractor: str
    extractor_sha256: str
    divisor: str

    @property
    def digest(self) -> str:
        """SHA-256 of the key as JSON, keys sorted, without spaces."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def key_of(statistics: Statistics) -> Key:
    """The key that statistics themselves tell."""
    return Key(**{field.name: getattr(statistics, field.name) for field in fields(Key)})


def cached_statistics(features: ImageFeatures) -> Statistics:
    """The moments of a set of images, from the cache if any command ever computed them."""
    images, extractor = features.images, features.extractor
    key = Key(
        data_sha256=images.sha256,
        resolution="x".join(map(str, images.shape[1:])),
        preprocessing=extractor.preprocessing,
        extractor=extractor.name,
        extractor_sha256=extractor.sha256,
        divisor="N-1",
    )

    def make() -> Statistics:
        return Statistics(images.name, features.gaussian, len(images), **asdict(key))

    return cached(key, make)


def cached(key: Key, make: Callable[[], Statistics]) -> Statistics:
    """The statistics under a key, from the cache or made and put there.

    A damaged file, or one of another key, is told on standard error and made again. Where the cache
    cannot be read or written, that is told once, and they are made each time. Processes that want
    the same statistics at once each make them; the last file stays, whole.
    """
    path = cache_folder() / "statistics" / f"{key.digest}.npz"
    try:
        found = read_statistics(path)
        if key_of(found) == key:
            return replace(found, sha256=key.data_sha256)
        raise UserError(f"{path}: holds the statistics of another key")
    except UserError as error:
        # What is not there is no fault, and what cannot be read cannot be written, which will tell.
        if not isinstance(error.__cause__, OSError):
            _warn(f"{error}; computed again")
    made = make()
    try:
        write_statistics(path, made)
    except OSError as error:
        _warn(
            f"{path.parent}: cannot be written ({reason(error)}), so reference statistics are not "
            "kept; set SID_CACHE to a folder that can be"
        )
    return replace(made, sha256=key.data_sha256)


@functools.cache
def _warn(text: str) -> None:
    """Tell it on standard error, once."""
    print(f"warning: {printable(text)}", file=sys.stderr)
