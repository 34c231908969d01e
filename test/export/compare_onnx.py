#!/usr/bin/env python3
"""Exports models and holds what other runtimes make of the files against what `efficientad predict` says.

    compare_onnx.py --model FILE [--images DIR]      one model: both forms, batch 1 and 3, images of five sizes
    compare_onnx.py --model FILE --metrics DIR/test  the test images of a category, in folders as those of MVTec AD: AU-ROC
                                                     and AU-PRO, too
    compare_onnx.py --matrix DIR [--program FILE]    trains EfficientAD-S and -M, padded and not, at 128, 256 and 256x512,
                                                     for a few steps in DIR, and does the same with each

Prints, for each file and runtime, the largest difference of maps (as a part of the range of that map) and of scores
(relative), how many verdicts differ, and by how much AU-ROC and AU-PRO. Where scores in fp32 differ by more than the limit, the
file is computed in float64 too, for these images, and the program's score must be that near to it; both distances are told.
Exit code 1 where one is beyond the limits, 77 where a package is missing. Needs numpy, Pillow, onnx, PyTorch for that, and of onnxruntime, openvino,
opencv, tract those that --runtimes names.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

SIZES = [(128, 128), (320, 320), (301, 517), (96, 640), (768, 1024)]  # height, width
DRAWN = "drawn_"
LIMITS = {"fp32": (1e-4, 1e-5), "fp16": (2e-2, 2e-2)}  # of maps, of scores
METRICS = {"image_auroc": "AU-ROC", "au_pro_0.30": "AU-PRO"}
METRICS_LIMIT = 1e-3


# ---- runtimes: a function that loads a file and returns one from an array to (map, score) ----


def load_onnxruntime(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(["anomaly_map", "pred_score"], {name: x})


def load_openvino(path):
    import openvino

    core = openvino.Core()
    model = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(x):
        found = model(x)
        return found["anomaly_map"], found["pred_score"]

    return run


def load_opencv(path):
    import cv2

    network = cv2.dnn.readNetFromONNX(path)

    def run(x):
        network.setInput(x.astype(numpy.float32) if x.dtype == numpy.uint8 else x)
        return network.forward(["anomaly_map", "pred_score"])

    return run


def load_tract(path):
    import tract

    def run(x):
        model = tract.onnx().load(path)
        model.set_input_fact(0, f"{','.join(map(str, x.shape))},{'u8' if x.dtype == numpy.uint8 else 'f32'}")
        return [value.to_numpy() for value in model.into_model().into_runnable().run([x])]

    return run


LOADERS = {"onnxruntime": load_onnxruntime, "openvino": load_openvino, "opencv": load_opencv, "tract": load_tract}


# ---- what they are held against ----


def program_says(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def predict(program, model, paths, folder):
    """Path -> (map, score, verdict)."""
    lines = program_says(program, "predict", "-q", "--model", model, "--maps", folder, *paths).splitlines()
    found = {}
    for line in map(json.loads, lines):
        values = numpy.asarray(Image.open(line["map"]), numpy.float32)
        found[line["path"]] = values, line["score"], line.get("anomalous")
    return found


def measure(program, test, found):
    """The metrics of path -> (map, score, ...), of the images below `test`."""
    category = os.path.dirname(os.path.abspath(test))
    with tempfile.TemporaryDirectory() as folder:
        maps, scores, output = (os.path.join(folder, name) for name in ("maps", "scores.jsonl", "measured"))
        with open(scores, "w") as file:
            for path, (values, score, *_) in found.items():
                target = os.path.join(maps, os.path.splitext(os.path.relpath(path, test))[0] + ".npy")
                os.makedirs(os.path.dirname(target), exist_ok=True)
                numpy.save(target, values)
                print(json.dumps({"path": path, "score": float(score)}), file=file)
        settings = f"dataset.path={os.path.dirname(category)}", f"dataset.category={os.path.basename(category)}"
        settings = [word for setting in settings for word in ("--set", setting)]
        program_says(program, "measure", "-q", "--maps", maps, "--scores", scores, *settings, "-o", output)
        with open(os.path.join(output, "metrics.json")) as file:
            metrics = json.load(file)
        return {key: metrics[key] for key in METRICS}


def export(program, model, path, *options):
    """The threshold that the file tells, or None."""
    program_says(program, "export", "--model", model, "-o", path, *options)
    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    thresholds = [numpy.float32(entry.value) for entry in written.metadata_props if entry.key == "threshold"]
    return thresholds[0] if thresholds else None


def pixels_of(path, tensor):
    pixels = numpy.asarray(Image.open(path).convert("RGB"))
    return numpy.ascontiguousarray(pixels.transpose(2, 0, 1), numpy.float32) / 255 if tensor else pixels


def relative(a, b):
    return abs(float(a) - float(b)) / abs(float(b))


class Judge:
    """The scores of a file in float64, each computed once."""

    def __init__(self, path, tensor):
        self.path, self.tensor, self.known = path, tensor, {}

    def score(self, image):
        import onnx_in_double

        if image not in self.known:
            self.known[image] = float(onnx_in_double.load(self.path)(pixels_of(image, self.tensor)[None])[1].item())
        return self.known[image]


class Worst:
    """The largest differences so far."""

    def __init__(self, precision):
        self.precision = precision
        self.map = self.score = 0.0
        self.verdicts = self.images = self.judged = 0
        self.ours = self.theirs = 0.0  # from float64, of those that were judged
        self.found = {}  # path -> (map, score)
        self.moved = {}  # metric -> its difference

    def add(self, got_map, got_score, expected, threshold, image, judge):
        values, score, verdict = expected
        span = values.max() - values.min() or abs(values).max()  # a map of one pixel has no range
        self.map = max(self.map, float(abs(got_map - values).max() / span))
        self.score = max(self.score, relative(got_score, score))
        self.verdicts += threshold is not None and (got_score >= threshold) != verdict
        self.images += 1
        self.found[image] = got_map, got_score
        if self.precision == "fp32" and relative(got_score, score) > LIMITS["fp32"][1]:
            self.judged += 1
            self.ours = max(self.ours, relative(score, judge.score(image)))
            self.theirs = max(self.theirs, relative(got_score, judge.score(image)))

    def is_within(self):
        of_maps, of_scores = LIMITS[self.precision]
        verdicts = self.verdicts == 0 or self.precision != "fp32"
        metrics = all(abs(moved) <= METRICS_LIMIT for moved in self.moved.values())
        return self.map <= of_maps and (self.ours if self.judged else self.score) <= of_scores and verdicts and metrics

    def __str__(self):
        judged = f" ({self.judged} judged in float64: predict {self.ours:.1e}, it {self.theirs:.1e})" if self.judged else ""
        text = f"{self.images:3} images: map {self.map:.1e}, score {self.score:.1e}{judged}, {self.verdicts} verdicts"
        text += "".join(f", {METRICS[key]} {100 * moved:+.4f} points" for key, moved in self.moved.items())
        return text if self.is_within() else text + "  FAILED"


def compare(run, judge, threshold, paths, expected, batch, worst):
    """Runs images of one size, `batch` at a time; of drawn ones, which are three of each size, one where batch is 1."""
    drawn = os.path.basename(paths[0]).startswith(DRAWN)
    for first in range(0, 1 if drawn and batch == 1 else len(paths), batch):
        part = paths[first : first + batch]
        maps, scores = run(numpy.stack([pixels_of(p, judge.tensor) for p in part]))
        maps, scores = numpy.reshape(maps, (len(part), *maps.shape[-2:])), numpy.reshape(scores, -1)
        for p, got_map, got_score in zip(part, maps, scores):
            worst.add(got_map, got_score, expected[p], threshold, p, judge)


# ---- images ----


def draw(folder, height, width, count):
    """Flat cells with noise, as PNG."""
    random = numpy.random.default_rng(height * 65536 + width)
    paths = []
    for i in range(count):
        cells = random.integers(0, 248, ((height + 15) // 16, (width + 15) // 16, 3))
        image = numpy.kron(cells, numpy.ones((16, 16, 1), int))[:height, :width]
        image = (image + random.integers(0, 8, image.shape)).astype(numpy.uint8)
        paths.append(os.path.join(folder, f"{DRAWN}{height}x{width}_{i}.png"))
        Image.fromarray(image).save(paths[-1])
    return paths


def images_by_size(arguments, folder):
    """(height, width) -> paths: drawn ones, or those below --images."""
    images = arguments.images or arguments.metrics
    if not images:
        return {size: draw(folder, *size, 3) for size in arguments.sizes}
    found = {}
    for root, _, names in os.walk(images):
        for name in sorted(names):
            path = os.path.join(root, name)
            with Image.open(path) as image:
                found.setdefault(image.size[::-1], []).append(path)
    return found


# ---- one model, and all ----


class Predictions:
    """What `predict` says of a model's images, each asked for once."""

    def __init__(self, program, model, folder):
        self.program, self.model, self.folder, self.known = program, model, folder, {}

    def of(self, paths):
        if paths[0] not in self.known:
            maps = os.path.join(self.folder, f"maps_{len(self.known)}")
            self.known.update(predict(self.program, self.model, paths, maps))
        return self.known


