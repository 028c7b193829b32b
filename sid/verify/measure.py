"""Draws of a published checkpoint, measured as its publishers did: records, one file a subject."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sid.errors import UserError
from sid.evaluate.evaluate import evaluate_network, origin
from sid.evaluate.records import Record, read_records, write_records
from sid.evaluate.session import Session
from sid.networks.architecture import parse_architecture
from sid.networks.weights import read_metadata
from sid.options import set_up_device
from sid.runs.world import join
from sid.teacher.sampler import PUBLISHED_SAMPLERS
from sid.verdict.claim import Claim
from sid.verdict.entries import Subject
from sid.verify.files import Source, checksum, import_weights
from sid.verify.passes import passes_of
from sid.verify.ways import How, Way, ways_of


def measure(
    subject: str,
    claims: Sequence[Claim],
    how: How,
    json: Path,
    weights: Path,
    given: Path | None = None,
) -> None:
    """Draw and measure what is not in `json` yet, and write it there.

    Draw k of every checkpoint starts from the noise of draw k of all others. What was measured
    before a kill is not measured again.

    Args:
        subject: name.
        claims: all its checkpoint claims.
        how: options.
        json: records of the subject.
        weights: folder for imported weights.
        given: a file at hand in place of the published one.

    Raises:
        UserError: a file cannot be had or read, is of another network, or `json` holds records of
            something else.
    """
    about, passes = claims[0].about, passes_of(claims)
    world, _ = join(set_up_device(how.device, how.threads))
    source = Source(how.folder, world, how.quiet)
    known = read_records(json) if json.exists() else []
    if given:
        check_file(json, known, checksum(given))
    path = import_weights(source, subject, about, given, weights)
    told = read_metadata(path)
    classes = parse_architecture(told["architecture"], path).label_dim
    fields = {
        "role": "external",
        "recipe": subject,
        "method": about.method,
        "images": 0 if given else round(about.kimg * 1000),
        "generated": given_name(given, about) if given else about.weights,
        "weights_sha256": origin(told, path)["weights_sha256"],
    }
    with Session(subject, json, how.measurement()) as session:
        ways: list[Way] = []
        for one in passes:
            ways += ways_of(session, source, one, how, about.dataset, classes)
        if not ways:
            raise UserError(f"{subject}: nothing of it can be measured without these images")
        check_file(json, known, fields["weights_sha256"])
        check_known(json, known, ways, fields)
        session.progress.expect(sum(way.draws * way.evaluator.passes(way.n) for way in ways))
        records = _drawn(session, ways, known, path, fields, sampler_of(about))
        last = max(way.draws for way in ways)
        records += [record for record in known if record.draw > last]
        if session.world.main and records != known:
            write_records(json, records)


def given_name(given: Path, about: Subject) -> str:
    """A file at hand as the records name it: its path, which no published file's name is."""
    return f"./{given}" if str(given) == about.weights else str(given)


def _drawn(
    session: Session,
    ways: Sequence[Way],
    known: Sequence[Record],
    path: Path,
    fields: dict[str, Any],
    sampler: dict[str, Any],
) -> list[Record]:
    """The records of every draw in every way, measured where they are not known."""
    records: list[Record] = []
    for draw in range(1, max(way.draws for way in ways) + 1):
        for way in (way for way in ways if draw <= way.draws):
            if found := of_draw(known, way, draw, fields):
                session.progress.advance(way.evaluator.passes(way.n))
            else:
                found = evaluate_network(
                    way.evaluator,
                    path,
                    way.n,
                    draws=[draw],
                    device=session.device,
                    about=fields,
                    **sampler,
                )
            records += found
    return records


def sampler_of(about: Subject) -> dict[str, Any]:
    """How a teacher is sampled, as arguments of `evaluate_network`; a generator takes one step."""
    if about.nfe == 1:
        return {}
    steps, _ = PUBLISHED_SAMPLERS.get(about.dataset, (0, None))
    if 2 * steps - 1 == about.nfe:
        return {"sampler": about.dataset}
    return {"steps": (about.nfe + 1) // 2}


def of_draw(known: Sequence[Record], way: Way, draw: int, fields: dict[str, Any]) -> list[Record]:
    """The records of a draw, if all implementations that are asked have measured it."""
    found = [record for record in known if record.draw == draw and way.fits(record, fields)]
    asked = {one.name for one in way.evaluator.implementations}
    return found if asked == {record.implementation for record in found} else []


def check_file(json: Path, known: Sequence[Record], weights_sha256: str) -> None:
    """See that what is known was measured of this file.

    Raises:
        UserError: it was of another.
    """
    for record in known:
        if record.weights_sha256 != weights_sha256:
            raise UserError(
                f"{json}: holds records of {record.recipe}, measured of another file (SHA-256 "
                f"{record.weights_sha256[:12]}, this is {weights_sha256[:12]}); give another "
                "--out, or move the file away"
            )


def check_known(
    json: Path, known: Sequence[Record], ways: Sequence[Way], fields: dict[str, Any]
) -> None:
    """See that what a file holds is what is asked for, so that nothing in it is lost.

    Raises:
        UserError: it holds records of other weights, of another number of images or of another
            reference.
    """
    strange = next(
        (record for record in known if not any(way.fits(record, fields) for way in ways)), None
    )
    if strange is None:
        return
    differ = [key for key, value in fields.items() if getattr(strange, key) != value]
    columns = [key for key in differ if key != "generated"]
    what = f"with another {columns[0]}" if columns else "in another way"
    raise UserError(
        f"{json}: holds records of {strange.recipe}, draw {strange.draw}, measured {what}; give "
        "another --out, or move the file away"
    )
