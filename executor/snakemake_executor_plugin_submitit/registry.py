"""The submitted jobs, on disk, so that a restarted Snakemake finds them.

One JSON file a job, named by the key of its outputs. It is written before the submission, with a
name that is unique, and again with the job id. If Snakemake dies in between, the job is looked for
by its name. A job that starts checks that the file still has its name; if a later submission has
taken its place, it does nothing.
"""

import contextlib
import hashlib
import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError


@dataclass(frozen=True)
class Entry:
    """A job that was submitted, or was about to be submitted.

    Attributes:
        key: digest of the job's outputs, and the name of the file.
        name: of this submission: the job's name in Slurm and the name of its folder.
        digest: of the job's code, paths and parameters (`jobs.fingerprint`).
        cluster: slurm or local.
        host: where it was submitted.
        tasks: number of tasks.
        created: time of the submission in seconds, by the clock of the file system.
        job_id: None until it is known.
    """

    key: str
    name: str
    digest: str
    cluster: str
    host: str
    tasks: int
    created: float = 0.0
    job_id: str | None = None


@dataclass(frozen=True)
class Claim:
    """Lets a job check, when it starts, that it was not replaced."""

    path: str
    name: str

    def check(self) -> None:
        """Check that the registry still names this job.

        Raises:
            RuntimeError: it names another, or the job was given up.
        """
        try:
            name = json.loads(Path(self.path).read_text())["name"]
        except FileNotFoundError:
            name = None
        if name != self.name:
            raise RuntimeError(f"{self.path} no longer asks for {self.name}: nothing is done")


class Registry:
    """The folder of entries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """The file of an entry."""
        return self.folder / f"{key}.json"

    def intend(self, key: str, rule: str, digest: str, cluster: str, tasks: int) -> Entry:
        """Write an entry for a job that is about to be submitted.

        Raises:
            OSError: it cannot be written; nothing may be submitted then.
        """
        name = f"{rule}-{uuid.uuid4().hex[:12]}"
        entry = Entry(key, name, digest, cluster, socket.gethostname(), tasks)
        self.write(entry)
        return replace(entry, created=self.path(key).stat().st_mtime)

    def write(self, entry: Entry) -> None:
        """Write an entry atomically.

        Raises:
            OSError: the disk is full or read-only; the old entry is as it was.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(entry.key)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("w") as handle:
                json.dump(asdict(entry), handle, indent=2)
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def read(self, key: str) -> Entry | None:
        """The entry, or None.

        Raises:
            WorkflowError: the file is damaged.
        """
        path = self.path(key)
        try:
            entry = Entry(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise WorkflowError(
                f"{path}: not an entry of this executor ({error}); see that the job is not in the"
                " queue any more, then delete the file"
            ) from error
        return entry if entry.created else replace(entry, created=path.stat().st_mtime)

    def forget(self, entry: Entry) -> None:
        """Delete an entry, unless a later submission has taken its place."""
        with contextlib.suppress(WorkflowError):
            current = self.read(entry.key)
            if current is not None and current.name == entry.name:
                self.path(entry.key).unlink(missing_ok=True)


def digest(value: Any) -> str:
    """16 hexadecimal digits, a hash of nested plain values; of others only the type counts."""

    def plain(item: Any) -> Any:
        if isinstance(item, (set, frozenset)):
            return sorted(map(str, item))
        return f"<{type(item).__name__}>"

    text = json.dumps(value, sort_keys=True, default=plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
