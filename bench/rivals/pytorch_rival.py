"""The first rival: times EfficientAD's inference and training step in PyTorch on the CPU, with the networks of
test/golden/reference_model.py (random weights; time does not depend on them).

    python3 bench/rivals/pytorch_rival.py --bench infer,step --model small --threads 2 --repeats 20

One JSON line a measurement goes to stdout, text for people to stderr. Inference is from the normalised image
to the combined map and its maximum; the step is Algorithm 1 with all losses, backward pass and Adam. distill is the
step of Algorithm 3 on features at hand, as halves; features is torchvision's backbone up to layer3 alone, on images of
twice the size, for which ours is timed with the pooling of its patches."""
import argparse
import itertools
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "golden"))
sys.dont_write_bytecode = True

try:
    import numpy as np
    import torch
except ImportError as error:
    sys.exit(f"pytorch_rival: {error}. Install Debian's python3-torch, or run bench/rivals/setup.sh and use "
             "PYTHON=build/rivals/venv/bin/python")

import reference_model as reference

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def size_pair(text):
    parts = [int(part) for part in text.lower().split("x")]
    size = (parts[0], parts[-1])
    if len(parts) > 2 or any(s < 128 or s % 64 for s in size):
        raise argparse.ArgumentTypeError(f"{text}: image sizes are multiples of 64 from 128 up, as 256 or 256x384")
    return size


def list_of(allowed):
    def parse(text):
        for part in text.split(","):
            if part not in allowed:
                raise argparse.ArgumentTypeError(f"{part} is none of {', '.join(allowed)}")
        return text.split(",")
    return parse


def parse_arguments(description, rivals=None):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if rivals:
        parser.add_argument("--rival", choices=rivals, required=True)
    parser.add_argument("--bench", type=list_of(["infer", "step", "distill", "features"]), default=["infer", "step"])
    parser.add_argument("--model", type=list_of(["small", "medium"]), default=["small", "medium"])
    parser.add_argument("--layout", type=list_of(list(LAYOUTS)), default=list(LAYOUTS))
    parser.add_argument("--precision", type=list_of(list(TYPES)), default=["fp32"])
    parser.add_argument("--batch", default="1", help="batch sizes of inference, as 1,16; the step always has 1")
    parser.add_argument("--distill-batch", type=int, default=16)
    parser.add_argument("--image-size", type=size_pair, default=(256, 256), help="256 or HEIGHTxWIDTH")
    parser.add_argument("--padded", action="store_true")
    parser.add_argument("--compile", action="store_true", help="torch.compile beside eager, if this PyTorch can")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    return parser.parse_args()


def prepared_model(size, options, layout, dtype):
    torch.manual_seed(1)
    model = reference.EfficientAd(size, options.padded, options.image_size)
    return model.to(dtype=dtype, memory_format=LAYOUTS[layout])


def images(batch, options, layout, dtype):
    image = torch.randn(batch, 3, *options.image_size, dtype=dtype)
    return image.to(memory_format=LAYOUTS[layout])


def inference(size, batch, options, layout, precision):
    """Returns a function that does one pass."""
    dtype = TYPES[precision]
    model, x = prepared_model(size, options, layout, dtype).eval(), images(batch, options, layout, dtype)

    def forward(image):
        combined = model.combined_map(*model.raw_maps(image))
        return combined, combined.amax(dim=(1, 2, 3))
    return forward, x


def infer_pass(size, batch, options, layout, precision, mode):
    forward, x = inference(size, batch, options, layout, precision)
    if mode == "compile":
        forward = torch.compile(forward)

    def run():
        with torch.inference_mode():
            forward(x)
    return run


def fast_adam(model):
    try:
        return model.optimizer(fused=True)
    except (RuntimeError, TypeError):  # PyTorch before 2.4 has no fused Adam on the CPU
        return model.optimizer()


def step_pass(size, _batch, options, layout, precision, mode):
    """bf16 means autocast: master weights stay fp32, as in training on a GPU."""
    model = prepared_model(size, options, layout, torch.float32).train()
    train, augmented, penalty = (images(1, options, layout, torch.float32) for _ in range(3))
    optimizer = fast_adam(model)
    losses = torch.compile(model.losses) if mode == "compile" else model.losses

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            total = losses(train, augmented, penalty)["total"]
        total.backward()
        optimizer.step()
    return run


