"""Golden values of the backbones and of the distillation features, from torchvision's modules and a transcription of
PatchCore's feature path in float64.

backbones.safetensors. Weights, batch-norm statistics and images of the first three cases are drawn, not stored: see
draw() and test_backbone.c, which do the same. PREFIX is resnet18_torchvision_160x224, wide_resnet101_2_torchvision_64x64
or resnet50_caffe_96x128 (height x width):
  PREFIX.layer2, .layer3  [positions, sampled channels] f32   outputs; channels 0, 37, 74, ...
  PREFIX.features         [positions, sampled channels] f32   the 384 features; channels 0, 23, 46, ...
  PREFIX.corner, .centre  [384] f32   all features at position (0, 0) and in the middle
Photographs (only where the project's material is beside it, see PHOTOGRAPHS; else these tensors are kept as they are):
two photographs through resnet50_caffe.safetensors at 512x512:
  photographs.mean, .std  [384] f32   over all positions of both
  photographs.features    [2, 16, 384] f32   at rows and columns 8, 24, 40, 56
Needs torch, torchvision, numpy, pillow, safetensors."""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

import philox
import safetensors_file

FOLDER = Path(__file__).resolve().parent
SHARED = FOLDER.parents[2] / "shared"
PHOTOGRAPHS = ["a/0000.jpg", "b/0001.jpg"]
SEED, IMAGE_SEED = 9, 5
CASES = [("resnet18", "torchvision", (160, 224)), ("wide_resnet101_2", "torchvision", (64, 64)),
         ("resnet50", "caffe", (96, 128))]
