"""Anomaly detection in product images by EfficientAD, PatchCore, SimpleNet and FastFlow.

    import efficientad

    efficientad.train("photos/good", output="runs/mine", minutes=10)
    detector = efficientad.Detector("runs/mine/model.safetensors", threads=4)
    result = detector("photos/new/1.png")      # or a numpy or PIL image
    result.score, result.anomalous, result.map
"""

from ._library import Error, PixelFormat
from ._version import __version__
from .detector import Detector, Result
from .estimator import GoodImages
from .program import Progress, evaluate, run, train

__all__ = ["Detector", "Error", "GoodImages", "PixelFormat", "Progress", "Result", "__version__", "evaluate", "run",
           "train"]
