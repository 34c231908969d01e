"""Golden values of GCAD (IJCV 2022) in PyTorch, in float64: its U-Nets are those of a checkout of jvanvugt/pytorch-unet (7e57722) in
$UNET, which the paper used; the descriptor is dilated convolutions; the encoder is PyTorch's layers, for it comes without code.

gcad.safetensors. Images of 32x64, patches of 33, U-Nets of width 4, encoder of width 4 with a bottleneck of 6. Parameters are drawn as
models/gcad draws them from seed 5; images are philox.test_image; statistics of descriptors and maps are drawn.
  losses               [4, 4] f64   transfer, global, local, total of image 31: before each of three steps (Adam 1e-4, L2 weight decay 1e-5)
                                    and after them; the skip connections fade by step 10, one after another, the global U-Net joins
                                    after two
  first.gradients, helpers.gradients   [P, 8] f64   of each parameter (in the order of the model) numbers 0, n/8, 2n/8, ... in memory
                                    order, before the first step; later.gradients likewise before the third
  first.parameters, helpers.parameters, later.parameters    after the third
  led.gradients        [P, 8] f64   of first before the first step, were the global loss a part of it and its gradient the encoder's, too
  described, local, encoded, global, widened   [n] f64   before the first step, in memory order [N,H,W,C], numbers 0, 331, 662, ...
  map                  [32, 64] f64   the anomaly map of image 30 with patches of 17 and 33
Needs torch, numpy."""
import os
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import safetensors_file
from student_teacher_golden import SLOPE, filled, image, network, sampled, statistics, uniform

FOLDER = Path(__file__).resolve().parent
HEIGHT, WIDTH, UNET, CHANNELS, BOTTLENECK, ENCODED, LEVELS = 32, 64, 4, 4, 6, 10, 5
JUDGED, TRAINED, STEPS, STRIDE, SKIPS_UNTIL, JOINS = 30, 31, 3, 331, 10, 2
sys.path.insert(0, os.environ["UNET"])
import unet as published  # noqa: E402


