"""The first rival: times EfficientAD's inference and training step in PyTorch, with the networks of
test/golden/reference_model.py (random weights; time does not depend on them).

    python3 bench/rivals/pytorch_rival.py --bench infer,step --model small --threads 2 --repeats 20
    python3 bench/rivals/pytorch_rival.py --device cuda --precision tf32,fp16 --modes eager,compile,graph

One JSON line a measurement goes to stdout, text for people to stderr. Inference is from the normalised image
to the combined map and its maximum, on a GPU from the host and back to it; the step is Algorithm 1 with all losses,
backward pass and Adam. On a GPU steps follow one another without the host waiting, ten to a measurement. distill is
the step of Algorithm 3 on features at hand, as halves; features is torchvision's backbone up to layer3 alone, on
images of twice the size, for which ours is timed with the pooling of its patches; both on the CPU only."""
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
TYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
MODES = ["eager", "compile", "graph"]  # graph: eager, captured once as a CUDA graph and replayed
STEPS_OF_A_PASS = 10  # on a GPU


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
    parser.add_argument("--modes", type=list_of(MODES), default=["eager"],
                        help="eager, compile (torch.compile; on a GPU with CUDA graphs), graph (GPU only)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    return parser.parse_args()


class CapturableEfficientAd(reference.EfficientAd):
    """The same loss without a selection whose size the host would have to know."""

    @staticmethod
    def hard_loss(distance, quantile):
        mask = distance >= torch.quantile(distance.detach(), quantile)
        return (distance * mask).sum() / mask.sum()


def prepared_model(size, options, layout, dtype):
    torch.manual_seed(1)
    kind = reference.EfficientAd if options.device == "cpu" else CapturableEfficientAd
    model = kind(size, options.padded, options.image_size)
    return model.to(device=options.device, dtype=dtype, memory_format=LAYOUTS[layout])


def images(batch, options, layout, dtype):
    """On the host; pinned if they have to go to a GPU."""
    image = torch.randn(batch, 3, *options.image_size).to(dtype=dtype, memory_format=LAYOUTS[layout])
    return image if options.device == "cpu" else image.pin_memory()


def compiled(function, options):
    return torch.compile(function) if options.device == "cpu" else torch.compile(function, mode="reduce-overhead")


def captured(work):
    """Replays what `work` does, after it has warmed up apart from the default stream."""
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def inference(size, batch, options, layout, precision):
    """Returns a function that does one pass."""
    dtype = TYPES[precision]
    model, x = prepared_model(size, options, layout, dtype).eval(), images(batch, options, layout, dtype)

    def forward(image):
        combined = model.combined_map(*model.raw_maps(image))
        return combined, combined.amax(dim=(1, 2, 3))
    return forward, x


def forward_once(forward, x):
    with torch.no_grad():
        return [result.clone() for result in forward(x)]


def infer_pass(size, batch, options, layout, precision, mode):
    forward, x = inference(size, batch, options, layout, precision)
    if mode == "compile":
        forward = compiled(forward, options)

    def run():
        with torch.inference_mode():
            forward(x)

    if options.device == "cpu":
        return run
    on_device = x.cuda()
    results = [torch.empty_like(r, device="cpu").pin_memory() for r in forward_once(forward, on_device)]

    def work():
        with torch.no_grad():
            on_device.copy_(x, non_blocking=True)
            for result, found in zip(results, forward(on_device)):
                result.copy_(found, non_blocking=True)
    work = captured(work) if mode == "graph" else work

    def run_on_gpu():
        work()
        torch.cuda.synchronize()
    return run_on_gpu


def fast_adam(model, options):
    if options.device == "cuda":
        return model.optimizer(fused=True, capturable=True)
    try:
        return model.optimizer(fused=True)
    except (RuntimeError, TypeError):  # PyTorch before 2.4 has no fused Adam on the CPU
        return model.optimizer()


def step_pass(size, _batch, options, layout, precision, mode):
    """bf16 means autocast: master weights stay fp32."""
    if precision == "fp16":
        raise ValueError("no training in fp16")
    model = prepared_model(size, options, layout, torch.float32).train()
    hosts = [images(1, options, layout, torch.float32) for _ in range(3)]
    inputs = [image.to(options.device) for image in hosts]
    optimizer = fast_adam(model, options)
    losses = compiled(model.losses, options) if mode == "compile" else model.losses

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(options.device, dtype=torch.bfloat16, enabled=precision == "bf16"):
            total = losses(*inputs)["total"]
        total.backward()
        optimizer.step()

    if options.device == "cpu":
        return run
    work = captured(run) if mode == "graph" else run

    def run_on_gpu():
        for _ in range(STEPS_OF_A_PASS):
            for image, host in zip(inputs, hosts):
                image.copy_(host, non_blocking=True)
            work()
        torch.cuda.synchronize()
    return run_on_gpu


def set_precision(precision):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
    torch.backends.cudnn.benchmark = True


def only_on_cpu(bench, options):
    if options.device != "cpu":
        raise ValueError(f"{bench} is measured on the CPU only")


def distill_pass(size, batch, options, layout, precision, mode):
    only_on_cpu("distill", options)
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
    only_on_cpu("features", options)
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


def measure(run, options, per_pass=1):
    """Times in milliseconds of one of the per_pass things that run() does."""
    for _ in range(options.warmup):
        run()
    times = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - started) / per_pass)
    return times


def report(rival, version, key, times, options):
    bench, size, batch, layout, precision, mode = key
    result = {"rival": rival, "version": version, "bench": bench, "model": size, "batch": batch,
              "layout": layout, "precision": precision, "mode": mode,
              "image_size": "x".join(map(str, options.image_size)), "padded": options.padded,
              "median_ms": round(statistics.median(times), 3), "p10_ms": round(float(np.percentile(times, 10)), 3),
              "p90_ms": round(float(np.percentile(times, 90)), 3), "repeats": len(times),
              "threads": options.threads, "device": options.device}
    print(json.dumps(result), flush=True)
    print(f"{rival:11} {bench:8} {size:16} batch {batch:<3} {precision} {layout:13} {mode:7} {result['median_ms']:9.3f} ms "
          f"(p10 {result['p10_ms']:.3f}, p90 {result['p90_ms']:.3f})", file=sys.stderr)


def cases(options):
    modes = list(options.modes)
    if "compile" in modes and not hasattr(torch, "compile"):
        print(f"PyTorch {torch.__version__} has no torch.compile", file=sys.stderr)
        modes.remove("compile")
    batches = {"infer": [int(part) for part in options.batch.split(",")], "distill": [options.distill_batch]}
    for bench in options.bench:
        models = BACKBONES if bench == "features" else options.model
        yield from itertools.product([bench], models, batches.get(bench, [1]), options.layout, options.precision, modes)


def main():
    options = parse_arguments(__doc__)
    torch.set_num_threads(options.threads)
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("pytorch_rival: this PyTorch sees no GPU")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", file=sys.stderr)
    failed = False
    for key in cases(options):
        per_pass = STEPS_OF_A_PASS if options.device == "cuda" and key[0] == "step" else 1
        try:
            set_precision(key[4])
            times = measure(PASSES[key[0]](key[1], key[2], options, *key[3:]), options, per_pass)
        except Exception as error:  # one case that this PyTorch cannot run must not cost the others
            failed = True
            print(f"{' '.join(map(str, key))}: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        report("pytorch", torch.__version__, key, times, options)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
