"""Writes safetensors_golden.safetensors with the Python package, for test_safetensors.c: one tensor of each
common type, so that our reader is held against the reference implementation's writer."""

from pathlib import Path

import torch
from safetensors.torch import save_file

numbers = torch.arange(6, dtype=torch.float64).reshape(2, 3) / 4 - 0.5  # exact in every float type

save_file(
    {
        "half": numbers.to(torch.float16),
        "brain": numbers.to(torch.bfloat16),
        "single": numbers.to(torch.float32),
        "double": numbers,
        "long": torch.tensor([-1, 2**40], dtype=torch.int64),
        "bytes": torch.tensor([0, 128, 255], dtype=torch.uint8),
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros(0, 4),
        "ünï.weight": torch.ones(1),
    },
    Path(__file__).with_name("safetensors_golden.safetensors"),
    metadata={"format": "efficientad/1 – ü"},  # one key only: the package writes several in random order
)
