"""Golden values of S-T from its patch networks in PyTorch, in float64: every descriptor is that of one patch by itself,
cut out around a pixel of the image with zeros around it.

student_teacher.safetensors. Parameters are drawn as models/student_teacher draws them from seed 5; images are
philox.test_image; statistics of teachers and maps are drawn. P is 17, 33 or 65; two students.
  dense.pP               [8, 16, 8] f64  numbers 0, 16, 32, ... of the teacher's descriptors of all pixels of image 30
  error.pP, variance.pP  [8, 16] f64     maps of that image as they are
  map                    [8, 16] f64     the anomaly map of all three, each map less its mean by its deviation
  students.losses        [4] f64          of one student of P = 33 on image 31: before each of three steps of Adam (rate
                                          1e-4, L2 weight decay 1e-5) and after them
  students.gradients, students.parameters  [P, 8] f64   of each of that student's parameters (in the order of the model) numbers
                                          0, n/8, 2n/8, ... in memory order: before the first step, after the third
  teacher.losses         [4, 3] f64       of the distillation of P = 33 on six patches: distance, correlations, total
  teacher.gradients, teacher.parameters, decoder.gradients, decoder.parameters   as above
  vector                 [6, 512] f64     of these patches by a ResNet-18, layer4 pooled, whose weights are drawn (draw())
Needs torch, numpy."""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import philox
import safetensors_file

FOLDER = Path(__file__).resolve().parent
SEED, WEIGHT_SEED, HEIGHT, WIDTH, STUDENTS, STEPS, SAMPLES, CHANNEL_STEP = 5, 9, 8, 16, 2, 3, 8, 16
JUDGED, TRAINED, PATCH_SEED, PATCHES, SLOPE = 30, 31, 50, 6, 0.005
MEAN, STD = (torch.tensor(v, dtype=torch.float64).reshape(1, 3, 1, 1)
             for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
# (kernel, channels, followed by 2x2 max pooling)
NETWORKS = {17: [(6, 128, False), (5, 256, False), (5, 256, False), (4, 128, False)],
            33: [(5, 128, True), (5, 256, True), (2, 256, False), (4, 128, False)],
            65: [(5, 128, True), (5, 128, True), (5, 128, True), (4, 256, False), (1, 128, False)]}


def uniform(name, count):
    """[-1, 1) from the test stream."""
    return 2 * philox.uniform(philox.words(philox.hash_name(name), philox.STREAM_TEST, 0, count)) - 1


def drawn(name, shape, fan_in):
    """O,I,KH,KW (or O) as float64; drawn in memory order O,KH,KW,I."""
    values = philox.parameter(SEED, name, int(np.prod(shape)), fan_in).astype(np.float64)
    if len(shape) == 4:
        out, inner, height, width = shape
        values = values.reshape(out, height, width, inner).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(values))


def filled(conv, name):
    with torch.no_grad():
        fan_in = int(np.prod(conv.weight.shape[1:]))
        conv.weight.copy_(drawn(f"{name}.weight", conv.weight.shape, fan_in))
        conv.bias.copy_(drawn(f"{name}.bias", conv.bias.shape, fan_in))
    return conv


def network(prefix, field):
    """A patch of field x field to 128 numbers."""
    layers, channels = [], 3
    for i, (kernel, out, pool) in enumerate(NETWORKS[field]):
        layers.append(filled(torch.nn.Conv2d(channels, out, kernel), f"{prefix}.p{field}.conv{i + 1}"))
        if i + 1 < len(NETWORKS[field]):
            layers.append(torch.nn.LeakyReLU(SLOPE))
        if pool:
            layers.append(torch.nn.MaxPool2d(2))
        channels = out
    return torch.nn.Sequential(*layers)


def image(seed, height=HEIGHT, width=WIDTH):
    pixels = torch.from_numpy(philox.test_image(seed, height, width).astype(np.float64)).permute(2, 0, 1)[None]
    return (pixels / 255 - MEAN) / STD


