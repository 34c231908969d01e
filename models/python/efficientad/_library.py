"""The C library by ctypes: structs and prototypes of efficientad.h, and how failures become exceptions."""

import ctypes
import enum
import operator
import os
from typing import Any, Optional, Union

FOLDER = os.path.dirname(os.path.abspath(__file__))


class Error(RuntimeError):
    """A failure that the library tells: one line with file, value and cure; of train() and evaluate() one
    line for each thing that is wrong, and how many they are. status: its number."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class PixelFormat(enum.IntEnum):
    """EadPixelFormat."""

    RGB8, BGR8, RGBA8, BGRA8, GRAY8, GRAY16 = range(6)


class DetectorOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("device", ctypes.c_char_p), ("precision", ctypes.c_char_p),
                ("maps", ctypes.c_char_p), ("max_pixels", ctypes.c_int64), ("threads", ctypes.c_int),
                ("batch", ctypes.c_int)]


class ImageView(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("pixels", ctypes.c_void_p), ("width", ctypes.c_int),
                ("height", ctypes.c_int), ("stride", ctypes.c_ssize_t), ("format", ctypes.c_int),
                ("white", ctypes.c_int)]


class RunOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("map_size", ctypes.c_int), ("mask", ctypes.c_void_p),
                ("mask_stride", ctypes.c_ssize_t), ("mask_width", ctypes.c_int), ("mask_height", ctypes.c_int),
                ("box_x", ctypes.c_int), ("box_y", ctypes.c_int), ("box_width", ctypes.c_int),
                ("box_height", ctypes.c_int)]


MAP_OF_IMAGE, MAP_OF_MODEL = 0, 1

_detector, _text, _int, _float = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_float
_PROTOTYPES = {
    "ead_detector_open_with": (_int, [_text, ctypes.POINTER(DetectorOptions), ctypes.POINTER(_detector)]),
    "ead_detector_open_memory": (_int, [_text, ctypes.c_size_t, ctypes.POINTER(DetectorOptions),
                                        ctypes.POINTER(_detector)]),
    "ead_detector_close": (None, [_detector]),
    "ead_detector_run_images": (_int, [_detector, ctypes.POINTER(ImageView), _int, ctypes.POINTER(RunOptions),
                                       ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(_float)]),
    "ead_detector_model_width": (_int, [_detector]),
    "ead_detector_model_height": (_int, [_detector]),
    "ead_detector_threshold": (_float, [_detector]),
    "ead_detector_pixel_threshold": (_float, [_detector]),
    "ead_detector_threshold_rule": (_text, [_detector]),
    "ead_detector_method": (_text, [_detector]),
    "ead_detector_maps": (_text, [_detector]),
    "ead_detector_metadata": (_text, [_detector, _text]),
    "ead_detector_metadata_count": (_int, [_detector]),
    "ead_detector_metadata_key": (_text, [_detector, _int]),
    "ead_error_message": (_text, []),
}
_FILE_PROTOTYPES = {
    "ead_image_file_read": (_int, [_text, _int, _int, ctypes.c_int64, ctypes.POINTER(ctypes.c_void_p),
                                   ctypes.POINTER(_int), ctypes.POINTER(_int)]),
    "ead_image_file_free": (None, [ctypes.c_void_p]),
    "ead_error_message": (_text, []),
}


def _load(name: str, prototypes: dict) -> ctypes.CDLL:
    library = ctypes.CDLL(os.path.join(FOLDER, "lib", name))
    for function, (result, arguments) in prototypes.items():
        getattr(library, function).restype = result
        getattr(library, function).argtypes = arguments
    return library


LIBRARY = _load("libefficientad.so", _PROTOTYPES)
_files: Optional[ctypes.CDLL] = None


def files() -> ctypes.CDLL:
    """The library for image files, which is loaded when the first one is read."""
    global _files
    if _files is None:
        _files = _load("libefficientad_files.so", _FILE_PROTOTYPES)
    return _files


def path_bytes(path: Union[str, "os.PathLike[str]"]) -> bytes:
    """As the library takes a path: it ends at a zero byte."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError(f"a path with a zero byte: {path!r}")
    return encoded


def whole(name: str, value: Any, bits: int = 32) -> int:
    """A whole number of the caller's, which ctypes would cut to so many bits without a word."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; it must be a whole number") from None
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise ValueError(f"{name} is {number}, which is too large")
    return number


def text_bytes(name: str, value: Any) -> bytes:
    """As the library takes a text."""
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{name} is {value!r}; it must be a text without zero bytes")
    return value.encode()


class Handle(ctypes.c_void_p):
    """A detector of the library. It is closed when nothing refers to it any more: not in the middle of another thread's call."""

    def __del__(self) -> None:
        LIBRARY.ead_detector_close(self)


def check(status: int, library: ctypes.CDLL = LIBRARY) -> None:
    """Raises what the last call of this thread failed with."""
    if status:
        raise Error(library.ead_error_message().decode("utf-8", "replace"), status)