def compare_form(arguments, model, form, precision, batches, groups, predictions, folder):
    """(runtime, batch) -> Worst of the images of all sizes."""
    worst = {(runtime, batch): Worst(precision) for runtime in arguments.runtimes for batch in batches}
    for (height, width), paths in groups.items():
        options = ["--input", form, "--precision", precision, "--batch", arguments.fixed]
        options += ["--size", f"{width}x{height}"] if form == "camera" else []
        path = os.path.join(folder, "model.onnx")
        threshold = export(arguments.program, model, path, *options)
        judge = Judge(path, form == "tensor")
        for runtime in arguments.runtimes:
            run = LOADERS[runtime](path)
            for batch in batches:
                compare(run, judge, threshold, paths, predictions.of(paths), batch, worst[runtime, batch])
    return worst


def check_model(arguments, model, name):
    """Whether all is within the limits; prints a line for each form, runtime and batch."""
    good = True
    with tempfile.TemporaryDirectory() as folder:
        predictions = Predictions(arguments.program, model, folder)
        of_model = {model_size(model): draw(folder, *model_size(model), 3)}
        of_cameras = images_by_size(arguments, folder)
        for form, precision, batches in arguments.forms:
            groups = of_model if form == "tensor" else of_cameras
            found = compare_form(arguments, model, form, precision, batches, groups, predictions, folder)
            for (runtime, batch), worst in found.items():
                if arguments.metrics and form == "camera":
                    known = {path: predictions.known[path] for path in worst.found}
                    ours, theirs = (measure(arguments.program, arguments.metrics, of) for of in (known, worst.found))
                    worst.moved = {key: theirs[key] - ours[key] for key in METRICS}
                good &= worst.is_within()
                print(f"{name:24} {form:6} {precision} batch {batch} {runtime:11} {worst}", flush=True)
    return good


