"""The one door to torchvision, torch-fidelity and clean-fid.

torchvision registers shapes for its compiled operators on import; where a CPU build of torch meets
a torchvision compiled for CUDA, the operators are missing and the import fails. No metric uses
them, so they are declared here and the import is tried again.
"""

import warnings

import torch

# Operators live as long as this does.
LIBRARY = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]

try:
    import torchvision  # type: ignore[import-untyped]
except RuntimeError as error:
    if "operator torchvision::nms does not exist" not in str(error):
        raise
    for _name in ("nms", "qnms"):
        _schema = f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        LIBRARY.define(_schema)  # type: ignore[no-untyped-call]
    import torchvision

with warnings.catch_warnings():
    # Both import pkg_resources-era modules that warn about themselves.
    warnings.simplefilter("ignore")
    import torch_fidelity
    from cleanfid import features as clean_fid_features
    from cleanfid import fid as clean_fid
    from cleanfid import inception_torchscript as clean_fid_torchscript

__all__ = [
    "clean_fid",
    "clean_fid_features",
    "clean_fid_torchscript",
    "torch_fidelity",
    "torchvision",
]
