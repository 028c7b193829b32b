"""Small published tables of our own, so that no test rests on the shipped numbers."""

from pathlib import Path

from sid.verdict.claim import Claims, load_claims
from sid.verdict.entries import Subject
from sid.verdict.published import COLUMNS

CLAIMS = """
protocols:
  fid:
    metric: frechet_distance
    number: FID
    implementation: nvidia
    extractor: inception-2015
    n_images: 50000
    draws: 10
    of: mean of 10
  is:
    metric: inception_score
    number: IS
    implementation: nvidia
    extractor: inception-2015
    n_images: 50000
    draws: 10
  here: {metric: frechet_distance, implementation: ours, draws: 3}
criteria:
  checkpoint: {text: within 2 %, bound: 0.02, level: 0.9, fixed: ""}
  retraining: {text: within 5 %, bound: 0.05, level: 0.9, fixed: ""}
  ranking: {text: below 1, bound: 1.0, level: 0.95, fixed: ""}
subjects:
  edm:
    title: EDM
    method: EDM VP
    dataset: cifar10-32x32
    published: {dataset: cifar10-32, conditional: uncond}
    weights: edm-cifar10-32x32-uncond-vp.pkl
    nfe: 35
    checkpoint: [fid]
  u-sid-1:
    title: SiD, alpha = 1.0
    method: SiD
    dataset: cifar10-32x32
    published: {dataset: cifar10-32, conditional: uncond, alpha: "1.0"}
    kimg: 400000
    checkpoint: [fid]
    retraining: [fid]
  u-sid-1.2:
    title: SiD, alpha = 1.2
    method: SiD
    dataset: cifar10-32x32
    published: {dataset: cifar10-32, conditional: uncond, alpha: "1.2"}
    kimg: 403968
    quoted: [{alpha: ""}]
    checkpoint: [fid, is]
    retraining: [fid, is]
  u-sida-1:
    title: SiDA, alpha = 1.0
    method: SiDA
    dataset: cifar10-32x32
    published: {dataset: cifar10-32, conditional: uncond, alpha: "1.0"}
    kimg: 217920
    checkpoint: [fid]
    retraining: [fid]
  u-sid2a-1:
    title: SiD2A, alpha = 1.0
    method: SiD2A
    dataset: cifar10-32x32
    published: {dataset: cifar10-32, conditional: uncond, alpha: "1.0"}
    kimg: 28160
    start: u-sid-1.2
    checkpoint: [fid]
    retraining: [fid]
  u-sid2a-1.2:
    title: SiD2A, alpha = 1.2
    method: SiD2A
    dataset: cifar10-32x32
    published: {dataset: cifar10-32, conditional: uncond, alpha: "1.2"}
    kimg: 22528
    start: u-sid-1.2
    checkpoint: [fid]
    retraining: [fid]
  c-sid-1.2:
    title: SiD, alpha = 1.2
    method: SiD
    dataset: cifar10-32x32
    published: {dataset: cifar10-32, conditional: cond, alpha: "1.2"}
    kimg: 713312
    checkpoint: [fid]
  sid: {title: SiD, method: SiD, dataset: digits}
  sida: {title: SiDA, method: SiDA, dataset: digits}
  sid2a: {title: SiD2A, method: SiD2A, dataset: digits, start: sid}
  sid-continued: {title: SiD continued, method: SiD, dataset: digits, start: sid}
  diff-instruct: {title: Diff-Instruct, method: Diff-Instruct, dataset: digits}
claims:
  sid2a-improves:
    kind: ranking
    criterion: ranking
    protocol: here
    statement: SiD2A improves on its SiD
    subject: sid2a
    against: sid
    source: SiDA, arXiv 2410.14919
"""
HEAD = (
    "method,dataset,conditional,nfe,metric,value,std,alpha,params,"
    "source,source_locator,note,evidence"
)
RESULTS = """
SiD,cifar10-32,uncond,1,FID,1.923,,1.2,,README,,,primary
SiD,cifar10-32,uncond,1,FID,1.92,,1.2,,RealUID,,,secondary
SiD,cifar10-32,uncond,1,FID,1.98,,1.2,,SCT,,,secondary
SiD,cifar10-32,uncond,1,IS,9.980,,1.2,,SiD paper,,,unverified
SiD,cifar10-32,uncond,1,FID,1.92,,,,GDD,,,secondary
SiD,cifar10-32,uncond,1,FID,1.89,,,,Elsewhere,,,secondary
SiD,cifar10-32,uncond,1,FID,2.03,,1.0,,SCT,,,secondary
SiDA,cifar10-32,uncond,1,FID,1.516,,1.0,,SiDA paper,,,primary
SiD2A,cifar10-32,uncond,1,FID,1.499,,1.0,,README,,,primary
SiD2A,cifar10-32,uncond,1,FID,1.30,,1.2,,hearsay,,,unverified
SiD,cifar10-32,cond,1,FID,1.710,,1.2,,README,,,primary
EDM VP,cifar10-32,uncond,35,FID,1.97,,,,NVlabs/edm,,,primary
DDPM,cifar10-32,uncond,1000,FID,3.17,,,,IMM,,,secondary
iCT,cifar10-32,uncond,1,FID,2.83,,,,sCM,,,secondary
iCT,cifar10-32,uncond,2,FID,2.46,,,,sCM,,,secondary
iCT,cifar10-32,uncond,1,IS,9.54,,,,sCM,,,secondary
Fast & Rare_1,cifar10-32,uncond,,FID,1.00,,,,hearsay,,,unverified
iCT,imagenet-64,cond,1,FID,4.02,,,,sCM,,,secondary
"""
FAMILIES = """method,family
DDPM,Diffusion
EDM VP,Diffusion
iCT,Consistency
SiD,Score identity distillation
SiDA,Score identity distillation
SiD2A,Score identity distillation
"""


# Five recipes for `benchmarks.report.cifar10`: kimg and distance of the end, method and start.
RECIPES = {
    "u-sid-1": (416768.0, 2.03, "sid", ""),
    "u-sid-1.2": (403968.0, 1.92, "sid", ""),
    "u-sida-1": (217920.0, 1.52, "sida", ""),
    "u-sid2a-1": (28160.0, 1.50, "sida", "u-sid-1.2"),
    "u-sid2a-1.2": (22528.0, 1.52, "sida", "u-sid-1.2"),
}
# The recipes of the synthetic digits.
DIGITS = {
    name: Subject(title=title, method=method, dataset="digits", start=start)
    for name, title, method, start in (
        ("sid", "SiD", "SiD", ""),
        ("sida", "SiDA", "SiDA", ""),
        ("sid2a", "SiD2A", "SiD2A", "sid"),
        ("sid-continued", "SiD continued", "SiD", "sid"),
        ("diff-instruct", "Diff-Instruct", "Diff-Instruct", ""),
    )
}
NAMES = {name: about.title for name, about in DIGITS.items()}


def write_published(folder: Path, claims: str = CLAIMS) -> Path:
    """Write `claims.yaml`, `results.csv`, `checkpoints.csv` and `families.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "claims.yaml").write_text(claims)
    (folder / "results.csv").write_text(HEAD + RESULTS)
    (folder / "families.csv").write_text(FAMILIES)
    (folder / "checkpoints.csv").write_text(",".join(COLUMNS["checkpoints.csv"]) + "\n")
    return folder


def claims_in(folder: Path) -> Claims:
    """The claims of such tables."""
    return load_claims(write_published(folder))