def distill_pass(size, batch, options, layout, precision, mode):
    torch.manual_seed(1)
    teacher = reference.Pdn(size, reference.CHANNELS, True).to(memory_format=LAYOUTS[layout]).train()
    x = images(batch, options, layout, torch.float32)
    grid = reference.pdn_output_size(options.image_size, True)
    halves = torch.randn(batch, reference.CHANNELS, *grid).half().to(memory_format=LAYOUTS[layout])
    mean, std = torch.zeros(reference.CHANNELS, 1, 1), torch.ones(reference.CHANNELS, 1, 1)
    optimizer = torch.optim.Adam(teacher.parameters(), lr=1e-4, weight_decay=1e-5, fused=True)
    forward = torch.compile(teacher) if mode == "compile" else teacher

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = (((halves.float() - mean) / std - forward(x)) ** 2).mean()
        loss.backward()
        optimizer.step()
    return run


def features_pass(kind, batch, options, layout, precision, mode):
    import torchvision
    torch.manual_seed(1)
    model = getattr(torchvision.models, kind)(weights=None)
    layers = [model.conv1, model.bn1, model.relu, model.maxpool, model.layer1, model.layer2, model.layer3]
    trunk = torch.nn.Sequential(*layers).eval().to(dtype=TYPES[precision], memory_format=LAYOUTS[layout])
    x = torch.randn(batch, 3, *(2 * s for s in options.image_size)).to(dtype=TYPES[precision], memory_format=LAYOUTS[layout])
    forward = torch.compile(trunk) if mode == "compile" else trunk

    def run():
        with torch.inference_mode():
            forward(x)
    return run


PASSES = {"infer": infer_pass, "step": step_pass, "distill": distill_pass, "features": features_pass}
BACKBONES = ["resnet18", "resnet50", "wide_resnet101_2"]


def measure(run, options):
    """Times in milliseconds."""
    for _ in range(options.warmup):
        run()
    times = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - started))
    return times


def report(rival, version, key, times, options):
    bench, size, batch, layout, precision, mode = key
    result = {"rival": rival, "version": version, "bench": bench, "model": size, "batch": batch,
              "layout": layout, "precision": precision, "mode": mode,
              "image_size": "x".join(map(str, options.image_size)), "padded": options.padded,
              "median_ms": round(statistics.median(times), 3), "p10_ms": round(float(np.percentile(times, 10)), 3),
              "p90_ms": round(float(np.percentile(times, 90)), 3), "repeats": len(times),
              "threads": options.threads}
    print(json.dumps(result), flush=True)
    print(f"{rival:11} {bench:8} {size:16} batch {batch:<3} {precision} {layout:13} {mode:7} {result['median_ms']:9.1f} ms "
          f"(p10 {result['p10_ms']:.1f}, p90 {result['p90_ms']:.1f})", file=sys.stderr)


def cases(options):
    modes = ["eager", "compile"] if options.compile else ["eager"]
    if options.compile and not hasattr(torch, "compile"):
        print(f"PyTorch {torch.__version__} has no torch.compile: eager only", file=sys.stderr)
        modes = ["eager"]
    batches = {"infer": [int(part) for part in options.batch.split(",")], "distill": [options.distill_batch]}
    for bench in options.bench:
        models = BACKBONES if bench == "features" else options.model
        yield from itertools.product([bench], models, batches.get(bench, [1]), options.layout, options.precision, modes)


def main():
    options = parse_arguments(__doc__)
    torch.set_num_threads(options.threads)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", file=sys.stderr)
    failed = False
    for key in cases(options):
        try:
            times = measure(PASSES[key[0]](key[1], key[2], options, *key[3:]), options)
        except Exception as error:  # one case that this PyTorch cannot run must not cost the others
            failed = True
            print(f"{' '.join(map(str, key))}: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        report("pytorch", torch.__version__, key, times, options)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
