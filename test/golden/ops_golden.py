"""Writes what PyTorch computes for every row of test/support/op_cases.def: values to
ops/values.safetensors, gradients to ops/gradients.safetensors.

Inputs are drawn from Philox by case name, as test/support/op_cases.c does, so only results are stored. Computed in
float64 and rounded to float32 at the end: the error seen in the test is our own. Tensors: <case>.y and, where the
result has a gradient, <case>.dx0, <case>.dx1 … of mean((y - target)²) with a random target."""
import re
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

import philox
from safetensors_file import write

HERE = Path(__file__).parent
ROW = re.compile(r"^OP_CASE\((\w+), (\w+), INPUTS\((.*)\), ([-0-9., e]+)\)$", re.MULTILINE)
TARGET = 4  # input number of the target: OP_CASE_INPUTS
DROPOUT_STREAM = 1024  # EAD_STREAM_DROPOUT
AUGMENT_STREAM = 4  # EAD_STREAM_AUGMENT
NOISE_STREAM = 12  # EAD_STREAM_NOISE
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)


def words(case, number, count):
    """Words of input `number` of a case."""
    return philox.words(philox.hash_name(case), philox.STREAM_TEST, number << 20, count)


def fill(case, number, kind, sizes):
    """The input tensor, float64 except for bytes and step counters."""
    if kind == "STEP":
        return sizes[0]
    if kind == "ORDER":
        name = philox.hash_name(case)
        return torch.tensor([philox.shuffled_index(name, philox.STREAM_TEST, i, sizes[0]) for i in range(sizes[0])])
    word = words(case, number, int(np.prod(sizes))).reshape(sizes)
    if kind == "BYTES":
        return torch.from_numpy((word >> np.uint32(24)).astype(np.uint8))
    u = philox.uniform(word)
    five = np.floor((u.astype(np.float32) * np.float32(5))).astype(np.float64)
    values = torch.from_numpy((five - 2) / 4 if kind == "TIES" else 2 * u - 1)
    if kind == "HALF":
        return values.half().double()
    return values.requires_grad_(kind != "CONST")


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def relu(x, _):
    return F.relu(x)


def leaky_relu(x, slope):
    return F.leaky_relu(x, slope)


def batch_norm(x, factor, shift, epsilon):
    return nhwc(F.batch_norm(nchw(x), None, None, factor.flatten(), shift.flatten(), training=True, eps=epsilon))


def running_statistics(x, running, momentum):
    mean, variance = running.clone().flatten(1)
    for batch in x.chunk(2):
        F.batch_norm(nchw(batch), mean, variance, training=True, momentum=momentum)
    return torch.stack([mean, variance]).reshape(running.shape)


def conv2d(x, w, *rest):
    *bias, stride, padding, activate = rest
    bias = bias[0].reshape(-1) if bias else None
    y = nhwc(F.conv2d(nchw(x), nchw(w), bias, stride=int(stride), padding=int(padding)))
    return F.relu(y) if activate else y


def instance_norm(x, epsilon):
    """By its formula: the gradient of F.instance_norm is another one for two pixels in channels-last."""
    mean, variance = x.mean((1, 2), keepdim=True), x.var((1, 2), unbiased=False, keepdim=True)
    return (x - mean) / (variance + epsilon).sqrt()


def conv_transpose2d(x, w, *rest):
    *bias, stride, padding = rest
    bias = bias[0].reshape(-1) if bias else None
    return nhwc(F.conv_transpose2d(nchw(x), nchw(w), bias, int(stride), int(padding)))


def resize_corners(x, height, width):
    return nhwc(F.interpolate(nchw(x), (int(height), int(width)), mode="bilinear", align_corners=True))


def focal_loss(x, target, factor):
    """-(1 - p)² ln p, written out with one-hot weights of the classes."""
    weights = torch.cat([1 - target, target], -1).clamp(1e-5, 1 - 1e-5)
    p = (weights * torch.softmax(x * factor, -1)).sum(-1, keepdim=True) + 1e-5
    return -(1 - p) ** 2 * p.log()


def whole_numbers(x, count):
    return ((x + 1) / 2 * count).floor().long().clamp(0, int(count) - 1)


def order_of_rows(x, table):
    return torch.cdist(x.reshape(-1, x.shape[-1]), table.reshape(len(table), -1)).argsort(stable=True)


def ranked_rows(x, table, *rest):
    *ranks, count = rest
    rank = whole_numbers(ranks[0], count).reshape(-1, 1) if ranks else torch.zeros(x[..., 0].numel(), 1).long()
    return order_of_rows(x, table).gather(1, rank).reshape(*x.shape[:3], 1).double()


def gather_rows(table, index, count):
    return table.reshape(len(table), -1)[whole_numbers(index, count)[..., 0]]


