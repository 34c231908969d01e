"""Golden values of FastFlow from FrEIA's AllInOneBlock and PyTorch's LayerNorm and Adam, in float64.

fastflow.safetensors. Flows of four couplings on the features of layer1 and layer2 of a ResNet-18 at 64x64, kernels
mixed, hidden ratio 1. Parameters are drawn as models/fastflow draws them from seed 5 and then changed, so that nothing
is as it begins (see moved()); the features of two images are drawn.
  z.layer1, z.layer2     [..] f64     every 37th number of z, in the order image, row, column, channel
  losses                 [4, 3] f64   half the sum of squares, log-determinant, total: before each of three steps of Adam
                                      (rate 1e-3, L2 weight decay 1e-5), and after them
  gradients, parameters  [P, 8] f64   of each parameter (in the order of the model) numbers 0, n/8, 2n/8, ... in memory
                                      order: gradients before the first step, values after the third
  map                    [64, 64] f64 anomaly map of philox.test_image(30) through the ResNet-18 of backbone_golden.py
Needs torch, torchvision, numpy, FrEIA (0.2)."""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from FrEIA.modules import AllInOneBlock

import philox
import safetensors_file
from backbone_golden import MEAN, STD, backbone, fill

FOLDER = Path(__file__).resolve().parent
SHAPES = {"layer1": (16, 16, 64), "layer2": (8, 8, 128)}  # height, width, channels
SEED, IMAGES, COUPLINGS, STEPS, SIDE, JUDGED, Z_STEP, SAMPLES = 5, 2, 4, 3, 64, 30, 37, 8


def uniform(name, count):
    """[-1, 1) from the test stream."""
    return 2 * philox.uniform(philox.words(philox.hash_name(name), philox.STREAM_TEST, 0, count)) - 1


def moved(name, values):
    """What test and golden model have in common instead of a fresh model."""
    noise = uniform(name, values.size).reshape(values.shape)
    if name.endswith("conv2.weight"):
        return values * 8
    if name.endswith(".scale"):
        return values + noise
    return values if ".conv" in name else values + 0.5 * noise


def conv_values(name, shape, fan_in):
    """O,I,KH,KW (or O) as float64; drawn in memory order O,KH,KW,I."""
    if len(shape) == 1:
        return moved(name, philox.parameter(SEED, name, shape[0], fan_in).astype(np.float64))
    out, inner, height, width = shape
    drawn = philox.parameter(SEED, name, int(np.prod(shape)), fan_in).astype(np.float64)
    return moved(name, drawn).reshape(out, height, width, inner).transpose(0, 3, 1, 2)


