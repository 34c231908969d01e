"""The rivals that run ONNX files: times EfficientAD's inference in onnxruntime or OpenVINO on the CPU, in fp32, with
the networks that pytorch_rival.py times.

    python3 bench/rivals/onnx_rivals.py --rival openvino --model small --threads 2 --repeats 20

The networks are exported once to build/rivals/ with an image and PyTorch's map of it; a rival whose map differs is
refused. One JSON line a measurement goes to stdout, text for people to stderr."""
import inspect
import sys
import warnings
from pathlib import Path

import pytorch_rival as common
from pytorch_rival import np, torch

TOLERANCE = 1e-3  # of the map's largest value
FOLDER = Path(__file__).resolve().parents[2] / "build" / "rivals"


class Inference(torch.nn.Module):
    """Normalised image to combined map and its maximum."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        combined = self.model.combined_map(*self.model.raw_maps(image))
        return combined, combined.amax(dim=(1, 2, 3))


def exported(size, batch, options):
    """Paths of the ONNX file and of the image with PyTorch's map, both made if they are missing or stale."""
    height, width = options.image_size
    stem = f"{size}-{'padded-' * options.padded}{batch}x{height}x{width}"
    network, expected = FOLDER / f"{stem}.onnx", FOLDER / f"{stem}.npz"
    source = Path(common.reference.__file__).stat().st_mtime
    if network.exists() and expected.exists() and expected.stat().st_mtime > source:
        return network, expected
    FOLDER.mkdir(parents=True, exist_ok=True)
    inference = Inference(common.prepared_model(size, options, "contiguous", torch.float32)).eval()
    x = common.images(batch, options, "contiguous", torch.float32)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        combined, _ = inference(x)
        old = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
        torch.onnx.export(inference, x, str(network), opset_version=17, **old)
    np.savez(expected, x=x.numpy(), map=combined.numpy())
    return network, expected


def onnxruntime_pass(network, x, options):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(str(network), settings, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: x}
    return (lambda: session.run(None, inputs)[0]), onnxruntime.__version__


def openvino_pass(network, x, options):
    import openvino
    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": options.threads,
                "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(core.read_model(str(network)), "CPU", settings).create_infer_request()
    return (lambda: request.infer([x])[0]), openvino.__version__


PASSES = {"onnxruntime": onnxruntime_pass, "openvino": openvino_pass}


def check(rival, result, expected):
    error = float(np.abs(result - expected).max() / np.abs(expected).max())
    if not error <= TOLERANCE:
        sys.exit(f"onnx_rivals: the map of {rival} is {error:.1e} off PyTorch's")


def main():
    options = common.parse_arguments(__doc__, rivals=list(PASSES))
    if options.precision != ["fp32"]:
        sys.exit("onnx_rivals: fp32 only")
    for size in options.model:
        for batch in map(int, options.batch.split(",")):
            network, expected = exported(size, batch, options)
            known = np.load(expected)
            run, version = PASSES[options.rival](network, known["x"], options)
            check(options.rival, run(), known["map"])
            times = common.measure(run, options)
            common.report(options.rival, version, ("infer", size, batch, "nchw", "fp32", "onnx"), times, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
