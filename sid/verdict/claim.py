"""Claims as data: what is claimed, by what protocol it is measured, and when it is kept."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from sid.config import lay_over, parse, read_yaml
from sid.errors import UserError
from sid.shipped import tables
from sid.verdict.entries import ClaimsFile, Criterion, Kind, Protocol, Stated, Subject
from sid.verdict.published import GRADES, Number, kimg_of, load_published, number_of

TEACHER = "teacher"  # As `against`: whatever the records have in the role of the teacher.
START = "start"  # As `against`, in the file: what the subject starts from.
Entry = TypeVar("Entry")


class Claim(NamedTuple):
    """One claim, with everything that judging it needs.

    Attributes:
        name: `<subject>/fid` of a published checkpoint, `<subject>/retrained-fid` of a recipe
            trained again, where `fid` is the number's name in small letters; else its key in the
            file.
        kind: which rule judges it.
        statement: a sentence.
        subject: the recipe.
        about: the subject's entry.
        against: another recipe, `teacher`, or empty.
        protocol: how the number is measured; its `reference` is a file.
        criterion: when the claim is kept.
        source: where it is made.
        evidence: grade of the source (`sid.verdict.published.GRADES`).
        number: the published number, for checkpoints and retraining.
        given: path of a file at hand that was measured in place of the published checkpoint, empty
            for none (`sid.verdict.given`).
    """

    name: str
    kind: Kind
    statement: str
    subject: str
    about: Subject
    against: str
    protocol: Protocol
    criterion: Criterion
    source: str
    evidence: str
    number: Number | None = None
    given: str = ""

    @property
    def dataset(self) -> str:
        """What records of its protocol have as `dataset`: the reference's name."""
        return Path(self.protocol.reference).stem or self.about.dataset


class Claims(NamedTuple):
    """All claims of a file.

    Attributes:
        path: the file.
        subjects: by name of the recipe, in the file's order, which is that of tables.
        claims: by name.
    """

    path: Path
    subjects: Mapping[str, Subject]
    claims: Mapping[str, Claim]


def load_claims(folder: Path | None = None) -> Claims:
    """The claims of a folder of published tables.

    Args:
        folder: with `claims.yaml`, `results.csv` and, if there is one, `checkpoints.csv`; None for
            `sid.shipped.tables`.

    Raises:
        UserError: a file is missing, a key is wrong, or names what is not in it.
    """
    path = (folder or tables()) / "claims.yaml"
    file = _read(path)
    numbers = load_published(path.parent / "results.csv")
    found: dict[str, Claim] = {}
    every = [
        *(claim for name in file.subjects for claim in _of_subject(path, file, numbers, name)),
        *(_stated(path, file, name, stated) for name, stated in file.claims.items()),
    ]
    for claim in every:
        if claim.name in found:
            raise UserError(f"{path}: {claim.name}: two claims have this name; rename one")
        found[claim.name] = claim
    return Claims(path, file.subjects, found)


def chosen(claims: Claims, names: Iterable[str], where: str) -> list[str]:
    """The claims that a person names.

    Args:
        claims: of which.
        names: of claims, or of subjects for all their checkpoint claims.
        where: what names them, for the error.

    Raises:
        UserError: one is neither, or no published checkpoint of that subject is judged.
    """
    found: dict[str, None] = {}
    for name in names:
        if name in claims.subjects:
            of = [c.name for c in claims.claims.values() if c.subject == name]
            of = [each for each in of if claims.claims[each].kind == "checkpoint"]
            if not of:
                raise UserError(
                    f"{where}: {name}: no published checkpoint of it is judged; name a claim"
                )
            found |= dict.fromkeys(of)
        elif name in claims.claims:
            found[name] = None
        else:
            near = difflib.get_close_matches(name, [*claims.claims, *claims.subjects], n=1)
            mend = f"did you mean {near[0]}?" if near else "`sid claims` lists them"
            raise UserError(f"{where}: {name}: no claim of {claims.path}; {mend}")
    return list(found)


def _read(path: Path) -> ClaimsFile:
    """The file with each entry laid over its bases, and with the images of training."""
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected keys and values, found {type(values).__name__}")
    bases = values.get("bases") or {}
    if not isinstance(bases, dict):
        raise UserError(f"{path}: bases: expected a section of keys and values")
    for section in set(values) - {"bases"}:
        if isinstance(values[section], dict):
            values[section] = {
                name: _laid(entry, bases, f"{path}: {section}.{name}")
                for name, entry in values[section].items()
            }
    file = parse(values, ClaimsFile, path)
    kimg = kimg_of(path.parent / "checkpoints.csv")
    subjects = {
        name: about.model_copy(update={"kimg": kimg.get(about.weights, about.kimg)})
        for name, about in file.subjects.items()
    }
    return file.model_copy(update={"subjects": subjects})