def described(field, x):
    """The standardised descriptor of each pixel's patch."""
    dilation, y = 1, F.pad(x, [field // 2] * 4, mode="replicate")
    for layer in network("teacher", field):
        if isinstance(layer, torch.nn.Conv2d):
            y = F.conv2d(y, layer.weight, layer.bias, dilation=dilation)
        elif isinstance(layer, torch.nn.MaxPool2d):
            y = F.max_pool2d(y, 2, stride=1, dilation=dilation)
            dilation *= 2
        else:
            y = layer(y)
    mean, std = (s.reshape(1, -1, 1, 1) for s in statistics(field))
    return ((y[..., :x.shape[2], :x.shape[3]] - mean) / std).detach()


def unet(name, outputs):
    """The published network with our parameters, and these in our order."""
    net = published.UNet(3, outputs, depth=5, wf=int(np.log2(UNET)), padding=True)
    for i, block in enumerate(net.down_path):
        filled(block.block[0], f"{name}.down{i + 1}.conv1"), filled(block.block[2], f"{name}.down{i + 1}.conv2")
    for i, block in enumerate(net.up_path):
        filled(block.up, f"{name}.up{i + 1}.up")
        filled(block.conv_block.block[0], f"{name}.up{i + 1}.conv1")
        filled(block.conv_block.block[2], f"{name}.up{i + 1}.conv2")
    filled(net.last, f"{name}.out")
    return net


class Encoder(torch.nn.Module):
    def __init__(self, name):
        super().__init__()
        size = (HEIGHT // 2 ** LEVELS, WIDTH // 2 ** LEVELS)
        self.down = torch.nn.ModuleList([filled(torch.nn.Conv2d(3 if i == 0 else CHANNELS, CHANNELS, 4, 2, 1), f"{name}.down{i + 1}")
                                         for i in range(LEVELS)])
        self.squeeze = filled(torch.nn.Conv2d(CHANNELS, BOTTLENECK, size), f"{name}.squeeze")
        self.spread = filled(torch.nn.ConvTranspose2d(BOTTLENECK, CHANNELS, size), f"{name}.spread")
        self.up = torch.nn.ModuleList([filled(torch.nn.ConvTranspose2d(CHANNELS, CHANNELS, 4, 2, 1), f"{name}.up{i + 1}")
                                       for i in range(LEVELS - 1)])
        self.out = filled(torch.nn.ConvTranspose2d(CHANNELS, ENCODED, 4, 2, 1), f"{name}.out")

    def forward(self, x, skips=None, weights=None):
        seen = []
        for conv in self.down:
            x = F.leaky_relu(conv(x), SLOPE)
            seen.append(x)
        x = F.leaky_relu(self.spread(self.squeeze(x)), SLOPE)
        for i in reversed(range(LEVELS)):
            if skips is not None:
                x = x + weights[i] * skips[i](seen[i])
            if i > 0:
                x = F.leaky_relu(self.up[LEVELS - 1 - i](x), SLOPE)
        return self.out(x)


def helpers(field):
    skips = torch.nn.ModuleList([filled(torch.nn.Conv2d(CHANNELS, CHANNELS, 1), f"step.skips.p{field}.level{i + 1}")
                                 for i in range(LEVELS)])
    layers = [filled(torch.nn.Conv2d(ENCODED if i == 0 else 128, 128, 1), f"step.widen.p{field}.conv{i + 1}") for i in range(3)]
    leaky = torch.nn.LeakyReLU(SLOPE)
    return skips, torch.nn.Sequential(layers[0], leaky, layers[1], leaky, layers[2])


def skip_weights(step):
    """Each fades in a fifth of the steps, the first level at first."""
    part = SKIPS_UNTIL / LEVELS
    return [float(np.clip(1 - (step - i * part) / part, 0, 1)) for i in range(LEVELS)]


class Training:
    def __init__(self, field=33):
        self.x = image(TRAINED, HEIGHT, WIDTH)
        self.described = described(field, self.x)
        self.encoder, self.local = Encoder(f"encode.p{field}"), unet(f"local.p{field}", 128)
        self.later, (self.skips, self.widen) = unet(f"global.p{field}", ENCODED), helpers(field)
        self.first = [*self.encoder.parameters(), *self.local.parameters()]
        self.helping = [*self.skips.parameters(), *self.widen.parameters()]

    def losses(self, step, led=False):
        encoded = self.encoder(self.x, self.skips, skip_weights(step))
        widened, local, glob = self.widen(encoded), self.local(self.x), self.later(self.x)
        self.values = {"described": self.described, "local": local, "encoded": encoded, "global": glob, "widened": widened}
        transfer = F.mse_loss(widened, self.described)
        global_loss = F.mse_loss(glob, encoded if led else encoded.detach())
        local_loss = F.mse_loss(local, self.described)
        joined = led or step >= JOINS
        return [transfer, global_loss, local_loss, transfer + local_loss + (global_loss if joined else 0)]


def strided(tensor):
    return tensor.detach().permute(0, 2, 3, 1).reshape(-1)[::STRIDE]


def steps():
    t = Training()
    adam = dict(lr=1e-4, weight_decay=1e-5)
    optimizers, rows, found = [torch.optim.Adam(t.first + t.helping, **adam)], [], {}
    for step in range(STEPS + 1):
        losses = t.losses(step)
        rows.append([float(loss.detach()) for loss in losses])
        if step == 0:
            found |= {name: strided(value) for name, value in t.values.items()}
        if step == STEPS:
            break
        if step == JOINS:
            optimizers.append(torch.optim.Adam(t.later.parameters(), **adam))
        t.encoder.zero_grad(), t.local.zero_grad(), t.later.zero_grad(), t.skips.zero_grad(), t.widen.zero_grad()
        losses[-1].backward()
        if step == 0:
            found |= {"first.gradients": gradients(t.first), "helpers.gradients": gradients(t.helping)}
        if step == JOINS:
            found["later.gradients"] = gradients(t.later.parameters())
        for optimizer in optimizers:
            optimizer.step()
    found |= {"first.parameters": sampled(t.first), "helpers.parameters": sampled(t.helping),
              "later.parameters": sampled(t.later.parameters()), "losses": np.array(rows)}
    print(found["losses"])
    return found


def gradients(tensors):
    return sampled([tensor.grad for tensor in tensors])


def led():
    t = Training()
    t.losses(0, led=True)[-1].backward()
    return {"led.gradients": gradients(t.first)}


def anomaly_map():
    total, x = 0, image(JUDGED, HEIGHT, WIDTH)
    for field in (17, 33):
        encoded = Encoder(f"encode.p{field}")(x)
        local = (described(field, x) - unet(f"local.p{field}", 128)(x)).norm(dim=1)
        glob = (encoded - unet(f"global.p{field}", ENCODED)(x)).norm(dim=1)
        scale = np.float32(uniform(f"maps of {field}", 4) + 2).astype(np.float64)
        total = total + (local - scale[0]) / scale[1] + (glob - scale[2]) / scale[3]
    return {"map": total[0] / 2}


def main():
    torch.set_default_dtype(torch.float64)
    found = steps() | led() | anomaly_map()
    found = {name: np.ascontiguousarray(t.detach().numpy() if torch.is_tensor(t) else t) for name, t in found.items()}
    path = FOLDER / "gcad.safetensors"
    safetensors_file.write(path, found, {"made by": "gcad_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
