"""`make rehearsal`: stand-ins, their tables, and the real commands over both."""

import argparse
import functools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from sid.config import read_layers
from sid.errors import UserError, explain
from sid.evaluate.extractors.published import PROGRAM, STATE
from sid.evaluate.records import read_records
from sid.experiment import claims_of, load_experiment
from sid.shipped import TABLES
from sid.verdict.claim import load_claims
from workflow.rehearsal.checks import check
from workflow.rehearsal.cifar10 import write_cifar10
from workflow.rehearsal.stand_ins import write_inception, write_moments, write_network
from workflow.rehearsal.tables import PLANTED, cut_claims, write_files, write_numbers

EXPERIMENT, OVER = "cifar10", Path("workflow/rehearsal/experiment.yaml")
IMAGES = 500  # Of the data set.
ELSEWHERE = 1000  # Seeds of the numbers that are planted: other noise than any verdict sees.
BIN = Path(sys.executable).parent


class Rehearsal:
    """Everything of one rehearsal, in a folder.

    Args:
        folder: `results/rehearsal`.

    Attributes:
        mirror: what is served in place of the web, by the paths of its addresses.
        tables: the stand-ins' published tables.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.mirror, self.tables = folder, folder / "mirror", folder / "published"
        self.asked = read_layers(OVER)
        self.plan = plan = load_experiment(EXPERIMENT, Path("config"))
        self.recipes, teacher = list(plan.recipes), plan.teacher.name
        self.shipped = load_claims(TABLES)
        self.weights = {name: self.shipped.subjects[name].weights for name in self.recipes}
        self.names = [teacher, *self.recipes]
        self.teacher, self.moments = f"{teacher}.pkl", str(plan.experiment.evaluation.statistics)
        self.environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "SID_CACHE": str(folder.resolve() / "cache"),
            "SID_PUBLISHED": str(self.tables.resolve()),
            "OMP_NUM_THREADS": "1",
        }

    def make(self) -> None:
        """Write the stand-ins, and the table of their addresses."""
        made = self.folder / "made"
        for folder in (made, self.mirror, self.tables):
            folder.mkdir(parents=True, exist_ok=True)
        images = write_cifar10(Path(self.asked["source"]), IMAGES)
        write_inception(made / PROGRAM)
        (made / STATE).write_bytes((made / PROGRAM).read_bytes())  # Fetched, and never loaded.
        write_moments(made / self.moments, made / PROGRAM, images)
        write_network(made / self.teacher, 0, teacher=True)
        for seed, name in enumerate(self.weights.values(), start=1):
            write_network(made / name, seed, teacher=False)
        names = [path.name for path in sorted(made.iterdir())]
        hashes = {name: made / name for name in (PROGRAM, STATE)}
        for name, url in write_files(self.tables, names, hashes).items():
            place = self.mirror / urlsplit(url).path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            (made / name).replace(place)

    def run(self, *words: object) -> None:
        """One command, as a user types it.

        Raises:
            UserError: it fails.
        """
        line = [str(word) for word in words]
        began = time.monotonic()
        print(f"$ {' '.join(line)}", flush=True)
        with (self.folder / "log.txt").open("a") as log:
            print(f"$ {' '.join(line)}", file=log, flush=True)
            done = subprocess.run(line, env=self.environment, stdout=log, stderr=log, check=False)
        print(f"  {time.monotonic() - began:.0f} s: {' '.join(line[:3])}", flush=True)
        if done.returncode:
            text = (self.folder / "log.txt").read_text(errors="replace")
            print("\n".join(text.splitlines()[-30:]), file=sys.stderr)
            raise UserError(f"{' '.join(line[:3])}: exit status {done.returncode}; see {log.name}")

    def measure(self, name: str) -> float:
        """The mean distance of ten draws of a published generator, of the rehearsal's own noise."""
        out, weights = self.folder / "measured", Path(self.weights[name])
        cache = self.folder / "cache" / "files"
        self.run("sid", "teacher", "import", cache / weights, "--out", out, "--kind", "generator")
        values = out / f"{name}.json"
        given = (out / f"{weights.stem}.safetensors", cache / self.moments)
        self.run(
            *("sid", "evaluate", *given, "--json", values, "--extractor", "inception-2015"),
            *("--n", self.asked["evaluation"]["n_final"], "--draws", 10, "--seed", ELSEWHERE),
            *("--implementations", "nvidia", "--metrics", "fd", "--allow-unequal-n", "--quiet"),
        )
        found = [record.value for record in read_records(values)]
        return sum(found) / len(found)

    def publish(self) -> None:
        """Measure the stand-ins, and print their numbers: one right, one wrong, one unverified."""
        with ThreadPoolExecutor(2) as pool:
            values = dict(zip(PLANTED, pool.map(self.measure, PLANTED), strict=True))
        # The other recipes are claimed to come as far as the first.
        values = {name: values.get(name, next(iter(values.values()))) for name in self.recipes}
        claims = cut_claims(self.names, list(PLANTED), self.asked["evaluation"]["n_final"])
        write_numbers(self.tables, claims, values, PLANTED)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a web server on loopback while the block runs."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def rehearse(cores: int) -> None:
    """Everything from the fetch to the page.

    Raises:
        UserError: a command fails, or a verdict is not what it must be.
    """
    folder = Path(read_layers(OVER)["results"]).parent
    shutil.rmtree(folder, ignore_errors=True)  # What an earlier rehearsal left.
    show = Rehearsal(folder)
    show.make()
    with serving(show.mirror) as address:
        show.environment["SID_MIRROR"] = address
        show.run("sid", "fetch", "--experiment", EXPERIMENT, "generator", "--quiet")
        show.publish()
        pages = Path(show.asked["reports"])
        show.run(
            *("sid", "verify", "--all", "--out", folder / "verify"),
            *("--reports", pages / "verify"),
        )
        show.run(
            *("snakemake", "--cores", cores, "--nolock", "--quiet", "rules"),
            *("--config", f"experiment={EXPERIMENT}", "--configfile", OVER),
        )
    both = (folder / "verify" / "records.csv", folder / EXPERIMENT / "records.csv")
    archive = folder / "bundle.tar.gz"
    show.run("sid", "bundle", *both, "--experiment", EXPERIMENT, "--out", archive)
    show.run("sid", "bundle", "check", archive)
    wanted = {f"{name}/fid": plant.verdict for name, plant in PLANTED.items()}
    for line in check(folder, wanted, claims_of(show.plan, load_claims(show.tables))):
        print(line)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    try:
        rehearse(parser.parse_args().cores)
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {explain(error)}")
