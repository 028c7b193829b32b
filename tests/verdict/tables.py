"""A small folder of published tables, of a paper with one method on one data set."""

from pathlib import Path

CLAIMS = """\
bases:
  toy: {dataset: toys, published: {dataset: toy-8, alpha: "1.0"}, method: Toy}
  lower: {kind: ranking, criterion: ranking, protocol: fid, source: our paper}
protocols:
  fid:
    {metric: frechet_distance, number: FID, implementation: ours, n_images: 100, draws: 3,
     reference: "{dataset}.npz", of: mean of 10}
criteria:
  checkpoint: {text: within 2 %, bound: 0.02, level: 0.9, fixed: abc1234}
  retraining: {text: within 5 %, bound: 0.05, level: 0.9, fixed: ""}
  ranking: {text: below, bound: 1, level: 0.9, fixed: ""}
subjects:
  toy: {base: toy, title: Toy, weights: toy-5.pkl, checkpoint: [fid], retraining: [fid]}
  toy2: {base: [toy], title: Toy twice, start: toy}
claims:
  toy2/lower: {base: lower, statement: "{subject} is below {against} on {dataset}", against: start}
  plain:
    base: lower
    statement: below {bound} times the teacher
    subject: toy
    against: teacher
"""
HEAD = "method,dataset,conditional,nfe,alpha,params"
SOURCES = "source,source_locator,note,evidence"
RESULTS = f"""\
{HEAD},metric,value,std,{SOURCES}
Toy,toy-8,,1,1.0,,FID,2.5,,README,table,,primary
Toy,toy-8,,1,1.0,,FID,2.51,0.02,paper,Table 1,,secondary
Other,toy-8,,1,,,FID,3.5,,paper,,,secondary
"""
CHECKPOINTS = f"""\
{HEAD},kimg,{SOURCES}
Toy,toy-8,,1,1.0,,5,README,files: weights/toy-5.pkl,,primary
"""


def make_tables(folder: Path, claims: str = CLAIMS, results: str = RESULTS) -> Path:
    """The folder, with `claims.yaml`, `results.csv` and `checkpoints.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "claims.yaml").write_text(claims)
    (folder / "results.csv").write_text(results)
    (folder / "checkpoints.csv").write_text(CHECKPOINTS)
    return folder
