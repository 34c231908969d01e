"""Golden values of backbones beside the ResNets of backbone_golden.py, in float64.

networks.safetensors: NAME.TAP [positions, every STEP-th channel] f32, the features of test image IMAGE_SEED, and
NAME.TAP.float [1] f32, how far PyTorch's own float32 is from them: the largest difference as a part of the largest
number, both among those stored. Weights, batch-norm statistics and images are drawn, not stored: draw() of backbone_golden.py and write_backbone() in
test/support/sample_models.c do the same.
  resnext101_32x8d, densenet201   torchvision's modules
  efficientnet_lite0, _lite2      written out below; TensorFlow pads by the size at hand, at an odd one more behind
  efficientnet_b5                 the same with swish and squeeze-excitation; padding is TensorFlow's for images of 456x456
                                  (efficientnet_pytorch keeps that for images of any size)

    python3 networks_golden.py NAME              that network alone; the other tensors of the file stay as they are
    python3 networks_golden.py FILE.pth IMAGE    the same for the true weights of Lite0, 1 or 2: prints mean and
                                                 standard deviation of each tap
Needs torch, torchvision, numpy, pillow."""
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
import torchvision  # noqa: E402

import philox  # noqa: E402
import safetensors_file  # noqa: E402
from backbone_golden import IMAGE_SEED, MEAN, STD, draw, sampled  # noqa: E402

STEP = 23
CASES = [("efficientnet_lite0", (75, 100)), ("efficientnet_lite2", (64, 96)), ("resnext101_32x8d", (64, 96)),
         ("densenet201", (70, 96)), ("efficientnet_b5", (96, 96))]
STAGES = [(3, 1, 1, 16), (3, 2, 6, 24), (5, 2, 6, 40), (3, 2, 6, 80), (5, 1, 6, 112), (5, 2, 6, 192)]
REPEATS = {"efficientnet_lite0": (1, 2, 2, 3, 3, 4), "efficientnet_lite2": (1, 3, 3, 4, 4, 5),
           "efficientnet_b5": (3, 5, 5, 7, 7, 9)}
WIDTHS = {"efficientnet_lite2": (16, 24, 48, 88, 120, 208), "efficientnet_b5": (24, 40, 64, 128, 176, 304)}
TAPS = {"efficientnet_lite0": {4: "stride8", 10: "stride16", 14: "stride32"},
        "efficientnet_lite2": {6: "stride8", 14: "stride16", 19: "stride32"},
        "efficientnet_b5": {12: "stride8", 26: "stride16", 35: "stride32"}}
B5 = "efficientnet_b5"
B5_SIZE = 456  # of the images that its padding is made for


# ---- EfficientNet-Lite and -B5 ----

def stem(name):
    return 48 if name == B5 else 32


def lite_blocks(name):
    """(kernel, stride, expansion, in, out) of every block."""
    widths, channels = WIDTHS.get(name, [s[3] for s in STAGES]), stem(name)
    for (kernel, stride, expansion, _), width, repeats in zip(STAGES, widths, REPEATS[name]):
        for i in range(repeats):
            yield kernel, stride if i == 0 else 1, expansion, channels, width
            channels = width


def lite_shapes(name):
    """The tensors of a file."""
    shapes = {}

    def add(conv, norm, shape):
        shapes[f"{conv}.weight"] = shape
        shapes.update({f"{norm}.{part}": [shape[0]] for part in ("weight", "bias", "running_mean", "running_var")})

    add("_conv_stem", "_bn0", [stem(name), 3, 3, 3])
    for i, (kernel, _, expansion, wide_in, out) in enumerate(lite_blocks(name)):
        middle, prefix = wide_in * expansion, f"_blocks.{i}."
        if expansion > 1:
            add(prefix + "_expand_conv", prefix + "_bn0", [middle, wide_in, 1, 1])
        add(prefix + "_depthwise_conv", prefix + "_bn1", [middle, 1, kernel, kernel])
        if name == B5:
            squeezed = wide_in // 4
            shapes |= {prefix + "_se_reduce.weight": [squeezed, middle, 1, 1], prefix + "_se_reduce.bias": [squeezed],
                       prefix + "_se_expand.weight": [middle, squeezed, 1, 1], prefix + "_se_expand.bias": [middle]}
        add(prefix + "_project_conv", prefix + "_bn2", [out, middle, 1, 1])
    return shapes


def tensorflow_conv(x, weight, stride, groups, made_for=None):
    """made_for: the side that the padding is for, where that is not x's own."""
    pads = []
    for size, kernel in ((made_for or x.shape[3], weight.shape[3]), (made_for or x.shape[2], weight.shape[2])):
        both = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [both // 2, both - both // 2]
    return F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)


