"""Golden values of AST (WACV 2023), written out with PyTorch's modules in float64.

ast.safetensors. A flow of four blocks (kernels 3, 3, 3, 5; 16 hidden channels; clamp 3) and a student of two residual
blocks (16 channels, slope 0.01) on drawn features of two images: maps of 6x6 with 64 channels. Parameters are drawn as
models/ast draws them from seed 5 and then changed, so that nothing is as it begins (see moved()).
  order                   [4, 304] f32  numpy.random.RandomState(k).permutation(304) for k = 0..3
  position                [6, 6, 32] f64  the code of positions
  z                       [..] f64      every 37th number of z, in the order image, row, column, channel
  teacher.losses          [4, 3] f64    half the sum of squares, log-determinant, total: before each of three steps of Adam
                                        (rate 1e-3, L2 weight decay 1e-5), and after them
  student.losses          [4] f64       the student's distance by the teacher after these steps: before each of three steps
                                        of its own, and after them, by the running statistics
  teacher.gradients, .parameters, student.gradients, .parameters  [P, 8] f64   of each parameter (in the order of the
                                        model) numbers 0, n/8, 2n/8, ... in memory order: gradients before the first step,
                                        values after the third
  running                 [4, 2, 16] f64  mean and variance of the student's batch norms after its three steps
  map                     [2, 6, 6] f64  then, with these: mean over channels of the squared distance
Convolutions before a batch norm have biases without gradient: in float64 only the decay moves them, in float also what Adam
makes of a rounding, so that float tests leave them out.
Needs torch, numpy."""
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

import philox
import safetensors_file

FOLDER = Path(__file__).resolve().parent
CHANNELS, SIDE, IMAGES, HIDDEN, BLOCKS, RESIDUALS, CLAMP = 64, 6, 2, 16, 4, 2, 3.0
SEED, STEPS, Z_STEP, SAMPLES, CODE = 5, 3, 37, 8, 32


def uniform(name, count):
    """[-1, 1) from the test stream."""
    return 2 * philox.uniform(philox.words(philox.hash_name(name), philox.STREAM_TEST, 0, count)) - 1


def moved(name, values):
    """What test and golden model have in common instead of a fresh model."""
    if name.startswith("teacher.") and name.endswith("conv2.weight"):
        return values * 8
    return values if ".conv" in name else values + 0.5 * uniform(name, values.size).reshape(values.shape)


def position_code():
    """[CODE, SIDE, SIDE]"""
    code, half = torch.zeros(CODE, SIDE, SIDE), CODE // 2
    frequency = torch.exp(torch.arange(0, half, 2) * (-np.log(1e4) / half))
    for begin, axis in ((0, 2), (half, 1)):
        cells = torch.arange(SIDE, dtype=torch.float64).reshape((1, SIDE, 1) if axis == 1 else (1, 1, SIDE))
        angle = frequency.reshape(-1, 1, 1) * cells
        code[begin:begin + half:2], code[begin + 1:begin + half:2] = torch.sin(angle), torch.cos(angle)
    return code


class Network(nn.Module):
    """Scales and shifts for `changed` channels, from the others and the position."""

    def __init__(self, seen, changed, kernel):
        super().__init__()
        how = {"padding": kernel // 2, "padding_mode": "replicate"}
        self.conv1 = nn.Conv2d(seen + CODE, HIDDEN, kernel, **how)
        self.conv2 = nn.Conv2d(HIDDEN, 2 * changed, kernel, **how)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x, code):
        both = torch.cat([x, code.expand(len(x), -1, -1, -1)], 1)
        scale, shift = (self.gamma * self.conv2(F.relu(self.conv1(both)))).chunk(2, 1)
        return CLAMP * 0.636 * torch.atan(scale / CLAMP), shift


