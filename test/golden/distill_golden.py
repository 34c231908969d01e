"""Golden values of the distillation step, from PyTorch in float64: distill.safetensors.

Nothing but results is stored. Teacher: philox.parameter with seed 7 as in model files, padded. Batch: test images 3 and
4 at 64x96. Features: byte i of words of seed 11, as (byte - 128) / 64, in the order [image][row][column][channel]; mean
and standard deviation of channel c from bytes c of seeds 12 and 13, as (byte - 128) / 512 and 0.5 + byte / 256.
  small.losses, medium.losses  [4] f64   mean((normalised features - teacher)^2) before each of four updates by Adam,
                                         learning rate 1e-4, weight decay 1e-5"""
from pathlib import Path

import numpy as np
import torch

import philox
import reference_model as reference
import safetensors_file

FOLDER = Path(__file__).resolve().parent
SIZE, STEPS = (64, 96), 4


def drawn_bytes(seed, count):
    words = philox.words(seed, philox.STREAM_TEST, 0, (count + 3) // 4)
    return words.astype("<u4").view(np.uint8)[:count].astype(np.float64)


def teacher(size):
    model = reference.Pdn(size, reference.CHANNELS, True).double()
    for name, conv in model.named_children():
        o, i, kh, kw = conv.weight.shape
        fan_in = i * kh * kw
        weight = philox.parameter(7, f"teacher.{name}.weight", o * fan_in, fan_in).reshape(o, kh, kw, i)
        with torch.no_grad():
            conv.weight.copy_(torch.from_numpy(weight.transpose(0, 3, 1, 2).copy()))
            conv.bias.copy_(torch.from_numpy(philox.parameter(7, f"teacher.{name}.bias", o, fan_in)))
    return model


def target():
    grid = (2, SIZE[0] // 4, SIZE[1] // 4, reference.CHANNELS)
    features = (drawn_bytes(11, int(np.prod(grid))) - 128) / 64
    mean, std = (drawn_bytes(12, grid[3]) - 128) / 512, 0.5 + drawn_bytes(13, grid[3]) / 256
    return torch.from_numpy((features.reshape(grid) - mean) / std).permute(0, 3, 1, 2)


def losses(size):
    model, wanted = teacher(size), target()
    x = torch.cat([reference.test_image(seed, SIZE, torch.float64) for seed in (3, 4)])
    optimizer, found = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=1e-5), []
    for _ in range(STEPS):
        loss = ((wanted - model(x)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(float(loss.detach()))
    print(f"{size}: {found}")
    return np.array(found)


def main():
    tensors = {f"{size}.losses": losses(size) for size in ("small", "medium")}
    safetensors_file.write(FOLDER / "distill.safetensors", tensors, {"made by": "distill_golden.py"})


if __name__ == "__main__":
    main()