def _laid(entry: Any, bases: Mapping[str, Any], where: str) -> Any:
    """An entry laid over what its `base` names, one base or a list; the last lies on top."""
    if not isinstance(entry, dict) or "base" not in entry:
        return entry
    named = entry["base"]
    values: dict[str, Any] = {}
    for name in named if isinstance(named, list) else [named]:
        below = {key: base for key, base in bases.items() if key != name}  # None is its own base.
        values = lay_over(values, _laid(_entry(bases, str(name), f"{where}.base"), below, where))
    return lay_over(values, {key: value for key, value in entry.items() if key != "base"})


def _of_subject(path: Path, file: ClaimsFile, numbers: pd.DataFrame, name: str) -> list[Claim]:
    """The claims of a subject's published numbers."""
    about = file.subjects[name]
    claims: list[Claim] = []
    kinds: tuple[tuple[Kind, str, str, list[str]], ...] = (
        ("checkpoint", "", "has", about.checkpoint),
        ("retraining", "retrained-", "trained again, comes to", about.retraining),
    )
    for kind, prefix, verb, protocols in kinds:
        for short in protocols:
            where = f"{path}: subjects.{name}.{kind}"
            protocol = _protocol(file, short, about, where)
            asked = {
                "method": about.method,
                "nfe": str(about.nfe),
                "metric": protocol.number,
                **about.published,
            }
            number = number_of(numbers, asked, where, about.quoted)
            claims.append(
                Claim(
                    f"{name}/{prefix}{protocol.number.lower()}",
                    kind,
                    f"{about.title}, {verb} {protocol.number} {number.text} on {about.dataset}",
                    name,
                    about,
                    "",
                    protocol,
                    _entry(file.criteria, kind, path),
                    number.source,
                    number.evidence,
                    number,
                )
            )
    return claims


def _stated(path: Path, file: ClaimsFile, name: str, stated: Stated) -> Claim:
    """A claim that is no published number."""
    where = f"{path}: claims.{name}"
    subject = stated.subject or name.partition("/")[0]
    about = _entry(file.subjects, subject, f"{where}.subject")
    against = about.start if stated.against == START else stated.against
    if against not in ("", TEACHER):
        _entry(file.subjects, against, f"{where}.against")
    elif stated.against == START:
        raise UserError(f"{where}.against: {subject} has no start; give it one, or name a recipe")
    _entry(GRADES, stated.evidence, f"{where}.evidence")
    criterion = _entry(file.criteria, stated.criterion, f"{where}.criterion")
    titles = {key: entry.title for key, entry in file.subjects.items()}
    try:
        statement = stated.statement.format(
            subject=about.title,
            against=titles.get(against, against),
            dataset=about.dataset,
            bound=f"{criterion.bound:g}",
        )
    except (KeyError, IndexError, ValueError) as error:
        known = "{subject}, {against}, {dataset} and {bound}"
        raise UserError(f"{where}.statement: {error} in braces; known are {known}") from error
    return Claim(
        name,
        stated.kind,
        statement,
        subject,
        about,
        against,
        _protocol(file, stated.protocol, about, f"{where}.protocol"),
        criterion,
        stated.source,
        stated.evidence,
    )


def _protocol(file: ClaimsFile, name: str, about: Subject, where: str) -> Protocol:
    """A protocol of the file, with the reference of the subject's data set."""
    protocol = _entry(file.protocols, name, where)
    reference = protocol.reference.replace("{dataset}", about.dataset)
    return protocol.model_copy(update={"reference": reference})


def constants(claim: Claim, name: str) -> list[float]:
    """A constant of the claim's criterion, as a list.

    Raises:
        UserError: the criterion has none of this name.
    """
    found = claim.criterion.constants.get(name)
    if found is None:
        raise UserError(
            f"claims.yaml: claims.{claim.name}: its criterion has no constant {name}, which claims "
            f"of kind {claim.kind} need"
        )
    return found if isinstance(found, list) else [found]


def constant(claim: Claim, name: str) -> float:
    """The only value of a constant (see `constants`)."""
    return constants(claim, name)[0]


def _entry(section: Mapping[str, Entry], name: str, where: Path | str) -> Entry:
    if name not in section:
        raise UserError(f"{where}: {name} is none of {', '.join(section)}")
    return section[name]