def lite_layers(weights, name, pixels):
    """pixels: [1,3,H,W], 0..255"""

    side = B5_SIZE if name == B5 else None
    activate = F.silu if name == B5 else F.relu6

    def layer(x, conv, norm, stride=1, groups=1):
        y = tensorflow_conv(x, weights[f"{conv}.weight"], stride, groups, side)
        w, b, m, v = (weights[f"{norm}.{part}"].reshape(1, -1, 1, 1)
                      for part in ("weight", "bias", "running_mean", "running_var"))
        return (y - m) / torch.sqrt(v + 1e-3) * w + b

    def excite(x, prefix):
        y = x.mean((2, 3), keepdim=True)
        y = F.silu(F.conv2d(y, weights[prefix + "_se_reduce.weight"], weights[prefix + "_se_reduce.bias"]))
        return x * torch.sigmoid(F.conv2d(y, weights[prefix + "_se_expand.weight"], weights[prefix + "_se_expand.bias"]))

    imagenet = (pixels / 255 - MEAN.to(pixels.dtype)) / STD.to(pixels.dtype)
    x = activate(layer(imagenet if name == B5 else (pixels - 127) / 128, "_conv_stem", "_bn0", 2))
    side = side and -(-side // 2)
    taps = TAPS[name]
    for i, (_, stride, expansion, wide_in, out) in enumerate(lite_blocks(name)):
        prefix, y = f"_blocks.{i}.", x
        if expansion > 1:
            y = activate(layer(y, prefix + "_expand_conv", prefix + "_bn0"))
        y = activate(layer(y, prefix + "_depthwise_conv", prefix + "_bn1", stride, y.shape[1]))
        side = side and -(-side // stride)
        y = excite(y, prefix) if name == B5 else y
        y = layer(y, prefix + "_project_conv", prefix + "_bn2")
        x = x + y if stride == 1 and wide_in == out else y
        if i in taps:
            yield taps[i], x


# ---- torchvision ----

def torchvision_layers(name, pixels):
    model = getattr(torchvision.models, name)(weights=None).to(pixels.dtype).eval()
    with torch.no_grad():
        for tensor_name, tensor in model.state_dict().items():
            if not tensor_name.endswith("num_batches_tracked"):
                tensor.copy_(draw(tensor_name, list(tensor.shape), ".bn3." in tensor_name))
    x = (pixels / 255 - MEAN.to(pixels.dtype)) / STD.to(pixels.dtype)
    if name.startswith("densenet"):
        for part_name, part in model.features.named_children():
            x = part(x)
            if part_name in ("denseblock1", "denseblock2", "denseblock3"):
                yield part_name, x
        return
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    for part_name in ("layer1", "layer2", "layer3"):
        x = getattr(model, part_name)(x)
        yield part_name, x


def layers(name, pixels):
    if name.startswith("efficientnet"):
        weights = {key: draw(key, shape, name == B5 and "._bn2." in key).to(pixels.dtype)
                   for key, shape in lite_shapes(name).items()}
        return lite_layers(weights, name, pixels)
    return torchvision_layers(name, pixels)


def true_weights(path, image):
    from PIL import Image
    weights = {key: value.double() for key, value in torch.load(path, weights_only=True).items()}
    pixels = torch.from_numpy(np.asarray(Image.open(image).convert("RGB"), dtype=np.float64)).permute(2, 0, 1)[None]
    name = "efficientnet_lite2" if weights["_blocks.5._project_conv.weight"].shape[0] == 48 else \
        "efficientnet_lite1" if "_blocks.20._bn2.weight" in weights else "efficientnet_lite0"
    REPEATS["efficientnet_lite1"], TAPS["efficientnet_lite1"] = REPEATS["efficientnet_lite2"], TAPS["efficientnet_lite2"]
    for tap, x in lite_layers(weights, name, pixels):
        print(f"{name}.{tap}: {list(x.shape)} mean {x.mean():.6g} std {x.std(unbiased=False):.6g} first {x[0, 0, 0, 0]:.6g}")


def main():
    if len(sys.argv) == 3:
        return true_weights(*sys.argv[1:])
    path, only = FOLDER / "networks.safetensors", sys.argv[1:]
    tensors, metadata = safetensors_file.read(path) if only else ({}, {})
    for name, size in CASES:
        if only and name not in only:
            continue
        pixels = torch.from_numpy(philox.test_image(IMAGE_SEED, *size).astype(np.float64)).permute(2, 0, 1)[None]
        with torch.no_grad():
            for (tap, x), (_, y) in zip(layers(name, pixels), layers(name, pixels.float())):
                exact, single = (sampled(z.permute(0, 2, 3, 1), STEP).astype(np.float64) for z in (x, y))
                distance = np.abs(single - exact).max() / np.abs(exact).max()
                print(f"{name}.{tap}: {list(x.shape)}, std {x.std():.3g}, float32 {distance:.1e}", flush=True)
                tensors[f"{name}.{tap}"] = exact.astype(np.float32)
                tensors[f"{name}.{tap}.float"] = np.array([distance], np.float32)
    metadata |= {"made by": "networks_golden.py", " ".join(["torch"] + only): torch.__version__}
    safetensors_file.write(path, tensors, metadata)
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
