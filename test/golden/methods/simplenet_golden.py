"""Golden values of SimpleNet (arXiv 2303.15140), its training and its maps written out in PyTorch, in float64.

simplenet.safetensors. A model of 48 numbers a patch and 32 hidden units, whose first weights are drawn as in
models/simplenet/simplenet.c; five steps of batches of two images with 6x5 patches, drawn, too (features()); noise from
Philox; ten times the learning rates of the paper and more decay, so that there is something to see. adaptor.bias is held
at its first values: it has no gradient, because the batch norm takes out what it adds, and what Adam makes of zero is
rounding:
  losses          [5, 2] f64   of true and of noisy patches, before each step
  NAME            f64          adaptor.weight, discriminator.hidden.weight, .hidden.bias, .norm.weight, .norm.bias,
                               .norm.running_mean, .norm.running_var, .head.weight after the last
  map             [96, 64] f32 anomaly map of an image, philox.test_image() of seed 30, by this model on patches of
                               layer2 and layer3 of a ResNet-18 whose weights are drawn as in backbone_golden.py
  score           [1] f64      its score
Needs torch, torchvision, numpy, scipy."""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

import philox
import safetensors_file
from backbone_golden import MEAN, STD, backbone, fill, layers, patches, resized
from ops_golden import noise_normal

FOLDER = Path(__file__).resolve().parent
LENGTH, HIDDEN, STEPS, BATCH, GRID, SIZE, JUDGED = 48, 32, 5, 2, (6, 5), (96, 64), 30
SEED, FEATURE_SEED = 42, 60
NOISE, MARGIN, SIGMA = 0.015, 0.5, 4


def uniform_draw(name, count, fan_in):
    u = philox.uniform(philox.words(SEED, philox.STREAM_PARAMETERS + philox.hash_name(name), 0, count))
    return (2 * u.astype(np.float64) - 1) / np.sqrt(fan_in)


def xavier_draw(name, outputs, inputs):
    stream = philox.STREAM_PARAMETERS + philox.hash_name(name)
    u, v = philox.uniform(philox.words(SEED, stream, 0, outputs * inputs)).astype(np.float64).reshape(-1, 2).T
    radius = np.sqrt(-2 * np.log(u + 2.0 ** -24))
    pairs = np.stack([radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)], 1)
    return np.sqrt(2 / (inputs + outputs)) * pairs.reshape(outputs, inputs)


def set_to(parameter, values):
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(parameter.shape))


class Discriminator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(LENGTH, HIDDEN)
        self.norm = torch.nn.BatchNorm1d(HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, x):
        return self.head(F.leaky_relu(self.norm(self.hidden(x)), 0.2))


def make_model():
    adaptor, discriminator = torch.nn.Linear(LENGTH, LENGTH).double(), Discriminator().double()
    set_to(adaptor.weight, xavier_draw("adaptor.weight", LENGTH, LENGTH))
    set_to(adaptor.bias, uniform_draw("adaptor.bias", LENGTH, LENGTH))
    set_to(discriminator.hidden.weight, xavier_draw("discriminator.hidden.weight", HIDDEN, LENGTH))
    set_to(discriminator.hidden.bias, uniform_draw("discriminator.hidden.bias", HIDDEN, LENGTH))
    set_to(discriminator.head.weight, xavier_draw("discriminator.head.weight", 1, HIDDEN))
    return adaptor, discriminator


def features(step):
    """Numbers of a byte each, exact in half precision: [BATCH * patches, LENGTH]."""
    words = philox.words(FEATURE_SEED + step, philox.STREAM_TEST, 0, BATCH * GRID[0] * GRID[1] * LENGTH)
    return torch.from_numpy((words >> 24).astype(np.float64) / 64 - 2).reshape(-1, LENGTH)


def train(adaptor, discriminator):
    optimizers = [torch.optim.AdamW([adaptor.weight], lr=1e-3, weight_decay=0.01),
                  torch.optim.Adam(discriminator.parameters(), lr=2e-3, weight_decay=1e-2)]
    losses = []
    for step in range(STEPS):
        for optimizer in optimizers:
            optimizer.zero_grad()
        true = adaptor(features(step))
        fake = noise_normal(true, step, NOISE, SEED)
        said = discriminator(torch.cat([true, fake]))
        true_said, fake_said = said[:len(true)], said[len(true):]
        loss_true = torch.clip(MARGIN - true_said, min=0).mean()
        loss_fake = torch.clip(MARGIN + fake_said, min=0).mean()
        (loss_true + loss_fake).backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append([loss_true.item(), loss_fake.item()])
    return np.array(losses)


def embedded(image):
    model = backbone("resnet18", "torchvision")
    fill(model)
    layer2, layer3 = layers(model, image)
    _, _, h, w = layer2.shape
    pooled = [F.adaptive_avg_pool1d(p.reshape(h * w, 1, -1), LENGTH).squeeze(1)
              for p in (patches(layer2), resized(patches(layer3), h, w))]
    return F.adaptive_avg_pool1d(torch.stack(pooled, 1).reshape(h * w, 1, -1), LENGTH).squeeze(1), (h, w)


def judge(adaptor, discriminator):
    pixels = torch.from_numpy(philox.test_image(JUDGED, *SIZE).astype(np.float64)).permute(2, 0, 1)[None]
    discriminator.eval()
    rows, grid = embedded((pixels / 255 - MEAN) / STD)
    scores = -discriminator(adaptor(rows)).reshape(1, 1, *grid)
    resized_scores = F.interpolate(scores, SIZE, mode="bilinear", align_corners=False)[0, 0].numpy()
    return gaussian_filter(resized_scores, SIGMA), scores.max().item()


def main():
    adaptor, discriminator = make_model()
    found = {"losses": train(adaptor, discriminator)}
    with torch.no_grad():
        heat, score = judge(adaptor, discriminator)
    found |= {"map": heat.astype(np.float32), "score": np.array([score])}
    found["adaptor.weight"] = adaptor.weight.detach().numpy()
    for name, value in discriminator.state_dict().items():
        if name != "norm.num_batches_tracked":
            found[f"discriminator.{name}"] = value.numpy()
    path = FOLDER / "simplenet.safetensors"
    safetensors_file.write(path, found, {"made by": "simplenet_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes; losses {found['losses'][0]} to {found['losses'][-1]}, "
          f"score {score:.4g}, map {heat.min():.4g} to {heat.max():.4g}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