class Teacher(nn.Module):
    def __init__(self):
        super().__init__()
        self.orders = [torch.from_numpy(np.random.RandomState(k).permutation(CHANNELS)) for k in range(BLOCKS)]
        half = CHANNELS // 2
        kernels = [5 if k == BLOCKS - 1 else 3 for k in range(BLOCKS)]
        self.first = nn.ModuleList(Network(half, half, kernel) for kernel in kernels)
        self.second = nn.ModuleList(Network(half, half, kernel) for kernel in kernels)

    def named(self):
        for k in range(BLOCKS):
            for which in ("first", "second"):
                network = getattr(self, which)[k]
                for part in ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "gamma"):
                    yield f"teacher.{k}.{which}.{part}", network.get_parameter(part)

    def forward(self, x, code):
        logdet = 0
        for order, first, second in zip(self.orders, self.first, self.second):
            x1, x2 = x[:, order].chunk(2, 1)
            s, t = first(x2, code)
            x1, logdet = x1 * torch.exp(s) + t, logdet + s.sum(1)
            s, t = second(x1, code)
            x2, logdet = x2 * torch.exp(s) + t, logdet + s.sum(1)
            x = torch.cat([x1, x2], 1)
        return x, logdet


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Conv2d(CHANNELS + CODE, HIDDEN, 3, padding=1)
        self.convs = nn.ModuleList(nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1) for _ in range(2 * RESIDUALS))
        self.norms = nn.ModuleList(nn.BatchNorm2d(HIDDEN) for _ in range(2 * RESIDUALS))
        self.leave = nn.Conv2d(HIDDEN, CHANNELS, 3, padding=1)

    def named(self):
        parts = [("student.conv1", self.enter)]
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            parts += [(f"student.{i // 2}.conv{i % 2 + 1}", conv), (f"student.{i // 2}.norm{i % 2 + 1}", norm)]
        for name, part in parts + [("student.conv2", self.leave)]:
            yield f"{name}.weight", part.weight
            yield f"{name}.bias", part.bias

    def forward(self, x, code):
        x = F.leaky_relu(self.enter(torch.cat([code.expand(len(x), -1, -1, -1), x], 1)))
        for k in range(RESIDUALS):
            y = x
            for i in (2 * k, 2 * k + 1):
                y = F.leaky_relu(self.norms[i](self.convs[i](y)))
            x = y + x
        return self.leave(x)


def fill(network):
    shapes = {name: tensor.shape for name, tensor in network.named()}
    with torch.no_grad():
        for name, tensor in network.named():
            if ".conv" not in name:
                begin = np.full(tensor.numel(), 1.0 if name.endswith(".weight") else 0.0)
                values = moved(name, begin)
            else:
                fan_in = int(np.prod(shapes[name.rsplit(".", 1)[0] + ".weight"][1:]))
                values = moved(name, philox.parameter(SEED, name, tensor.numel(), fan_in).astype(np.float64))
            if tensor.dim() == 4:
                out, inner, height, width = tensor.shape
                values = np.ascontiguousarray(values.reshape(out, height, width, inner).transpose(0, 3, 1, 2))
            tensor.copy_(torch.from_numpy(values).reshape(tensor.shape))


def features():
    drawn = uniform("features", IMAGES * SIDE * SIDE * CHANNELS) * 2 + 0.5
    return torch.from_numpy(drawn.reshape(IMAGES, SIDE, SIDE, CHANNELS)).permute(0, 3, 1, 2)


def sampled(tensor):
    """SAMPLES numbers in memory order: O,KH,KW,I."""
    values = tensor.detach()
    values = (values.permute(0, 2, 3, 1) if values.dim() == 4 else values).reshape(-1).numpy()
    return [values[len(values) * i // SAMPLES] for i in range(SAMPLES)]


def train(network, loss_of, prefix, found):
    """loss_of gives numbers of which the last is minimized."""
    tensors = [tensor for _, tensor in network.named()]
    optimizer, rows = torch.optim.Adam(tensors, lr=1e-3, weight_decay=1e-5), []
    for step in range(STEPS + 1):
        network.train(step < STEPS)
        loss = loss_of()
        rows.append([float(value.detach()) for value in loss])
        if step == STEPS:
            break
        optimizer.zero_grad()
        loss[-1].backward()
        if step == 0:
            found[f"{prefix}.gradients"] = np.array([sampled(tensor.grad) for tensor in tensors])
        optimizer.step()
    found[f"{prefix}.losses"] = np.array(rows).squeeze()
    found[f"{prefix}.parameters"] = np.array([sampled(tensor) for tensor in tensors])


def main():
    torch.set_default_dtype(torch.float64)
    teacher, student, x, code = Teacher(), Student(), features(), position_code()
    fill(teacher), fill(student)
    orders = np.array([np.random.RandomState(k).permutation(304) for k in range(4)], np.float32)
    found = {"order": orders, "position": code.permute(1, 2, 0)}
    found["z"] = teacher(x, code)[0].permute(0, 2, 3, 1).reshape(-1)[::Z_STEP]

    def likelihood():
        z, logdet = teacher(x, code)
        squares, logdet = (0.5 * z ** 2).sum(1).mean(), logdet.mean()
        return squares, logdet, squares - logdet

    train(teacher, likelihood, "teacher", found)
    z = teacher(x, code)[0].detach()
    train(student, lambda: [((z - student(x, code)) ** 2).mean()], "student", found)
    found["running"] = torch.stack([torch.stack([n.running_mean, n.running_var]) for n in student.norms])
    found["map"] = ((z - student(x, code)) ** 2).mean(1)
    found = {name: np.ascontiguousarray(t.detach().numpy() if torch.is_tensor(t) else t) for name, t in found.items()}
    path = FOLDER / "ast.safetensors"
    safetensors_file.write(path, found, {"made by": "ast_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes; losses {found['teacher.losses']}, {found['student.losses']}")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