def patches_of(x, field):
    """[H W, 3, field, field]: around each pixel."""
    columns = F.unfold(F.pad(x, [field // 2] * 4, mode="replicate"), field)
    return columns[0].T.reshape(-1, 3, field, field)


def described(net, x, field):
    """[H, W, 128]"""
    rows = [net(part).flatten(1) for part in patches_of(x, field).split(64)]
    return torch.cat(rows).reshape(*x.shape[2:], -1)


def statistics(field):
    """Mean and standard deviation of the teacher's numbers, rounded as a file holds them."""
    mean = uniform(f"mean of {field}", 128) * 0.1
    std = uniform(f"std of {field}", 128) * 0.04 + 0.06
    return (torch.from_numpy(v.astype(np.float32).astype(np.float64)) for v in (mean, std))


def sampled(tensors):
    """SAMPLES numbers of each in memory order: O,KH,KW,I."""
    rows = []
    for tensor in tensors:
        values = tensor.detach()
        values = (values.permute(0, 2, 3, 1) if values.dim() == 4 else values).reshape(-1).numpy()
        rows.append([values[len(values) * i // SAMPLES] for i in range(SAMPLES)])
    return np.array(rows)


def maps():
    """Error and variance of the judged image, of each field, and the anomaly map."""
    found, sums = {}, 0
    x = image(JUDGED)
    for field in NETWORKS:
        with torch.no_grad():
            teacher = described(network("teacher", field), x, field)
            students = torch.stack([described(network(f"student{i + 1}", field), x, field) for i in range(STUDENTS)])
        mean, std = statistics(field)
        together = students.mean(0)
        error = ((together - (teacher - mean) / std) ** 2).sum(-1)
        variance = (students ** 2).sum(-1).mean(0) - (together ** 2).sum(-1)
        found |= {f"dense.p{field}": teacher[..., ::CHANNEL_STEP], f"error.p{field}": error,
                  f"variance.p{field}": variance}
        scale = np.float32(uniform(f"maps of {field}", 4) + 2).astype(np.float64)
        sums = sums + (error - scale[0]) / scale[1] + (variance - scale[2]) / scale[3]
        print(f"p={field}: error {error.mean():.4g}, variance {variance.mean():.4g}", flush=True)
    return found | {"map": sums / len(NETWORKS)}


def trained(name, tensors, loss_of, rate):
    """Losses, gradients and parameters of three steps."""
    optimizer = torch.optim.Adam(tensors, lr=rate, weight_decay=1e-5)
    rows, found = [], {}
    for step in range(STEPS + 1):
        losses = loss_of()
        rows.append([float(value.detach()) for value in losses])
        if step == STEPS:
            break
        optimizer.zero_grad()
        losses[-1].backward()
        if step == 0:
            found["gradients"] = sampled([tensor.grad for tensor in tensors])
        optimizer.step()
    return rows, found | {"parameters": sampled(tensors)}


def students():
    field, x = 33, image(TRAINED)
    mean, std = statistics(field)
    student = network("student1", field)
    with torch.no_grad():
        target = (described(network("teacher", field), x, field) - mean) / std
    rows, found = trained("students", list(student.parameters()),
                          lambda: [((described(student, x, field) - target) ** 2).sum(-1).mean()], 1e-4)
    print(f"student: {rows}", flush=True)
    return {f"students.{part}": values for part, values in found.items()} | {"students.losses": np.array(rows)[:, 0]}


def draw(name, shape, last_norm=False):
    """As backbone_golden.draw(): every number one byte of the tensor's own stream, scaled by powers of two."""
    count = int(np.prod(shape))
    words = philox.words(WEIGHT_SEED, philox.STREAM_PARAMETERS + philox.hash_name(name), 0, (count + 3) // 4)
    byte = words.astype("<u4").view(np.uint8)[:count].astype(np.float64)
    if len(shape) == 4:
        values = (byte - 128) * 2.0 ** -np.round(np.log2(74 * np.sqrt(shape[1] * shape[2] * shape[3] / 2)))
    elif name.endswith("running_var"):
        values = 0.5 + byte / 256
    elif name.endswith("weight"):
        values = (0.5 + byte / 256) * (0.25 if last_norm else 1)
    else:
        values = (byte - 128) / 1024
    return torch.from_numpy(values.reshape(shape))


def convolved(x, name, norm, channels, kernel, stride, last=False):
    weight = draw(f"{name}.weight", [channels, x.shape[1], kernel, kernel])
    parts = [draw(f"{norm}.{part}", [channels], last) for part in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(F.conv2d(x, weight, None, stride, kernel // 2), *parts)


def resnet18(x):
    """To layer4, pooled: [N, 512]."""
    x = F.max_pool2d(F.relu(convolved(x, "conv1", "bn1", 64, 7, 2)), 3, 2, 1)
    for stage in range(1, 5):
        for block in range(2):
            name, channels, stride = f"layer{stage}.{block}", 32 << stage, 2 if stage > 1 and block == 0 else 1
            y = F.relu(convolved(x, f"{name}.conv1", f"{name}.bn1", channels, 3, stride))
            y = convolved(y, f"{name}.conv2", f"{name}.bn2", channels, 3, 1, last=True)
            if stride > 1:
                x = convolved(x, f"{name}.downsample.0", f"{name}.downsample.1", channels, 1, stride)
            x = F.relu(y + x)
    return x.mean((2, 3))


def teacher():
    field = 33
    x = torch.cat([image(PATCH_SEED + i, 40, 40)[..., :field, :field] for i in range(PATCHES)])
    net, vector = network("teacher", field), resnet18(x)
    decoder = filled(torch.nn.Conv2d(128, 512, 1), f"decoder.p{field}")

    def losses():
        descriptors = net(x)
        distance = ((decoder(descriptors).flatten(1) - vector) ** 2).sum(1).mean()
        rows = descriptors.flatten(1)
        rows = (rows - rows.mean(0)) / torch.sqrt(rows.var(0, unbiased=False) + 1e-5)
        correlations = rows.T @ rows / PATCHES
        compactness = (correlations ** 2).sum() - (torch.diag(correlations) ** 2).sum()
        return [distance, compactness, distance + 0.5 * compactness]

    tensors = [*net.parameters(), *decoder.parameters()]
    rows, found = trained("teacher", tensors, losses, 2e-4)
    print(f"teacher: {rows}", flush=True)
    split = len(list(net.parameters()))
    parts = {f"teacher.{part}": values[:split] for part, values in found.items()}
    parts |= {f"decoder.{part}": values[split:] for part, values in found.items()}
    return parts | {"teacher.losses": np.array(rows), "vector": vector}


def main():
    torch.set_default_dtype(torch.float64)
    found = maps() | students() | teacher()
    found = {name: np.ascontiguousarray(t.detach().numpy() if torch.is_tensor(t) else t) for name, t in found.items()}
    path = FOLDER / "student_teacher.safetensors"
    safetensors_file.write(path, found, {"made by": "student_teacher_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
