"""The same in scikit-learn's manner; scikit-learn itself is not needed."""

import os
import struct
import tempfile
import zlib
from typing import Any, Callable, Dict, Iterable, List, Optional, Union

import numpy

from ._images import Image, view_of
from ._library import PixelFormat
from .detector import Detector
from .program import Progress, train

_PARAMETERS = ("method", "image_size", "steps", "minutes", "channels", "device", "threads", "settings", "progress")


def _png(image: Image, channels: str) -> bytes:
    """The image as an 8-bit PNG without loss."""
    view, array = view_of(image, channels)
    if view.format == PixelFormat.GRAY16:
        raise TypeError("images of uint16 cannot be fitted from arrays; give paths")
    if array.ndim == 3 and array.shape[2] > 1:
        array = array[:, :, 2::-1] if view.format in (PixelFormat.BGR8, PixelFormat.BGRA8) else array[:, :, :3]
    height, width, color = array.shape[0], array.shape[1], array.ndim == 3 and array.shape[2] == 3
    rows = numpy.zeros((height, 1 + width * (3 if color else 1)), numpy.uint8)  # each begins with its filter, 0
    rows[:, 1:] = array.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if color else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) \
        + chunk(b"IEND", b"")


class GoodImages:
    """An outlier detector that is fitted on good images: predict() gives 1 for good ones and -1 for anomalous ones.

    Parameters are those of train(); channels those of Detector. It can be cloned and pickled."""

    def __init__(self, method: Optional[str] = None, image_size: Optional[Union[int, str]] = None,
                 steps: Optional[int] = None, minutes: Optional[float] = None, channels: str = "rgb",
                 device: str = "cpu", threads: int = 0, settings: Optional[Dict[str, Any]] = None,
                 progress: Optional[Callable[[Progress], Any]] = None) -> None:
        self.method, self.image_size, self.steps, self.minutes = method, image_size, steps, minutes
        self.channels, self.device, self.threads = channels, device, threads
        self.settings, self.progress = settings, progress

    def get_params(self, deep: bool = True) -> Dict[str, Any]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in _PARAMETERS}

    def set_params(self, **parameters: Any) -> "GoodImages":
        """Sets some of them."""
        for name, value in parameters.items():
            if name not in _PARAMETERS:
                raise ValueError(f"no parameter {name!r}; there are {', '.join(_PARAMETERS)}")
            setattr(self, name, value)
        return self

    def fit(self, X: Union[str, "os.PathLike[str]", Iterable[Image]], y: None = None) -> "GoodImages":
        """Trains on good images: a folder, or paths, arrays or PIL images. y is ignored. model_: the model file's bytes."""
        with tempfile.TemporaryDirectory(prefix="efficientad.") as folder:
            good = X
            if not isinstance(X, (str, os.PathLike)):
                good = os.path.join(folder, "good")
                os.mkdir(good)
                for i, image in enumerate(X):
                    with open(os.path.join(good, f"{i:06}.png"), "wb") as file:
                        file.write(_png(image, self.channels))
            path = train(good, os.path.join(folder, "run"), method=self.method, image_size=self.image_size,
                         steps=self.steps, minutes=self.minutes, device=self.device, threads=self.threads,
                         settings=self.settings, progress=self.progress)
            with open(path, "rb") as file:
                self.model_ = file.read()
        self._detector: Optional[Detector] = None
        return self

    def score_samples(self, X: Iterable[Image]) -> numpy.ndarray:
        """The negated scores [images]: higher is better, as scikit-learn has it."""
        if not hasattr(self, "model_"):
            raise ValueError("this GoodImages is not fitted yet; call fit() first")
        if self._detector is None:
            self._detector = Detector(self.model_, device=self.device, threads=self.threads)
        results = self._detector.predict(X, channels=self.channels, map=False)
        return -numpy.array([result.score for result in results])

    def decision_function(self, X: Iterable[Image]) -> numpy.ndarray:
        """threshold - score [images]: positive for good images."""
        scores = self.score_samples(X)
        threshold = self._detector.threshold if self._detector else None
        if threshold is None:
            raise ValueError("the model has no threshold: threshold.method is none")
        return threshold + scores

    def predict(self, X: Iterable[Image]) -> numpy.ndarray:
        """1 for good images, -1 for those whose score reaches the threshold."""
        return numpy.where(self.decision_function(X) > 0, 1, -1)

    def fit_predict(self, X: List[Image], y: None = None) -> numpy.ndarray:
        """Both, of the same images."""
        return self.fit(X).predict(X)

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_detector": None}
