"""What users call an image, as the view that the library takes, without a copy where its rows allow it."""

import ctypes
import os
import sys
from typing import Any, Iterable, NamedTuple, Optional, Tuple, Union

import numpy

from . import _library
from ._library import ImageView, PixelFormat, RunOptions, whole

Image = Union[str, "os.PathLike[str]", numpy.ndarray, Any]

_FORMATS = {("rgb", 3): PixelFormat.RGB8, ("bgr", 3): PixelFormat.BGR8, ("rgb", 4): PixelFormat.RGBA8,
            ("bgr", 4): PixelFormat.BGRA8}


class FileRules(NamedTuple):
    """How files are read: by the number of bits that count or the value that is white, 0: as they say; 0: the usual most."""

    bits: int = 0
    white: int = 0
    max_pixels: int = 0


def read_file(path: Union[str, "os.PathLike[str]"], rules: FileRules = FileRules()) -> numpy.ndarray:
    """Decodes PNG, JPEG, BMP, TIFF or WebP as predict does: uint8 [height, width, 3], RGB, upright."""
    library = _library.files()
    pixels, width, height = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
    _library.check(library.ead_image_file_read(_library.path_bytes(path), *rules, ctypes.byref(pixels),
                                               ctypes.byref(width), ctypes.byref(height)), library)
    image = numpy.empty((height.value, width.value, 3), numpy.uint8)
    ctypes.memmove(image.ctypes.data, pixels, image.nbytes)
    library.ead_image_file_free(pixels)
    return image


def _is_pil(image: Any) -> bool:
    pil = sys.modules.get("PIL.Image")
    return pil is not None and isinstance(image, pil.Image)


def _of_pil(image: Any) -> numpy.ndarray:
    if image.mode == "F":
        raise TypeError('a PIL image of mode "F", whose white is not known; give "L", "RGB", "RGBA" or "I;16"')
    if image.mode.startswith("I"):  # what older versions of Pillow make of files of 16 bits has 32
        array = numpy.asarray(image)
        if array.size and not 0 <= array.min() <= array.max() <= 65535:
            raise ValueError(f"a PIL image with values from {array.min()} to {array.max()}; they must be 0 to 65535")
        return array.astype(numpy.uint16, copy=False)
    return numpy.asarray(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB"))


def _as_array(image: Image, rules: FileRules) -> Tuple[numpy.ndarray, bool]:
    """The pixels, and whether their order is known to be RGB."""
    if isinstance(image, (str, os.PathLike)):
        return read_file(image, rules), True
    if _is_pil(image):
        return _of_pil(image), True
    if isinstance(image, numpy.ndarray):
        return image, False
    raise TypeError(f"an image of type {type(image).__name__}; give a path, a numpy array or a PIL image")


def many(images: Any) -> Iterable[Image]:
    """What a caller calls many images; one, or a folder, would be taken apart: into rows, into letters."""
    one = isinstance(images, (str, bytes, os.PathLike)) or _is_pil(images)
    if isinstance(images, numpy.ndarray):
        one = images.ndim < 3 or images.ndim == 3 and images.shape[2] in (1, 3, 4)
    try:
        return iter(None if one else images)
    except TypeError:
        raise TypeError(f"{type(images).__name__} where many images are expected; give a list of one, or the paths in a "
                        'folder, pathlib.Path(folder).glob("*.png")') from None


def _format_of(array: numpy.ndarray, channels: str) -> PixelFormat:
    if channels not in ("rgb", "bgr"):
        raise ValueError(f'channels is {channels!r}; it must be "rgb" or "bgr"')
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == numpy.uint16 and array.ndim == 2 and array.dtype.isnative:
        return PixelFormat.GRAY16
    if array.dtype != numpy.uint8:
        raise TypeError(f"an image of {array.dtype}, shape {array.shape}; give uint8 (0 to 255), or uint16 of one channel "
                        "in the machine's order")
    if array.ndim == 2:
        return PixelFormat.GRAY8
    if array.ndim != 3 or (channels, array.shape[2]) not in _FORMATS:
        raise ValueError(f"an image of shape {array.shape}; give [height, width] or [height, width, 1, 3 or 4]")
    return _FORMATS[channels, array.shape[2]]


def _rows_are_usable(array: numpy.ndarray) -> bool:
    """Whether pixels follow each other within a row, and rows do not overlap."""
    step = array.itemsize
    for size, stride in zip(reversed(array.shape[1:]), reversed(array.strides[1:])):
        if size > 1 and stride != step:
            return False
        step *= size
    return array.shape[0] < 2 or abs(array.strides[0]) >= step


def view_of(image: Image, channels: str, white: Optional[int] = None, rules: FileRules = FileRules()) \
        -> Tuple[ImageView, numpy.ndarray]:
    """The view, and the array that it looks at, which must outlive it. rules: of files, where white is None."""
    if white is not None and not 1 <= whole("white", white) <= 65535:
        raise ValueError(f"white is {white}; it must be 1 to 65535")
    array, known = _as_array(image, rules if white is None else rules._replace(bits=0, white=white))
    pixel_format = _format_of(array, "rgb" if known else channels)
    if not _rows_are_usable(array):
        array = numpy.ascontiguousarray(array)
    if white is not None and pixel_format != PixelFormat.GRAY16 and not known:
        raise ValueError(f"white is {white} of an image of {array.dtype}; it is for uint16")
    gray16 = pixel_format == PixelFormat.GRAY16
    row = array.nbytes // array.shape[0] if array.shape[0] else 0
    view = ImageView(ctypes.sizeof(ImageView), array.__array_interface__["data"][0], array.shape[1], array.shape[0],
                     array.strides[0] if array.shape[0] > 1 else row, pixel_format, white or 0 if gray16 else 0)
    return view, array


def set_region(options: RunOptions, box: Optional[Tuple[int, int, int, int]], mask: Optional[numpy.ndarray]) \
        -> Optional[numpy.ndarray]:
    """Puts a region of interest into the options of a call; gives the array that they look at, which must outlive them."""
    if box is not None:
        if not isinstance(box, (tuple, list, numpy.ndarray)) or len(box) != 4 or whole("the width of box", box[2]) < 1:
            raise ValueError(f"box is {box!r}; it must be x, y, width and height in pixels")
        options.box_x, options.box_y, options.box_width, options.box_height = (whole("a number of box", v) for v in box)
    if mask is None:
        return None
    if not isinstance(mask, numpy.ndarray) or mask.ndim != 2 or mask.dtype not in (numpy.uint8, numpy.bool_):
        raise TypeError("mask must be an array of uint8 or bool, [height, width] of the images")
    mask = numpy.ascontiguousarray(mask)
    options.mask = mask.__array_interface__["data"][0]
    options.mask_height, options.mask_width = mask.shape
    return mask