def straight_through(x, other, factor):
    return (factor + 2) * x + other


def codebook_update(codes, x, step, decay, least, seed, stream):
    vectors, count = x.reshape(-1, x.shape[-1]), len(codes)
    codes, sums, sizes = codes.reshape(count, -1), torch.zeros(count, x.shape[-1]).double(), torch.zeros(count).double()
    for turn in range(2):
        hot = F.one_hot(order_of_rows(vectors, codes)[:, 0], count).double()
        sums = decay * sums + (1 - decay) * hot.T @ vectors
        sizes = decay * sizes + (1 - decay) * hot.sum(0)
        total = sizes.sum()
        sizes = (sizes + 1e-5) / (total + count * 1e-5) * total
        word = philox.words(int(seed), int(stream), (step + turn) << 34, count).astype(np.int64)
        anew = sizes < least * total / count
        sizes = torch.where(anew, total / count, sizes)
        drawn = vectors[torch.from_numpy(word * len(vectors) >> 32)]
        sums = torch.where(anew[:, None], drawn * sizes[:, None], sums)
        codes = sums / sizes[:, None]
    return codes.reshape(count, 1, 1, -1)


def relu6(x, factor):
    return F.relu6(x * factor)


def swish(x, factor):
    return F.silu(x * factor)


def sigmoid(x, factor):
    return torch.sigmoid(x * factor)


def global_avg_pool(x, _):
    return x.mean((1, 2), keepdim=True)


def image_scale(x, factor, _):
    return x * factor


def same(size, kernel, stride):
    """TensorFlow's padding before and behind."""
    both = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return both // 2, both - both // 2


def grouped_conv2d(x, w, *rest):
    *bias, groups, stride, padding, activation = rest
    kernel, stride, padding = w.shape[1:3], int(stride), int(padding)
    rows, columns = (same(x.shape[1 + i], kernel[i], stride) if padding < 0 else (padding, padding) for i in range(2))
    y = F.conv2d(F.pad(nchw(x), columns + rows), nchw(w), bias[0].reshape(-1) if bias else None, stride, groups=int(groups))
    return nhwc((lambda v: v, F.relu, F.relu6)[int(activation)](y))


def normalize_image_by(x, mean, mean_blue, std, std_blue):
    return (x.double() / 255 - torch.tensor([mean, mean, mean_blue])) / torch.tensor([std, std, std_blue])


def add(a, b, _):
    return a + b


def add_to_itself(x, _):
    return F.relu(x) + (x + x)


def scale(x, factor):
    return x * factor


def slice_batch(x, begin, count):
    return x[int(begin):int(begin + count)]


def slices(x, begin0, count0, begin1, count1):
    first, second = slice_batch(3 * x, begin0, count0), slice_batch(3 * x, begin1, count1)
    return torch.cat([second * 2, F.relu(first)])


def slices_and_whole(x, *ranges):
    return torch.cat([slices(x, *ranges), -3 * x])


def concat_batch(*parts):
    return torch.cat(parts[:-1])


def concat_channels(*parts):
    images = max(part.shape[0] for part in parts[:-1])
    return torch.cat([part.expand(images, -1, -1, -1) for part in parts[:-1]], 3)


def slice_channels(x, begin, count):
    return x[..., int(begin):int(begin + count)]


def channel_halves(x, count, begin):
    return torch.cat([3 * x[..., int(begin):], 6 * x[..., :int(count)]], 3)


def permute_channels(x, order, _):
    return x[..., order]


def channel_sum(x, _):
    return x.sum((0, 1, 2), keepdim=True)


def lr_schedule(step, base, factor, drop):
    rate = base * factor if 0 <= drop <= step else base
    return torch.full((1, 1, 1, 1), rate, dtype=torch.float64)


def ramp(step, start, stop, begin, end):
    value = np.interp(step, [begin, end], [start, stop]) if begin < end else stop if step >= end else start
    return torch.full((1, 1, 1, 1), float(value), dtype=torch.float64)


def faded(x, step, *numbers):
    return x * ramp(step, *numbers)


def adam(parameters, gradients, step, rate, factor, drop, decay, joins=0, kind=torch.optim.Adam):
    p = parameters.detach().clone().requires_grad_()
    optimizer = kind([p], lr=rate, weight_decay=decay)
    for i, gradient in enumerate(gradients):
        if step + i < joins:
            continue
        optimizer.param_groups[0]["lr"] = lr_schedule(step + i, rate, factor, drop).item()
        p.grad = gradient[None].clone()
        optimizer.step()
    return p.detach()


def adamw(*arguments):
    return adam(*arguments, kind=torch.optim.AdamW)


def avg_pool2d(x, kernel, stride, padding):
    return nhwc(F.avg_pool2d(nchw(x), int(kernel), int(stride), int(padding)))


