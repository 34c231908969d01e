"""Writes and reads .safetensors files with numpy alone: the package of that name is missing where Debian's PyTorch is."""
import json
import struct
from pathlib import Path

import numpy as np

TYPES = {np.dtype("float32"): "F32", np.dtype("float64"): "F64", np.dtype("uint8"): "U8", np.dtype("int64"): "I64"}
ALIGNMENT = 8  # the header is filled up with spaces so that float64 data starts aligned


def write(path, tensors, metadata):
    """tensors: {name: array}, largest element type first and then by name, so that all data stays aligned."""
    header, blocks, offset = {"__metadata__": {key: str(value) for key, value in metadata.items()}}, [], 0
    arrays = {name: np.asarray(value, order="C") for name, value in tensors.items()}
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        data = arrays[name].tobytes()
        header[name] = {"dtype": TYPES[arrays[name].dtype], "shape": list(arrays[name].shape),
                        "data_offsets": [offset, offset + len(data)]}
        blocks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blocks))


def read(path):
    """{name: array} and the metadata of a file that write() wrote."""
    data, types = Path(path).read_bytes(), {name: dtype for dtype, name in TYPES.items()}
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:begin])
    metadata, tensors = header.pop("__metadata__"), {}
    for name, entry in header.items():
        first, end = (begin + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[first:end], types[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
