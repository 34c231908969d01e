"""EfficientAD (arXiv 2303.14535) in PyTorch, written for reading: the independent program that golden values
come from and that bench/rivals times. Networks, Algorithm 1 (training step) and Algorithm 2 (maps).

Tensors are NCHW. An image size is (height, width), each a multiple of 64 from 128 up. Works with PyTorch 1.13
(Debian's python3-torch) and later, in float32 and float64."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import philox

CHANNELS = 384  # of the teacher's output and of the autoencoder's
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet
# conv: output channels (0 = the network's), kernel, padding of the padded network, ReLU behind it; None: pool
PDN_LAYERS = {
    "small": [(128, 4, 3, True), None, (256, 4, 3, True), None, (256, 3, 1, True), (0, 4, 0, False)],
    "medium": [(256, 4, 3, True), None, (512, 4, 3, True), None, (512, 1, 0, True), (512, 3, 1, True),
               (0, 4, 0, True), (0, 1, 0, False)],
}


class Pdn(nn.Module):
    """Patch description network: image [N,3,H,W] -> [N,C,H/4,W/4] padded, [N,C,H/4-8,W/4-8] unpadded."""

    def __init__(self, size, channels, padded):
        super().__init__()
        self.steps, inputs = [], 3
        for layer in PDN_LAYERS[size]:
            if layer is None:  # padded zeros are counted in the mean
                self.steps.append((nn.AvgPool2d(2, 2, padding=1 if padded else 0), False))
                continue
            outputs, kernel, padding, relu = layer
            conv = nn.Conv2d(inputs, outputs or channels, kernel, padding=padding if padded else 0)
            setattr(self, f"conv{1 + len(list(self.children()))}", conv)
            self.steps.append((conv, relu))
            inputs = conv.out_channels

    def forward(self, x):
        for layer, relu in self.steps:
            x = F.relu(layer(x)) if relu else layer(x)
        return x


def pdn_output_size(image_size, padded):
    return tuple(s // 4 if padded else s // 4 - 8 for s in image_size)


def resize(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class Autoencoder(nn.Module):
    """Image [N,3,H,W] -> a bottleneck of 64 numbers -> [N,384,h,w], the PDN's output size."""

    def __init__(self, image_size, padded, dropout=0.2):
        super().__init__()
        channels = [3, 32, 32, 64, 64, 64]
        for i in range(5):
            setattr(self, f"enc_conv{i + 1}", nn.Conv2d(channels[i], channels[i + 1], 4, stride=2, padding=1))
        self.enc_conv6 = nn.Conv2d(64, 64, tuple(s // 32 for s in image_size))
        for i in range(1, 7):
            setattr(self, f"dec_conv{i}", nn.Conv2d(64, 64, 4, padding=2))
        self.dec_conv7 = nn.Conv2d(64, 64, 3, padding=1)
        self.dec_conv8 = nn.Conv2d(64, CHANNELS, 3, padding=1)
        self.dropout = dropout
        height, width = image_size
        targets = [[s // 64 - 1, s // 32, s // 16 - 1, s // 8, s // 4 - 1, s // 2 - 1] for s in (height, width)]
        self.targets = list(zip(*targets)) + [pdn_output_size(image_size, padded)]

    def forward(self, x):
        for i in range(1, 6):
            x = F.relu(getattr(self, f"enc_conv{i}")(x))
        x = self.enc_conv6(x)
        for i in range(1, 7):
            x = F.relu(getattr(self, f"dec_conv{i}")(resize(x, self.targets[i - 1])))
            x = F.dropout(x, self.dropout, self.training)
        x = F.relu(self.dec_conv7(resize(x, self.targets[6])))
        return self.dec_conv8(x)


class EfficientAd(nn.Module):
    """The three networks, the teacher's channel mean and standard deviation and the maps' quantiles.
    with_autoencoder=False leaves the autoencoder out and gives the student 384 outputs."""

    def __init__(self, size="small", padded=False, image_size=(256, 256), with_autoencoder=True, dropout=0.2):
        super().__init__()
        self.padded, self.image_size = padded, tuple(image_size)
        self.teacher = Pdn(size, CHANNELS, padded).requires_grad_(False)
        self.student = Pdn(size, 2 * CHANNELS if with_autoencoder else CHANNELS, padded)
        self.autoencoder = Autoencoder(self.image_size, padded, dropout) if with_autoencoder else None
        self.register_buffer("teacher_mean", torch.zeros(CHANNELS))
        self.register_buffer("teacher_std", torch.ones(CHANNELS))
        self.register_buffer("quantiles", torch.tensor([0.0, 0.1, 0.0, 0.1]))  # q_a, q_b of st; q_a, q_b of ae

    def initialise(self, seed):
        """Parameters from the project's Philox streams; C counts them in O,KH,KW,I, PyTorch in O,I,KH,KW."""
        convolutions = {name: module for name, module in self.named_modules() if isinstance(module, nn.Conv2d)}
        for name, conv in convolutions.items():
            o, i, kh, kw = conv.weight.shape
            weight = philox.parameter(seed, f"{name}.weight", o * kh * kw * i, kh * kw * i).reshape(o, kh, kw, i)
            bias = philox.parameter(seed, f"{name}.bias", o, kh * kw * i)
            with torch.no_grad():
                conv.weight.copy_(torch.from_numpy(weight.transpose(0, 3, 1, 2).copy()))
                conv.bias.copy_(torch.from_numpy(bias))
        return self

    def set_teacher_statistics(self, images):
        """Mean and population standard deviation a channel of the teacher's output over all images."""
        with torch.no_grad():
            outputs = torch.cat([self.teacher(image) for image in images])  # [N,384,h,w]
            self.teacher_mean.copy_(outputs.mean(dim=(0, 2, 3)))
            self.teacher_std.copy_(outputs.var(dim=(0, 2, 3), unbiased=False).sqrt())

    def normalised_teacher(self, x):
        with torch.no_grad():
            return (self.teacher(x) - self.teacher_mean[:, None, None]) / self.teacher_std[:, None, None]

    @staticmethod
    def hard_loss(distance, quantile):
        return distance[distance >= torch.quantile(distance.detach(), quantile)].mean()

    def losses(self, train, augmented, penalty=None, hard_quantile=0.999):
        """Algorithm 1's loss terms for one image each [1,3,H,W], as a dict of scalars in the order of losses.csv.
        The student sees its images as one batch. Terms that are switched off are zero."""
        with_autoencoder = self.autoencoder is not None
        batch = [train] + [penalty] * (penalty is not None) + [augmented] * with_autoencoder
        teacher = self.normalised_teacher(torch.cat([train, augmented]) if with_autoencoder else train)
        student = self.student(torch.cat(batch))
        distance = (teacher[:1] - student[:1, :CHANNELS]) ** 2
        hard = self.hard_loss(distance, hard_quantile)
        zero = torch.zeros_like(hard)
        loss_penalty = (student[1, :CHANNELS] ** 2).mean() if penalty is not None else zero
        loss_ae = loss_stae = zero
        if with_autoencoder:
            reconstruction = self.autoencoder(augmented)
            loss_ae = ((teacher[1:] - reconstruction) ** 2).mean()
            loss_stae = ((reconstruction - student[-1:, CHANNELS:]) ** 2).mean()
        total = hard + loss_penalty + loss_ae + loss_stae
        return {"hard": hard, "penalty": loss_penalty, "ae": loss_ae, "stae": loss_stae, "total": total}

    def trainable(self):
        return [p for p in self.parameters() if p.requires_grad]

    def optimizer(self, **options):
        return torch.optim.Adam(self.trainable(), lr=1e-4, weight_decay=1e-5, **options)  # L2 inside Adam

    def raw_maps(self, x):
        """Algorithm 2: [1,3,H,W] -> map_st, map_ae, both [1,1,h,w] at the PDN's output size."""
        teacher, student, reconstruction = self.normalised_teacher(x), self.student(x), self.autoencoder(x)
        map_st = ((teacher - student[:, :CHANNELS]) ** 2).mean(dim=1, keepdim=True)
        map_ae = ((reconstruction - student[:, CHANNELS:]) ** 2).mean(dim=1, keepdim=True)
        return map_st, map_ae

    def set_quantiles(self, images, q_start=0.9, q_end=0.995):
        """q_a and q_b of both raw maps, resized to the image (no zero border), over all pixels of all images.
        numpy's quantile interpolates linearly like torch's, without its limit of 2^24 numbers."""
        with torch.no_grad():
            maps = [[resize(m, self.image_size).flatten() for m in self.raw_maps(x)] for x in images]
        pixels = [torch.cat(branch).numpy() for branch in zip(*maps)]
        self.quantiles.copy_(torch.from_numpy(np.concatenate([np.quantile(p, [q_start, q_end]) for p in pixels])))

    def combined_map(self, map_st, map_ae):
        """Quantile normalisation, mean of both branches, zero border if unpadded, resize: [N,1,H,W]."""
        q = self.quantiles
        normal_st, normal_ae = 0.1 * (map_st - q[0]) / (q[1] - q[0]), 0.1 * (map_ae - q[2]) / (q[3] - q[2])
        combined = 0.5 * normal_st + 0.5 * normal_ae
        return resize(combined if self.padded else F.pad(combined, (4, 4, 4, 4)), self.image_size)


def test_image(seed, image_size, dtype=torch.float32):
    """philox.test_image as a normalised [1,3,H,W] tensor."""
    pixels = torch.from_numpy(philox.test_image(seed, *image_size)).to(dtype)
    normal = (pixels / 255 - torch.tensor(MEAN, dtype=dtype)) / torch.tensor(STD, dtype=dtype)
    return normal.permute(2, 0, 1).unsqueeze(0).contiguous()


def count_parameters(module):
    return sum(p.numel() for p in module.parameters())


def check_parameter_counts():
    """The paper's Table 16 (teacher + student + autoencoder) and its autoencoder."""
    expected = {"small": (2_694_144, 4_267_392), "medium": (8_026_624, 11_615_488)}
    for size, (teacher, student) in expected.items():
        model = EfficientAd(size)
        counts = [count_parameters(m) for m in (model.teacher, model.student, model.autoencoder)]
        assert counts == [teacher, student, 1_096_320], (size, counts)
        assert round(sum(counts) / 1e6, 3) == {"small": 8.058, "medium": 20.738}[size], sum(counts)
