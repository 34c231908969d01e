"""An ONNX file of EfficientAD computed in float64 by PyTorch, which rounds so little that it can say who is further off."""
import numpy
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional


def _constant(tensor):
    values = torch.from_numpy(numpy.array(numpy_helper.to_array(tensor)))
    return values.double() if values.is_floating_point() else values


def _padded(x, pads):
    """pads: top, left, bottom, right."""
    return functional.pad(x, (pads[1], pads[3], pads[0], pads[2]))


def _conv(a, x, weight, bias=None):
    x = _padded(x, a.get("pads", [0] * 4))
    return functional.conv2d(x, weight, bias, a.get("strides", 1), groups=a.get("group", 1))


def _average_pool(a, x):
    assert a.get("count_include_pad") == 1 or not any(a.get("pads", [0])), "borders that do not count"
    return functional.avg_pool2d(_padded(x, a.get("pads", [0] * 4)), a["kernel_shape"], a["strides"])


def _resize(a, x, unused, scales):
    assert a["mode"] == b"linear" and a["coordinate_transformation_mode"] == b"half_pixel"
    size = [int(side * scale) for side, scale in zip(x.shape[2:], scales[2:].tolist())]
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def _slice(a, x, starts, ends, axes):
    for start, end, axis in zip(starts.tolist(), ends.tolist(), axes.tolist()):
        x = x.narrow(axis, start, min(end, x.shape[axis]) - start)
    return x


_OPS = {
    "Add": lambda a, x, y: x + y,
    "AveragePool": _average_pool,
    "Cast": lambda a, x: x.double(),
    "Conv": _conv,
    "Div": lambda a, x, y: x / y,
    "Flatten": lambda a, x: x.flatten(1),
    "Floor": lambda a, x: x.floor(),
    "GlobalMaxPool": lambda a, x: x.amax((2, 3), keepdim=True),
    "Identity": lambda a, x: x,
    "MatMul": lambda a, x, y: x @ y,
    "Mul": lambda a, x, y: x * y,
    "Pad": lambda a, x, pads: _padded(x, [pads[i] for i in (2, 3, 6, 7)]),
    "ReduceMean": lambda a, x: x.mean(a["axes"], keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda a, x: x.relu(),
    "Resize": _resize,
    "Slice": _slice,
    "Sub": lambda a, x, y: x - y,
    "Transpose": lambda a, x: x.permute(a["perm"]),
}


def load(path):
    """A function from an array to (map, score). KeyError for a node of another kind."""
    graph = onnx.load(path).graph
    constants = {tensor.name: _constant(tensor) for tensor in graph.initializer}

    def run(x):
        values = {"": None, graph.input[0].name: torch.from_numpy(x).double(), **constants}
        for node in graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            values[node.output[0]] = _OPS[node.op_type](attributes, *(values[name] for name in node.input))
        return [values[name].numpy() for name in ("anomaly_map", "pred_score")]

    return run
