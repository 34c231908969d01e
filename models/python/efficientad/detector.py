"""A model file, opened to score images."""

import ctypes
import math
import os
from typing import Any, Dict, Iterable, List, NamedTuple, NoReturn, Optional, Sequence, Tuple, Union

import numpy

from . import _library
from ._images import FileRules, Image, many, set_region, view_of
from ._library import LIBRARY, DetectorOptions, Error, Handle, ImageView, RunOptions, check, text_bytes, whole

Box = Tuple[int, int, int, int]


class Result(NamedTuple):
    """What a detector says of an image."""

    score: float
    """Higher is more anomalous; what the threshold is for."""
    anomalous: Optional[bool]
    """score >= threshold; None where the model has no threshold."""
    map: Optional[numpy.ndarray]
    """float32 [height, width], higher where the image looks unlike the good ones."""


class Detector:
    """A detector works in one thread at a time, any thread; several work side by side, since calls release the GIL.

    model: path of a .safetensors file that `train` made, or its bytes.
    device: "cpu", "cuda" or "cuda:1". precision: "fp32", "auto", ...; both as in efficientad.h.
    threads: CPU threads; 0: one a core. batch: images that go through the network at once in predict().
    maps: "both", "st" or "ae" of EfficientAD; None: as trained.
    max_pixels: most pixels of an image; 0: 16,384 x 16,384.
    Raises Error with the reason where it cannot be opened.
    """

    def __init__(self, model: Union[str, "os.PathLike[str]", bytes], *, device: str = "cpu", precision: str = "fp32",
                 threads: int = 0, batch: int = 1, maps: Optional[str] = None, max_pixels: int = 0) -> None:
        self._handle: Optional[Handle] = None
        handle, max_pixels = Handle(), whole("max_pixels", max_pixels, 64)
        self._batch = max(whole("batch", batch), 1)
        options = DetectorOptions(ctypes.sizeof(DetectorOptions), text_bytes("device", device),
                                  text_bytes("precision", precision), text_bytes("maps", maps) if maps else None,
                                  max_pixels, whole("threads", threads), whole("batch", batch))
        if isinstance(model, (bytes, bytearray, memoryview)):
            data = bytes(model)
            check(LIBRARY.ead_detector_open_memory(data, len(data), ctypes.byref(options), ctypes.byref(handle)))
        else:
            check(LIBRARY.ead_detector_open_with(_library.path_bytes(model), ctypes.byref(options),
                                                 ctypes.byref(handle)))
        self._handle = handle
        texts = self.metadata
        self._rules = FileRules(int(texts.get("image_bits", "0")), int(texts.get("image_white", "0")), max_pixels)

    # ---- scoring ----

    def __call__(self, image: Image, *, channels: str = "rgb", white: Optional[int] = None,
                 map: Union[bool, str] = True, out: Optional[numpy.ndarray] = None, box: Optional[Box] = None,
                 mask: Optional[numpy.ndarray] = None) -> Result:
        """Scores one image.

        image: a path, decoded as `efficientad predict` decodes it; a PIL image, as it is (no EXIF rotation); or a numpy
            array of any strides, also read-only: uint8 [height, width] gray, [height, width, 3] or [.., 4], whose alpha
            is not looked at; uint16 [height, width] gray.
        channels: of arrays: "rgb", or "bgr" as OpenCV has them. Nothing can tell them apart, and the wrong one gives
            wrong scores.
        white: of uint16, and of files with more than 8 bits: the value that counts as white, 4095 of a 12-bit camera;
            None: as in training.
        map: True: at the image's size; "model": at the model's, which is faster; False: none.
        out: float32 array of the map's shape, in C order, to write the map into; None: a new one.
        box, mask: region of interest of this call, which narrows the model's own: x, y, width and height in pixels;
            uint8 or bool [height, width] of the image, nonzero is inspected. What is outside moves nothing; nothing is
            cut out by it (image[y:y + h, x:x + w] does that).
        Raises Error, TypeError or ValueError.
        """
        return self._score([image], (channels, white), map, None if out is None else [out], (box, mask))[0]

    def predict(self, images: Iterable[Image], *, channels: str = "rgb", white: Optional[int] = None,
                map: Union[bool, str] = True, box: Optional[Box] = None,
                mask: Optional[numpy.ndarray] = None) -> List[Result]:
        """Scores many images, `batch` at a time; only so many are decoded at once. The same arguments.

        images: a list, a generator, an array [images, height, width, channels], ...; not one image, nor a folder.
        """
        results: List[Result] = []
        group: List[Image] = []
        for image in many(images):
            group.append(image)
            if len(group) == self._batch:
                results += self._score(group, (channels, white), map, None, (box, mask))
                group = []
        return results + (self._score(group, (channels, white), map, None, (box, mask)) if group else [])

    def _score(self, images: Sequence[Image], reading: Tuple[str, Optional[int]], map: Union[bool, str],
               outs: Optional[List[numpy.ndarray]],
               region: Tuple[Optional[Box], Optional[numpy.ndarray]]) -> List[Result]:
        count = len(images)
        if map not in (True, False, "model"):
            raise ValueError(f'map is {map!r}; it must be True, False or "model"')
        views, arrays = zip(*(view_of(image, *reading, self._rules) for image in images))
        maps = outs if map and outs else [self._new_map(view, map) for view in views] if map else []
        if outs:
            _check_out(outs[0], self._map_shape(views[0], map))
        places = (ctypes.c_void_p * count)(*(m.ctypes.data for m in maps)) if maps else None
        scores = (ctypes.c_float * count)()
        options = RunOptions(ctypes.sizeof(RunOptions),
                             _library.MAP_OF_MODEL if map == "model" else _library.MAP_OF_IMAGE)
        looked_at = set_region(options, *region)
        check(LIBRARY.ead_detector_run_images(self._open(), (ImageView * count)(*views), count,
                                              ctypes.byref(options), places, scores))
        del arrays, looked_at  # until here
        threshold = self.threshold
        return [Result(scores[i], None if threshold is None else scores[i] >= threshold, maps[i] if maps else None)
                for i in range(count)]

    def _map_shape(self, view: ImageView, map: Union[bool, str]) -> Tuple[int, int]:
        return self.model_size[::-1] if map == "model" else (view.height, view.width)

    def _new_map(self, view: ImageView, map: Union[bool, str]) -> numpy.ndarray:
        return numpy.empty(self._map_shape(view, map), numpy.float32)

    # ---- what the model file says ----

    @property
    def threshold(self) -> Optional[float]:
        """Scores from it on are anomalous; None where the model has none for these maps."""
        return _or_none(LIBRARY.ead_detector_threshold(self._open()))

    @property
    def pixel_threshold(self) -> Optional[float]:
        """Map values from it on belong to regions of defects."""
        return _or_none(LIBRARY.ead_detector_pixel_threshold(self._open()))

    @property
    def threshold_rule(self) -> Optional[str]:
        """What the threshold was chosen from, and what follows for the rate of false alarms."""
        text = LIBRARY.ead_detector_threshold_rule(self._open())
        return text.decode() if text else None

    @property
    def method(self) -> str:
        """"efficientad", "patchcore", ..."""
        return LIBRARY.ead_detector_method(self._open()).decode()

    @property
    def maps(self) -> str:
        """Which of the method's maps are used: "both", "st" or "ae"; "" of methods with one."""
        return LIBRARY.ead_detector_maps(self._open()).decode()

    @property
    def model_size(self) -> Tuple[int, int]:
        """Width and height at which the model looks at images."""
        handle = self._open()
        return LIBRARY.ead_detector_model_width(handle), LIBRARY.ead_detector_model_height(handle)

    @property
    def metadata(self) -> Dict[str, str]:
        """All texts of the model file: "config" (YAML), "version", "steps", "seed", ..."""
        handle = self._open()
        keys = [LIBRARY.ead_detector_metadata_key(handle, i)
                for i in range(LIBRARY.ead_detector_metadata_count(handle))]
        return {key.decode(): LIBRARY.ead_detector_metadata(handle, key).decode() for key in keys}

    # ---- its end ----

    def _open(self) -> Handle:
        handle = self._handle
        if handle is None:
            raise Error("the detector is closed")
        return handle

    def close(self) -> None:
        """Frees its memory, as soon as no thread works with it; harmless when repeated."""
        self._handle = None

    def __getstate__(self) -> NoReturn:
        raise TypeError("a detector cannot be copied or pickled; open its model again, in each process")

    def __enter__(self) -> "Detector":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()


def _or_none(value: float) -> Optional[float]:
    return None if math.isnan(value) else value


def _check_out(out: numpy.ndarray, shape: Tuple[int, int]) -> None:
    usable = isinstance(out, numpy.ndarray) and out.dtype == numpy.float32 and out.flags.c_contiguous \
        and out.flags.writeable and out.shape == shape
    if not usable:
        raise ValueError(f"out must be a writable float32 array of shape {shape} in C order")