def model_size(model):
    with open(model, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    sides = [int(side) for side in header["__metadata__"]["image_size"].split("x")]
    return sides[0], sides[-1]


def train(program, folder, size, padding, image_size):
    run = os.path.join(folder, f"{size}_{'padded' if padding else 'unpadded'}_{image_size}")
    model = os.path.join(run, "model.safetensors")
    if os.path.exists(model):
        return model
    data = os.path.join(folder, "data")
    if not os.path.exists(data):
        drawing = ["synth", "--output", data, "--train", "4", "--test-good", "1", "--test-defect", "0", "--textures", "3"]
        program_says(program, *drawing)
    settings = {
        "dataset.path": data,
        "dataset.category": "gasket",
        "penalty.path": f"{data}/textures",
        "model.size": size,
        "model.padding": str(padding).lower(),
        "model.image_size": image_size,
        "train.steps": "2",
        "train.lr_drop_at": "1",
    }
    options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    program_says(program, "train", "-q", "-o", run, *options)
    return model


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/efficientad")
    parser.add_argument("--model")
    parser.add_argument("--matrix")
    parser.add_argument("--images", help="folder of pictures, instead of drawn ones")
    parser.add_argument("--metrics", help="folder of a category's test images")
    parser.add_argument("--runtimes", default="onnxruntime,openvino", type=lambda text: text.split(","))
    parser.add_argument("--forms", default="camera/fp32/1+3,tensor/fp32/1+3,camera/fp16/1")
    parser.add_argument("--sizes", help="of drawn images, 128x128,301x517 (height x width)")
    parser.add_argument("--direct", action="store_true", help="predict without Winograd, whose rounding is larger")
    parser.add_argument("--fixed", default="0", help="--batch of export")
    arguments = parser.parse_args()
    split = [form.split("/") for form in arguments.forms.split(",")]
    arguments.forms = [(form, precision, [int(b) for b in batches.split("+")]) for form, precision, batches in split]
    sizes = arguments.sizes.split(",") if arguments.sizes else []
    arguments.sizes = [tuple(map(int, size.split("x"))) for size in sizes] or SIZES
    return arguments


def main():
    arguments = parse()
    for runtime in arguments.runtimes:
        module = {"opencv": "cv2"}.get(runtime, runtime)
        try:
            __import__(module)
        except ImportError as missing:
            print(f"skipped: {missing}")
            sys.exit(77)
    if arguments.direct:
        os.environ["EFFICIENTAD_CONV"] = "direct"
    good = True
    if arguments.model:
        good &= check_model(arguments, arguments.model, name_of(arguments.model))
    for size in ("small", "medium") if arguments.matrix else ():
        for padding in False, True:
            for image_size in "128", "256", "256x512":
                model = train(arguments.program, arguments.matrix, size, padding, image_size)
                good &= check_model(arguments, model, name_of(model))
    sys.exit(0 if good else 1)


def name_of(model):
    return os.path.basename(os.path.dirname(os.path.abspath(model)))


if __name__ == "__main__":
    main()