def max_pool2d(x, kernel, stride, padding, ceil_mode):
    return nhwc(F.max_pool2d(nchw(x), int(kernel), int(stride), int(padding), ceil_mode=bool(ceil_mode)))


def space_to_batch(x, _):
    height, width = (size // 2 * 2 for size in x.shape[1:3])
    return torch.cat([x[:, i:height:2, j:width:2] for i in range(2) for j in range(2)])


def batch_to_space(x, _):
    parts = torch.stack(x.chunk(4), -1).reshape(x.shape[0] // 4, *x.shape[1:3], x.shape[3] * 4)
    return nhwc(F.pixel_shuffle(nchw(parts), 2))


def dealt_and_back(x, _):
    return x


def gram(x, _):
    rows = x.flatten(0, 2)
    return (rows.T @ rows / len(rows))[None, :, :, None]


def correlations(x, epsilon):
    """Squares of the correlations of different channels."""
    rows = x.flatten(0, 2)
    rows = (rows - rows.mean(0)) / torch.sqrt(rows.var(0, unbiased=False) + epsilon)
    products = rows.T @ rows / len(rows)
    return scalar(((products - torch.diag(torch.diag(products))) ** 2).sum())


def resize_bilinear(x, height, width):
    return nhwc(F.interpolate(nchw(x), (int(height), int(width)), mode="bilinear", align_corners=False))


def dropout(x, step, probability, seed, layer):
    drawn = philox.words(int(seed), DROPOUT_STREAM + int(layer), step << 34, x.numel())
    keep = torch.from_numpy(philox.uniform(drawn) >= probability).reshape(x.shape)
    return x * keep / (1 - probability)


def noise_normal(x, step, deviation, seed):
    drawn = philox.words(int(seed), NOISE_STREAM, step << 34, x.numel() + 1)[:x.numel() + x.numel() % 2]
    u, v = philox.uniform(drawn).astype(np.float64).reshape(-1, 2).T
    radius = np.sqrt(-2 * np.log(u + 2.0 ** -24))
    pairs = np.stack([radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)], 1)
    return x + deviation * torch.from_numpy(pairs.reshape(-1)[:x.numel()]).reshape(x.shape)


def channel_affine(x, factor, *rest):
    return x * factor + (rest[0] if len(rest) > 1 else 0)


def bounded(a, arctangent, limit, slope):
    return limit * (torch.atan if arctangent else torch.tanh)(slope * a)


def coupling(x, a, arctangent, limit, slope, gain):
    scales, shifts = a.chunk(2, 3)
    kept, changed = x.split([x.shape[3] - scales.shape[3], scales.shape[3]], 3)
    return torch.cat([kept, changed * torch.exp(bounded(scales, arctangent, limit, slope)) + gain * shifts], 3)


def coupling_logdet(a, arctangent, limit, slope, _):
    return scalar(bounded(a.chunk(2, 3)[0], arctangent, limit, slope).sum())


def layer_norm(x, factor, shift, epsilon):
    return F.layer_norm(x, x.shape[1:], factor[0], shift[0], epsilon)


def exp(x, _):
    return torch.exp(x)


def softplus(x, beta):
    return F.softplus(x, beta, threshold=1000)


def sqrt_of_softplus(x, beta):
    return torch.sqrt(softplus(x, beta))


def log_of_softplus(x, beta):
    return torch.log(softplus(x, beta))


def squared_difference(a, b, _):
    return (a - b) ** 2


def scalar(x):
    return x.reshape(1, 1, 1, 1)


def mean(x, _):
    return scalar(x.mean())


def channel_mean(x, _):
    return x.mean(3, keepdim=True)


def quantile(x, q):
    return scalar(torch.quantile(x.detach(), q))


def masked_mean(x, threshold, _):
    return scalar(x[x >= threshold.reshape(())].mean())


def hard_feature_loss(x, q):
    return masked_mean(x, quantile(x, q), 0)


def normalize_image(x, _):
    return (x / 255.0 - IMAGENET_MEAN) / IMAGENET_STD


def fill_cells(x, mask, value):
    return torch.where(mask > 0, x, torch.full_like(x, value))


def pad_border(x, cells):
    return nhwc(F.pad(nchw(x), [int(cells)] * 4))


def pad_replicate(x, cells):
    return nhwc(F.pad(nchw(x), [int(cells)] * 4, mode="replicate"))


def patch_pool(x, kernel, outputs):
    kernel = int(kernel)
    patches = F.unfold(nchw(x), kernel, padding=kernel // 2)  # [N, C kernel², H W]
    pooled = F.adaptive_avg_pool1d(patches.transpose(1, 2), int(outputs))
    return pooled.reshape(*x.shape[:3], int(outputs))


def nearest_rows(queries, bank, count, indices):
    distances = ((queries[..., None, :] - bank.reshape(1, 1, 1, *bank.shape[::3])) ** 2).sum(-1)
    nearest = torch.topk(distances, int(count), largest=False)
    return torch.cat([nearest.values, nearest.indices.double()], -1) if indices else nearest.values


def reweighted_score(queries, bank, neighbours, _):
    bank = bank.reshape(bank.shape[0], -1)
    scores = []
    for image in queries.flatten(1, 2):
        distances = torch.cdist(image, bank, compute_mode="donot_use_mm_for_euclid_dist")
        nearest, rows = distances.min(1)
        farthest = nearest.argmax()
        around = torch.cdist(bank[rows[farthest]][None], bank, compute_mode="donot_use_mm_for_euclid_dist")[0]
        support = torch.topk(around, int(neighbours), largest=False).indices
        weight = 1 - F.softmax((image[farthest] - bank[support]).norm(dim=1), 0)[0]
        scores.append(nearest[farthest] * weight)
    return torch.stack(scores).reshape(-1, 1, 1, 1)


def gaussian_filter(x, sigma):
    return torch.from_numpy(ndimage.gaussian_filter(x.numpy(), (0, sigma, sigma, 0)))


def gather_image(x, index, _):
    return x[index:index + 1]


def gather_bytes(x, index, _):
    return normalize_image(gather_image(x, index, _), _)


def draw_image(x, step, count, seed, stream):
    return gather_image(x, philox.shuffled_index(int(seed), int(stream), step, count), 0)


def gray_of(x):
    """[...,1] int64: ITU-R 601 as Pillow rounds it."""
    return (x.astype(np.int64) @ np.array([19595, 38470, 7471]) + 0x8000 >> 16)[..., None]


def random_grayscale(x, step, seed, stream, probability):
    word = philox.philox(int(seed), int(stream), [step + 1])[0, 0]
    turned = philox.uniform(word).astype(np.float32) < np.float32(probability)
    gray = torch.from_numpy(np.broadcast_to(gray_of(x.numpy()), x.shape).astype(np.uint8))
    return normalize_image(gray if turned else x, 0)


def draw_jitter(x, step, seed):
    """Pillow blends in single precision and truncates (data_golden.py has its own results)."""
    words = philox.philox(int(seed), AUGMENT_STREAM, [step + 1])[0]
    factor = np.float32(0.8 + 0.4 * philox.uniform(words[1]))
    rgb = x.numpy()
    gray = gray_of(rgb)
    origin = [np.zeros_like(gray), np.int64(gray.sum() / gray.size + 0.5), gray][int(words[0]) * 3 >> 32]
    origin = origin.astype(np.float32)
    mixed = origin + factor * (rgb.astype(np.float32) - origin)
    return normalize_image(torch.from_numpy(np.clip(mixed, 0, 255).astype(np.uint8)), 0)


def chain(x, w1, bias, w2, _):
    a = avg_pool2d(conv2d(x, w1, bias, 1, 3, 1), 2, 2, 1)
    b = conv2d(a, w2, 1, 1, 1)
    b = b * 0.5 + resize_bilinear(resize_bilinear(b, 3, 9), b.shape[1], b.shape[2])
    d = (b[0:1] - b[1:2]) ** 2
    return torch.cat([mean(pad_border(channel_mean(d, 0), 1), 0), hard_feature_loss(d, 0.9)])


def results(case, op, inputs, numbers):
    """The tensors of one case."""
    x = [fill(case, number, kind, [int(size) for size in sizes.split(",")])
         for number, (kind, sizes) in enumerate(re.findall(r"(\w+)\(([^)]*)\)", inputs))]
    numbers = [float(number) for number in numbers.split(",")]
    y = globals()[op](*x, *numbers)
    found = {f"{case}.y": y}
    if y.requires_grad:
        ((y - fill(case, TARGET, "CONST", list(y.shape))) ** 2).mean().backward()
        found |= {f"{case}.dx{i}": t.grad for i, t in enumerate(x) if torch.is_tensor(t) and t.grad is not None}
    return {name: t.detach().numpy().astype(np.float32) for name, t in found.items()}


def main():
    tensors = {}
    for row in ROW.findall((HERE.parent / "support" / "op_cases.def").read_text()):
        tensors |= results(*row)
    for file, wanted in (("values", False), ("gradients", True)):
        part = {name: tensor for name, tensor in tensors.items() if (".dx" in name) == wanted}
        write(HERE / "ops" / f"{file}.safetensors", part, {"made by": "ops_golden.py"})
        print(f"ops/{file}.safetensors: {len(part)} tensors")


if __name__ == "__main__":
    main()
