"""PatchCore's rivals, with a ResNet-50 whose batch norm is folded (Caffe's strides, as the file says), 224x224, layer2
and layer3:

fit    anomalib's model on a folder of good images: reading, features, coreset.
infer  the same network in onnxruntime, and faiss's exact search, which multiplies all pairs, so that its time does not
       depend on the numbers (ours does): bank and queries are random, as many as ours; reading, scaling, joining of
       the layers, filter and map are left out, to the rivals' advantage.

    python3 bench/rivals/patchcore_rival.py fit --backbone resnet50.safetensors --images bottle/train/good --ratio 0.1
    python3 bench/rivals/patchcore_rival.py infer --backbone resnet50.safetensors --bank 16385

Needs torch, torchvision, safetensors; fit: anomalib; infer: onnx, onnxruntime, faiss-cpu. One JSON line a measurement."""
import argparse
import json
import os
import time
from pathlib import Path

SIDE, LAYERS = 224, ["layer2", "layer3"]


def features_of(path):
    """The network up to layer3 as a module that gives {"layer2": ..., "layer3": ...}."""
    import torch
    from safetensors import safe_open
    from torchvision.models import resnet50
    from torchvision.models._utils import IntermediateLayerGetter
    net = resnet50(norm_layer=lambda channels: torch.nn.Identity())
    del net.layer4, net.fc
    with safe_open(path, "pt") as file:
        caffe = file.metadata().get("variant", "").startswith("caffe")
        for name, module in net.named_modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight = torch.nn.Parameter(file.get_tensor(name + ".weight").float())
                module.bias = torch.nn.Parameter(file.get_tensor(name + ".bias").float())
    if caffe:
        net.maxpool = torch.nn.MaxPool2d(3, 2, ceil_mode=True)
        for stage in (net.layer2, net.layer3):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return IntermediateLayerGetter(net, {layer: layer for layer in LAYERS}).eval()


def images_of(folder, count, batch):
    import torch
    from torchvision.io import ImageReadMode, read_image
    from torchvision.transforms.functional import normalize, resize
    paths = sorted(Path(folder).glob("*.png"))[:count]
    for first in range(0, len(paths), batch):
        images = [resize(read_image(str(p), ImageReadMode.RGB).float() / 255, [SIDE, SIDE]) for p in paths[first:first + batch]]
        yield normalize(torch.stack(images), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def timed(run):
    clock, cpu = time.perf_counter(), time.process_time()
    run()
    return {"wall_s": round(time.perf_counter() - clock, 4), "cpu_s": round(time.process_time() - cpu, 4)}


def fit(options):
    import anomalib
    import torch
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel
    torch.set_num_threads(options.threads)
    model = PatchcoreModel(LAYERS, "resnet50", pre_trained=False)
    model.feature_extractor = features_of(options.backbone)
    model.train()
    model.feature_extractor.eval()

    def run():
        with torch.no_grad():
            for batch in images_of(options.images, options.count, options.batch):
                model(batch)
            model.subsample_embedding(options.ratio)
    times = timed(run)
    print(json.dumps({"bench": "fit", "rival": f"anomalib {anomalib.__version__}", "threads": options.threads,
                      "ratio": options.ratio, "bank": list(model.memory_bank.shape), **times}), flush=True)


def infer(options):
    import faiss
    import numpy as np
    import onnxruntime
    import torch

    class Pooled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.features, self.pool = features_of(options.backbone), torch.nn.AvgPool2d(3, 1, 1)

        def forward(self, x):
            return tuple(self.pool(f) for f in self.features(x).values())

    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"patchcore_rival_{os.getpid()}.onnx"
    x = torch.randn(1, 3, SIDE, SIDE)
    torch.onnx.export(Pooled().eval(), x, str(path), opset_version=17, dynamo=False)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    path.unlink()
    name = session.get_inputs()[0].name
    faiss.omp_set_num_threads(options.threads)
    random = np.random.default_rng(1)
    index = faiss.IndexFlatL2(options.width)
    index.add(random.standard_normal((options.bank, options.width), dtype=np.float32))
    patches = random.standard_normal(((SIDE // 8) ** 2, options.width), dtype=np.float32)
    parts = {"network": lambda: session.run(None, {name: x.numpy()}), "search": lambda: index.search(patches, 1)}
    for repeat in range(options.repeats + 2):  # two warm up
        times = {part: timed(run) for part, run in parts.items()}
        if repeat < 2:
            continue
        print(json.dumps({"bench": "infer", "rival": f"onnxruntime {onnxruntime.__version__}, faiss {faiss.__version__}",
                          "threads": options.threads, "bank": [options.bank, options.width],
                          **{f"{part}_{key}": value for part in parts for key, value in times[part].items()},
                          "wall_s": round(sum(t["wall_s"] for t in times.values()), 4)}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", choices=["fit", "infer"])
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--images", help="fit: a folder of .png")
    parser.add_argument("--count", type=int, help="fit: so many of them")
    parser.add_argument("--ratio", type=float, default=0.1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--bank", type=int, default=16385, help="infer: rows (bottle's 209 images, 10 %%)")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    {"fit": fit, "infer": infer}[options.bench](options)


if __name__ == "__main__":
    main()