class Flow(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        height, width, channels = SHAPES[layer]
        self.norm = torch.nn.LayerNorm((channels, height, width))
        self.blocks = torch.nn.ModuleList()
        self.named = [(f"flow.{layer}.norm.weight", self.norm.weight), (f"flow.{layer}.norm.bias", self.norm.bias)]
        for k in range(COUPLINGS):
            self.add_block(f"flow.{layer}.{k}", channels, height, width, 3 if k % 2 == 0 else 1)

    def add_block(self, name, channels, height, width, kernel):
        def network(inputs, outputs):
            return torch.nn.Sequential(torch.nn.Conv2d(inputs, inputs, kernel, padding="same"), torch.nn.ReLU(),
                                       torch.nn.Conv2d(inputs, outputs, kernel, padding="same"))

        block = AllInOneBlock([(channels, height, width)], subnet_constructor=network, affine_clamping=2.0,
                              permute_soft=False)
        stream = philox.STREAM_PARAMETERS + philox.hash_name(f"{name}.order")
        with torch.no_grad():
            block.w_perm.zero_()
            for c in range(channels):
                block.w_perm[c, philox.shuffled_index(SEED, stream, c, channels)] = 1
        self.blocks.append(block)
        first, second = block.subnet[0], block.subnet[2]
        self.named += [(f"{name}.conv1.weight", first.weight), (f"{name}.conv1.bias", first.bias),
                       (f"{name}.conv2.weight", second.weight), (f"{name}.conv2.bias", second.bias),
                       (f"{name}.scale", block.global_scale), (f"{name}.offset", block.global_offset)]

    def forward(self, x):
        x, logdet = self.norm(x), 0
        for block in self.blocks:
            (x,), jacobian = block([x])
            logdet = logdet + jacobian
        return x, logdet


def fill_flow(flow):
    with torch.no_grad():
        for name, tensor in flow.named:
            if ".conv" in name:
                fan_in = int(np.prod(dict(flow.named)[name.rsplit(".", 1)[0] + ".weight"].shape[1:]))
                values = conv_values(name, tensor.shape, fan_in)
            elif ".norm." in name:
                channels, height, width = tensor.shape
                begin = np.full((height, width, channels), 1.0 if name.endswith("weight") else 0.0)
                values = moved(name, begin).transpose(2, 0, 1)
            else:
                begin = 2 * np.log(np.exp(5.0) - 1) if name.endswith("scale") else 0.0
                values = moved(name, np.full(tensor.numel(), begin)).reshape(tensor.shape)
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def features():
    drawn = []
    for layer, shape in SHAPES.items():
        u = uniform(f"features of {layer}", IMAGES * int(np.prod(shape))) * 2 + 0.5
        drawn.append(torch.from_numpy(u.reshape(IMAGES, *shape)).permute(0, 3, 1, 2))
    return drawn


def losses(flows, inputs):
    squares = logdet = 0
    for flow, x in zip(flows, inputs):
        z, jacobian = flow(x)
        squares = squares + (0.5 * z ** 2).sum((1, 2, 3)).mean()
        logdet = logdet + jacobian.mean()
    return squares, logdet, squares - logdet


def sampled(tensor):
    """SAMPLES numbers in memory order: O,KH,KW,I; H,W,C of the norm."""
    values = tensor.detach()
    values = values.permute(0, 2, 3, 1) if values.dim() == 4 else values.permute(1, 2, 0) if values.dim() == 3 else values
    values = values.reshape(-1).numpy()
    return [values[len(values) * i // SAMPLES] for i in range(SAMPLES)]


def anomaly_map(flows):
    model = backbone("resnet18", "torchvision")
    fill(model)
    pixels = torch.from_numpy(philox.test_image(JUDGED, SIDE, SIDE).astype(np.float64)).permute(2, 0, 1)[None]
    x = (pixels / 255 - MEAN) / STD
    x = model.layer1(model.maxpool(model.relu(model.bn1(model.conv1(x)))))
    maps = []
    for flow, layer in zip(flows, (x, model.layer2(x))):
        z, _ = flow(layer)
        likelihood = torch.exp(-0.5 * (z ** 2).mean(1, keepdim=True))
        maps.append(F.interpolate(-likelihood, (SIDE, SIDE), mode="bilinear", align_corners=False))
    return torch.stack(maps).mean(0)[0, 0]


def main():
    torch.set_default_dtype(torch.float64)
    flows, inputs, found = [Flow(layer).double() for layer in SHAPES], features(), {}
    for flow, layer, x in zip(flows, SHAPES, inputs):
        fill_flow(flow)
        found[f"z.{layer}"] = flow(x)[0].permute(0, 2, 3, 1).reshape(-1)[::Z_STEP]
    found["map"] = anomaly_map(flows)
    tensors = [tensor for flow in flows for _, tensor in flow.named]
    optimizer = torch.optim.Adam(tensors, lr=1e-3, weight_decay=1e-5)
    rows = []
    for step in range(STEPS + 1):
        loss = losses(flows, inputs)
        rows.append([float(value.detach()) for value in loss])
        if step == STEPS:
            break
        optimizer.zero_grad()
        loss[2].backward()
        if step == 0:
            found["gradients"] = np.array([sampled(tensor.grad) for tensor in tensors])
        optimizer.step()
    found["losses"], found["parameters"] = np.array(rows), np.array([sampled(tensor) for tensor in tensors])
    found = {name: np.ascontiguousarray(t.detach().numpy() if torch.is_tensor(t) else t) for name, t in found.items()}
    path = FOLDER / "fastflow.safetensors"
    safetensors_file.write(path, found, {"made by": "fastflow_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes; losses {rows}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
