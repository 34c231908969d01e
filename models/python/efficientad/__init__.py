"""Anomaly detection in product images by EfficientAD, PatchCore, SimpleNet and FastFlow.

    import efficientad

    efficientad.train("photos/good", output="runs/mine", minutes=10)
    detector = efficientad.Detector("runs/mine/model.safetensors", threads=4)
    result = detector("photos/new/1.png")      # or a numpy or PIL image
    result.score, result.anomalous, result.map
"""

import importlib
from typing import TYPE_CHECKING, Any, List

from ._library import Error, PixelFormat
from ._version import __version__
from .detector import Detector, Result

if TYPE_CHECKING:
    from .estimator import GoodImages
    from .program import Progress, evaluate, run, train

__all__ = ["Detector", "Error", "GoodImages", "PixelFormat", "Progress", "Result", "__version__", "evaluate", "run",
           "train"]

_LATER = {"GoodImages": "estimator", "Progress": "program", "evaluate": "program", "run": "program", "train": "program"}


def __getattr__(name: str) -> Any:
    """What scores no images is imported where it is used: a program that only scores starts sooner."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(importlib.import_module("." + _LATER[name], __name__), name)
    return globals()[name]


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})