MEAN, STD = (torch.tensor(v, dtype=torch.float64).reshape(1, 3, 1, 1)
             for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


def draw(name, shape, last_norm):
    """Every number is one byte of the tensor's own Philox stream, scaled by powers of two: exact in bfloat16 (weights)
    and float32. Batch norms that end a block are scaled down, or 33 blocks would grow without bound."""
    count = int(np.prod(shape))
    words = philox.words(SEED, philox.STREAM_PARAMETERS + philox.hash_name(name), 0, (count + 3) // 4)
    byte = words.astype("<u4").view(np.uint8)[:count].astype(np.float64)
    if len(shape) == 4:
        fan_in = shape[1] * shape[2] * shape[3]
        values = (byte - 128) * 2.0 ** -np.round(np.log2(74 * np.sqrt(fan_in / 2)))
    elif name.endswith("running_var"):
        values = 0.5 + byte / 256
    elif name.endswith("weight"):
        values = (0.5 + byte / 256) * (0.25 if last_norm else 1)
    else:
        values = (byte - 128) / 1024
    return torch.from_numpy(values.reshape(shape))


def make_caffe(model):
    """Moves each stage's stride to its first convolution; max-pool without padding, in ceil mode."""
    for stage in (model.layer2, model.layer3):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    model.maxpool = torch.nn.MaxPool2d(3, 2, padding=0, ceil_mode=True)


def backbone(kind, variant):
    model = getattr(torchvision.models, kind)(weights=None).double().eval()
    if variant == "caffe":
        make_caffe(model)
    return model


def fill(model):
    last = "bn3" if hasattr(model.layer1[0], "conv3") else "bn2"
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not name.endswith("num_batches_tracked") and not name.startswith(("layer4", "fc")):
                tensor.copy_(draw(name, list(tensor.shape), f".{last}." in name))


def layers(model, x):
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    layer2 = model.layer2(model.layer1(x))
    return layer2, model.layer3(layer2)


def patches(x):
    """[B,C,H,W] -> [B,H,W,C,3,3]"""
    b, c, h, w = x.shape
    unfolded = F.unfold(x, kernel_size=3, stride=1, padding=1)
    return unfolded.reshape(b, c, 3, 3, h, w).permute(0, 4, 5, 1, 2, 3)


def resized(p, height, width):
    """Resizes the grid of patches, every number of a patch by itself."""
    b, h, w = p.shape[:3]
    maps = p.permute(0, 3, 4, 5, 1, 2).reshape(-1, 1, h, w)
    maps = F.interpolate(maps, size=(height, width), mode="bilinear", align_corners=False)
    return maps.reshape(b, *p.shape[3:], height, width).permute(0, 4, 5, 1, 2, 3)


def features(layer2, layer3):
    """-> [B,H,W,384]"""
    b, _, h, w = layer2.shape
    pooled = []
    for p in (patches(layer2), resized(patches(layer3), h, w)):
        pooled.append(F.adaptive_avg_pool1d(p.reshape(b * h * w, 1, -1), 1024).squeeze(1))
    stacked = torch.stack(pooled, dim=1).reshape(b * h * w, 1, -1)
    return F.adaptive_avg_pool1d(stacked, 384).reshape(b, h, w, 384)


def single(x):
    return x.detach().numpy().astype(np.float32)


def sampled(x, step):
    """[1,H,W,C] -> [H*W, every step-th channel]"""
    return single(x.reshape(-1, x.shape[-1])[:, ::step])


def drawn_case(kind, variant, size):
    prefix = f"{kind}_{variant}_{size[0]}x{size[1]}"
    model = backbone(kind, variant)
    fill(model)
    image = torch.from_numpy(philox.test_image(IMAGE_SEED, *size).astype(np.float64)).permute(2, 0, 1)[None]
    with torch.no_grad():
        layer2, layer3 = layers(model, (image / 255 - MEAN) / STD)
        y = features(layer2, layer3)
    print(f"{prefix}: std of layer2 {layer2.std():.3g}, layer3 {layer3.std():.3g}, features {y.std():.3g}", flush=True)
    return {f"{prefix}.layer2": sampled(layer2.permute(0, 2, 3, 1), 37),
            f"{prefix}.layer3": sampled(layer3.permute(0, 2, 3, 1), 37), f"{prefix}.features": sampled(y, 23),
            f"{prefix}.corner": single(y[0, 0, 0]), f"{prefix}.centre": single(y[0, y.shape[1] // 2, y.shape[2] // 2])}


def folded_backbone(path):
    """A file whose batch norm is folded: its convolutions get the bias, batch norms become the identity."""
    from safetensors.torch import load_file
    model, tensors = backbone("resnet50", "caffe"), load_file(path)
    for name, module in list(model.named_modules()):
        if f"{name}.weight" in tensors:
            module.weight.data = tensors[f"{name}.weight"].double()
            module.bias = torch.nn.Parameter(tensors[f"{name}.bias"].double())
        elif isinstance(module, torch.nn.BatchNorm2d):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, torch.nn.Identity())
    return model


def photographs():
    from PIL import Image
    model = folded_backbone(SHARED / "weights" / "resnet50_caffe.safetensors")
    maps = []
    for name in PHOTOGRAPHS:
        picture = Image.open(SHARED / "data" / "natural" / name).convert("RGB").resize((512, 512), Image.BILINEAR)
        x = torch.from_numpy(np.asarray(picture, dtype=np.float64)).permute(2, 0, 1)[None]
        with torch.no_grad():
            maps.append(features(*layers(model, (x / 255 - MEAN) / STD)))
    y = torch.cat(maps)
    flat, at = y.reshape(-1, 384), [8, 24, 40, 56]
    return {"photographs.mean": single(flat.mean(0)), "photographs.std": single(flat.std(0, unbiased=False)),
            "photographs.features": single(y[:, at][:, :, at].reshape(len(maps), -1, 384))}


def kept(path):
    from safetensors.numpy import load_file
    return {name: t for name, t in load_file(path).items() if name.startswith("photographs.")}


def main():
    path, tensors = FOLDER / "backbones.safetensors", {}
    for case in CASES:
        tensors |= drawn_case(*case)
    tensors |= photographs() if SHARED.exists() else kept(path)
    safetensors_file.write(path, tensors, {"made by": "backbone_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
