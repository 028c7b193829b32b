"""Small files in the official formats: pickles, a TorchScript extractor, moments, and tables."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor, nn

from sid.data.sets.digits import digits
from sid.evaluate.extractors.inception import load_inception
from sid.evaluate.extractors.published import PROGRAM
from sid.evaluate.features.moments import gaussian_of
from sid.evaluate.features.statistics import Statistics, write_statistics
from sid.files import sha256
from tests.teacher.test_importing import GIVEN, network
from workflow.rehearsal.official_pickle import dumps, edm_extras, snapshot

HOST = "https://far.invalid/published"
DATASET = "digits-8x8"
GENERATOR, OTHER, TEACHER = (
    "network-snapshot-1.200000-000100.pkl",
    "digits_sida_alpha1-000050.pkl",
    "edm-digits-8x8-cond-vp.pkl",
)
REAL = "VIRTUAL_digits.npz"  # Real images of another reference than the moments.
N, DRAWS = 60, 4
PROTOCOL = {
    "implementation": "nvidia",
    "extractor": "inception-2015",
    "n_images": N,
    "draws": DRAWS,
    "of": "mean of 10",
}


class Program(nn.Module):
    """The interface of NVIDIA's TorchScript program around two layers, without resizing."""

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.output = nn.Conv2d(3, 24, 4, stride=4), nn.Linear(96, 10)

    def forward(
        self,
        img: Tensor,
        return_features: bool = False,
        use_fp16: bool = False,
        no_output_bias: bool = False,
    ) -> Tensor:
        features = self.layers((img.to(torch.float32) - 128) / 128).relu().flatten(1)
        if return_features:
            return features
        return self.output(features).softmax(dim=1)


def write_files(folder: Path) -> None:
    """Every file, under the name that the tables have for it."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Program().eval()).save(str(folder / PROGRAM))
    for seed, name in enumerate((GENERATOR, OTHER)):
        (folder / name).write_bytes(dumps(snapshot(network(seed), GIVEN)))
    official = dumps(snapshot(network(2), GIVEN, **edm_extras()))
    (folder / TEACHER).write_bytes(official)
    extractor = load_inception(folder / PROGRAM)
    features = extractor.features_and_logits(torch.from_numpy(digits()[0]))[0].numpy()
    about = {"extractor": "inception-2015", "extractor_sha256": extractor.sha256}
    moments = Statistics("another name", gaussian_of(features), len(features), **about)
    write_statistics(folder / f"{DATASET}.npz", moments)
    np.savez(folder / "labels.npz", labels=digits()[1])
    np.savez(folder / REAL, arr_0=digits()[0][:200].transpose(0, 2, 3, 1))


def write_tables(files: Path, folder: Path, **numbers: str) -> None:
    """`files.csv`, `results.csv` and `claims.yaml`.

    Args:
        files: with what `write_files` wrote.
        folder: for the tables.
        numbers: the published FID of `sid`, `sida` and `teacher`.
    """
    rows = ["name,kind,url,sha256,bytes,purpose,source"]
    kinds = {PROGRAM: "detector", TEACHER: "teacher"}
    kinds |= dict.fromkeys((f"{DATASET}.npz", REAL), "reference")
    for path in sorted(files.iterdir()):
        known = sha256(path) if path.name == PROGRAM else ""
        kind = kinds.get(path.name, "generator")
        rows.append(f"{path.name},{kind},{HOST}/{path.name},{known},,a stand-in,here")
    (folder / "files.csv").write_text("\n".join(rows) + "\n")
    columns = "method,dataset,conditional,nfe,alpha,params,metric,value,std"
    rows = [f"{columns},source,source_locator,note,evidence"]
    nfes = {"sid": 1, "sida": 1, "teacher": 5}
    for method, number in {**dict.fromkeys(nfes, "1.00"), **numbers}.items():
        rows.append(f"{method},digits,cond,{nfes[method]},,,FID,{number},,here,,,primary")
    rows.append("sida,digits,cond,1,,,precision,0.5,,here,,,primary")
    (folder / "results.csv").write_text("\n".join(rows) + "\n")
    published = {"dataset": "digits", "conditional": "cond"}
    about = {"dataset": DATASET, "published": published, "checkpoint": ["fid"]}
    subjects: dict[str, Any] = {
        "digits-sid": {"title": "SiD", "method": "sid", "weights": GENERATOR, "kimg": 100},
        "digits-sida": {
            "title": "SiDA",
            "method": "sida",
            "weights": OTHER,
            "checkpoint": ["fid", "precision"],
        },
        "edm-digits": {"title": "Teacher", "method": "teacher", "weights": TEACHER, "nfe": 5},
    }
    criterion = {"text": "within 2 %", "bound": 0.02, "level": 0.9, "fixed": ""}
    protocol = {**PROTOCOL, "metric": "frechet_distance", "number": "FID", "labels": "data set"}
    seen = {"implementation": "ours", "metric": "precision", "number": "precision"}
    claims = {
        "protocols": {
            "fid": {**protocol, "reference": "{dataset}.npz"},
            "precision": {**protocol, **seen, "reference": REAL},
        },
        "criteria": {"checkpoint": criterion, "retraining": criterion},
        "subjects": {name: {**about, **one} for name, one in subjects.items()},
    }
    (folder / "claims.yaml").write_text(yaml.safe_dump(claims))
