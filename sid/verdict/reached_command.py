"""`sid reached`: whether a run in training has reached its claim, and may end."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from sid.data.zips import read_zip
from sid.evaluate.measured import deal
from sid.evaluate.runs import joined
from sid.evaluate.session import Measurement, Session
from sid.files import write_json
from sid.options import with_options
from sid.runs.folder import RunFolder
from sid.verdict.claim import load_claims
from sid.verdict.reached import claim_to_reach, contender, fresh_draws, judge_alone


@with_options
def reached(
    run: Annotated[Path, typer.Argument(help="Folder of a distillation, which may be going on.")],
    data: Annotated[Path, typer.Argument(help="The real images, a zip in EDM's layout.")],
    claim: Annotated[str, typer.Option(help="Of kind retraining, about the run's recipe.")],
    json: Annotated[Path, typer.Option(help="Where to write the records of the fresh draws.")],
    options: Measurement,
    n_final: Annotated[
        int, typer.Option(help="Images of each draw, where the claim does not say.", min=20)
    ] = 20000,
) -> None:
    """Look whether a run has reached a published number, and write RUN/reached.json if it has.

    Where the best snapshot measured so far is within the claim's margin, it is drawn anew as often
    as the claim asks for, by the claim's implementation, and these draws decide. The next leg that
    finds the file ends the run. It is about this run alone: one run says nothing of training again.

    Example: sid reached results/distill/sid/seed0 results/data/cifar10-32x32.zip
    --claim cifar10-uncond-sid-alpha1.2/retrained-fid --json results/reached.json
    --extractor inception-2015 --statistics cifar10-32x32.npz
    """
    folder = RunFolder(run)
    chosen = claim_to_reach(load_claims(), claim, folder)
    by = replace(options, implementations=chosen.protocol.implementation)
    with Session(f"reached {run}", json, by, dealt=True) as session:
        main = session.world.main
        found = contender(folder, chosen) if main else None
        # The first process decides: others may read the folder later, when more is measured.
        images = session.world.maximum(found.images if found else -1)
        why, records = found.why if found else "", []
        if images >= 0:
            evaluator = session.evaluator(read_zip(data))
            n = chosen.protocol.n_images or n_final
            pieces = fresh_draws(evaluator, folder, images, chosen, n, session.device)
            session.progress.expect(sum(piece.worth for piece in pieces))
            records = joined(deal(pieces, session.workspace.folder, session.progress))
            alone = judge_alone(records, chosen)
            why = alone.why
            if main and alone.reached:
                write_json(folder.reached, alone.reached)
        session.write(records)
        if main:
            print(f"{run}: {chosen.name}: {why}")


def register(cli: typer.Typer) -> None:
    """Put this command on the command line."""
    cli.command()(reached)
