"""Files by torch.save for test_torch_file.c, and files that no torch would write.

torch/*.pth            small tensors in every way that torch stores them
torch/expected.safetensors   what they hold: tensor "FILE/NAME", made contiguous
torch/old/*.pth        some of them in the format before 1.6; with_parameters.pth as PyTorch 0.2 wrote
torch/hostile/*.pth    pickles and archives that must be refused; the C test has the message for each
"""
import io
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from enum import Enum
from pathlib import Path, PosixPath

import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).resolve().parent
OUT = HERE / "torch"
HOSTILE = OUT / "hostile"


# ---- what torch writes ----

class Net(nn.Module):
    """A class that the reader does not know, with all that a module can hold."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=2), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Conv2d(4, 2, 1)
        self.tied = self.head
        self.mean_std = nn.ParameterDict({"mean": torch.rand(1, 2, 1, 1)})
        self.register_buffer("offset", torch.rand(2))
        self.name, self.sizes, self.rate = "net", (1, 2), 0.5

    def forward(self, x):
        return self.head(self.body(x)) + self.offset


def foreign(module, name, *bases, **members):
    """A class of a package that need not be installed, pickled under its name."""
    made = Enum(name, members, type=str) if members else type(name, bases, {})
    made.__module__ = module
    parts = module.split(".")
    for i in range(len(parts)):
        sys.modules.setdefault(".".join(parts[: i + 1]), types.ModuleType(module))
    setattr(sys.modules[module], name, made)
    return made


def checkpoint(net):
    """As Lightning writes it for anomalib: objects of other packages beside the state_dict."""
    size = foreign("anomalib.models.image.efficient_ad.torch_model", "EfficientAdModelSize", S="small", M="medium")
    settings = foreign("lightning_fabric.utilities.data", "AttributeDict", dict)
    optimizer = torch.optim.Adam(net.parameters())
    sum(p.sum() for p in net.parameters()).backward()
    optimizer.step()
    return {"epoch": 2, "global_step": 70, "pytorch-lightning_version": "2.4.0", "state_dict": net.state_dict(),
            "hyper_parameters": settings(model_size=size.S, lr=1e-4, root=PosixPath("a/b"), start=torch.ones(1)),
            "optimizer_states": [optimizer.state_dict()], "lr_schedulers": [], "callbacks": {}}


def tensors_of(value, prefix=""):
    """The reader's names: those of a state_dict, keys and list positions joined by dots."""
    if isinstance(value, nn.Module):
        value = value.state_dict()
    if isinstance(value, torch.Tensor):
        return {prefix or "tensor": value.detach()}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    found = {}
    for key, item in items:
        found.update(tensors_of(item, f"{prefix}.{key}" if prefix else str(key)))
    return found


def files():
    torch.manual_seed(1)
    net = Net()
    numbers = torch.arange(-6, 18).reshape(2, 3, 4)
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
             torch.uint8, torch.bool]
    flat = torch.arange(40, dtype=torch.float32) / 8
    views = {
        "transposed": flat[:24].reshape(2, 3, 4).permute(2, 0, 1), "steps": flat[1::3], "part": flat[8:20].reshape(3, 4),
        "column": flat.reshape(8, 5)[:, 2:3], "scalar": flat[7], "empty": flat[:0].reshape(0, 3),
        "channels_last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "half_steps": flat.half().reshape(5, 8)[::2, 1::2], "again": flat,
    }
    nested = OrderedDict(epoch=3, lr=0.1, model={"weight": nn.Parameter(flat[:6]), 7: flat[6:8]}, name="x", none=None,
                         parts=[net.head, (torch.ones(2), "no tensor")], big=2**40, negative=-5, flags={True, False})
    return {
        "state_dict": net.state_dict(), "module": net, "half": Net().half().state_dict(), "sequential": Net().bfloat16().body,
        "types": {str(t).split(".")[1]: numbers.to(t) for t in kinds}, "views": views, "nested": nested, "alone": torch.ones(3), "checkpoint": checkpoint(Net()),
    }


# ---- what it does not ----

def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def storage(key="0", kind="FloatStorage", elements=4):
    return b"(" + text("storage") + glob("torch", kind) + text(key) + text("cpu") + number(elements) + b"tQ"


def sizes(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(reference=None, offset=0, shape=(4,), stride=(1,)):
    return (glob("torch._utils", "_rebuild_tensor_v2") + b"(" + (reference or storage()) + number(offset) + sizes(shape)
            + sizes(stride) + b"\x89" + glob("collections", "OrderedDict") + b")RtR")


def named(value):
    return b"}" + text("a") + value + b"s"


def archive(program, records=None, method=zipfile.ZIP_STORED, head=b"\x80\x02", end=b"."):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in {"data.pkl": head + program + end, "byteorder": b"little", **(records or {})}.items():
            file.writestr(zipfile.ZipInfo("x/" + name), data, method)
    return buffer.getvalue()


def with_data(program, **options):
    return archive(program, {"data/0": struct.pack("<4f", 1, 2, 3, 4), **options.pop("records", {})}, **options)


def directory_field(data, name, offset, value):
    """Overwrites four bytes in the central directory's entry of a name."""
    at = data.rindex(b"PK\1\2", 0, data.rindex(name.encode())) + offset
    return data[:at] + struct.pack("<I", value) + data[at + 4:]


# ---- the format before 1.6 ----

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def old_storage(key="7", kind="FloatStorage", elements=4, view=b"N"):
    return b"(" + text("storage") + glob("torch", kind) + text(key) + text("cpu") + number(elements) + view + b"tQ"


def old_file(program, keys=b"](" + text("7") + b"e", storages=struct.pack("<q4f", 4, 1, 2, 3, 4), version=1001, little=b"\x88"):
    start = b"\x80\x02"
    system = b"}" + text("little_endian") + little + b"s"
    return MAGIC + b"".join(start + part + b"." for part in (number(version), system, program, keys)) + storages


def with_parameters():
    """Tensors by the function of that time, one in a Parameter, as torchvision's first files have them."""
    value = glob("torch._utils", "_rebuild_tensor") + b"(" + old_storage() + number(1) + sizes((3,)) + sizes((1,)) + b"tR"
    parameter = glob("torch.nn.parameter", "Parameter") + value + b"\x85\x81(\x88\x89" + glob("collections", "OrderedDict") + b")Rtb"
    return old_file(b"}(" + text("a") + parameter + text("b") + value + b"u")


def hostile_old():
    good = old_file(named(tensor(old_storage())))
    return {
        "old_system": old_file(glob("os", "system") + b"(" + text("touch build/scratch/pwned") + b"tR"),
        "old_keys_system": old_file(named(tensor(old_storage())), keys=glob("os", "system") + b"(" + text("true") + b"tR"),
        "old_class": old_file(b"(" + text("module") + glob("os", "system") + text("a.py") + text("import os") + b"tQ)\x81", keys=b"]"),
        "old_class_called": old_file(b"(" + text("module") + glob("os", "system") + text("a.py") + text("x") + b"tQ)R"),
        "old_version": old_file(b"N", version=1002),
        "old_big_endian": old_file(b"N", little=b"\x89"),
        "old_key_missing": old_file(named(tensor(old_storage())), keys=b"]"),
        "old_key_unknown": old_file(named(tensor(old_storage())), keys=b"](" + text("7") + text("8") + b"e"),
        "old_key_twice": old_file(named(tensor(old_storage())), keys=b"](" + text("7") * 2 + b"e"),
        "old_keys_none": old_file(named(tensor(old_storage())), keys=b"N"),
        "old_count": old_file(named(tensor(old_storage())), storages=struct.pack("<q4f", 3, 1, 2, 3, 4)),
        "old_count_huge": old_file(named(tensor(old_storage())), storages=struct.pack("<q4f", 2**62, 1, 2, 3, 4)),
        "old_count_negative": old_file(named(tensor(old_storage())), storages=struct.pack("<q4f", -1, 1, 2, 3, 4)),
        "old_types_differ": old_file(b"}(" + text("a") + tensor(old_storage()) + text("b") + tensor(old_storage(kind="DoubleStorage")) + b"u"),
        "old_view": old_file(named(tensor(old_storage(view=b"(" + text("8") + number(0) + number(2) + b"t")))),
        "old_stride": old_file(named(tensor(old_storage(), shape=(2, 2), stride=(1, 3)))),
        "old_cut": good[:-1],
        "old_cut_count": good[:-20],
        "old_cut_keys": good[:-25],
        "old_head": good[:15],
    }


def overlapping():
    """Two records of which the second has the first one's place."""
    data = with_data(named(tensor()) + text("b") + tensor(storage("1")) + b"s", records={"data/1": struct.pack("<4f", 5, 6, 7, 8)})
    return directory_field(data, "x/data/1", 42, data.index(b"PK\3\4", 1 + data.index(b"x/byteorder")))


def hostile():
    laughs = b"]q\x00" + b"".join(b"]q" + bytes([i]) + b"(" + (b"h" + bytes([i - 1])) * 10 + b"e" for i in range(1, 41))
    shared_state = (b"(}q\x00(" + b"NN" * 2000 + b"u" + glob("a", "b") + b"q\x01]q\x02" + b"h\x01)\x81h\x00b" * 2200 + b"t")
    good = with_data(named(tensor()))
    system = glob("os", "system") + b"(" + text("touch build/scratch/pwned") + b"tR"
    return {
        "good": good,
        "os_system": archive(system),
        "posix_system": archive(named(glob("posix", "system") + b"(" + text("true") + b"tR")),
        "eval": archive(named(glob("__builtin__", "eval") + b"(" + text("1") + b"tR")),
        "getattr": archive(glob("__builtin__", "getattr") + b"(" + glob("os", "system") + text("x") + b"tR"),
        "build_global": archive(glob("os", "system") + b"}b"),
        "object": archive(glob("subprocess", "Popen") + b"(" + text("true") + b"t\x81}" + text("a") + b"Nsb"),
        "call_text": archive(text("os.system") + b")R"),
        "instance": archive(b"(ios\nsystem\n"),
        "itself": archive(b"]q\x00h\x00a"),
        "itself_dict": archive(b"}q\x00" + text("a") + b"h\x00s"),
        "deep": archive(b"N" + b"\x85" * 300),
        "laughs": archive(b"(" + laughs + b"t"),
        "shared_state": archive(shared_state),
        "memo": archive(b"Nr\xff\xff\xff\xff"),
        "memo_missing": archive(b"h\x05"),
        "text_length": archive(b"X\xff\xff\xff\xff"),
        "long_length": archive(b"\x8b\xff\xff\xff\x7f"),
        "wide_number": archive(b"\x8a\x09" + bytes(9)),
        "cut": archive(named(tensor()), end=b""),
        "cut_global": archive(b"cos\nsystem", end=b""),
        "no_mark": archive(b"Nt"),
        "no_value": archive(b"(N\x86"),
        "mark_left": archive(b"("),
        "two_values": archive(b"NN"),
        "odd_items": archive(b"}(Nu"),
        "items_of_none": archive(b"N(Ne"),
        "state_of_none": archive(b"N}b"),
        "protocol": archive(b"N", head=b"\x80\x04"),
        "no_pickle": archive(b"", head=b"hello"),
        "empty_pickle": archive(b"", head=b"", end=b""),
        "opcode": archive(b"\x93"),
        "long_name": archive(b"}" + text("n" * 600) + tensor() + b"s", {"data/0": bytes(16)}),
        "control_name": archive(b"}" + text("\x1b[31m") + tensor() + b"s", {"data/0": bytes(16)}),
        "no_record": archive(named(tensor())),
        "outside_key": with_data(named(tensor(storage("../../../../etc/passwd")))),
        "long_key": with_data(named(tensor(storage("k" * 70)))),
        "elements": with_data(named(tensor(storage(elements=5)))),
        "elements_negative": with_data(named(tensor(storage(elements=-4)))),
        "elements_huge": with_data(named(tensor(storage(elements=2**62)))),
        "storage_type": with_data(named(tensor(storage(kind="ComplexFloatStorage")))),
        "storage_none": with_data(named(tensor(b"N"))),
        "shape_larger": with_data(named(tensor(shape=(5,)))),
        "shape_huge": with_data(named(tensor(shape=(2**40, 2**40), stride=(1, 1)))),
        "shape_negative": with_data(named(tensor(shape=(-1,)))),
        "offset": with_data(named(tensor(offset=1))),
        "offset_huge": with_data(named(tensor(offset=2**63 - 1))),
        "offset_negative": with_data(named(tensor(offset=-1))),
        "stride": with_data(named(tensor(shape=(2,), stride=(4,)))),
        "stride_huge": with_data(named(tensor(shape=(2, 2), stride=(2**62, 2**62)))),
        "stride_negative": with_data(named(tensor(stride=(-1,)))),
        "stride_count": with_data(named(tensor(stride=(1, 1)))),
        "expanded": with_data(named(tensor(shape=(1000000,), stride=(0,)))),
        "dimensions": with_data(named(tensor(shape=(1,) * 9, stride=(1,) * 9))),
        "compressed": with_data(named(tensor()), method=zipfile.ZIP_DEFLATED),
        "bomb": archive(named(tensor(storage(elements=1 << 20))), {"data/0": bytes(1 << 22)}, zipfile.ZIP_DEFLATED),
        "size_lies": directory_field(directory_field(good, "x/data/0", 20, 1 << 30), "x/data/0", 24, 1 << 30),
        "overlapping": overlapping(),
        "checksum": good.replace(struct.pack("<f", 2), struct.pack("<f", 3)),
        "truncated": good[:-30],
        "half": good[: len(good) // 2],
        "other_zip": archive(b"N").replace(b"data.pkl", b"data.txt"),
        "big_endian": archive(b"N", {"byteorder": b"big"}),
        "text_file": b"not a zip archive at all",
        "empty": b"",
    }


def main():
    HOSTILE.mkdir(parents=True, exist_ok=True)
    (OUT / "old").mkdir(exist_ok=True)
    expected = {}
    for name, value in files().items():
        torch.save(value, OUT / f"{name}.pth")
        for key, item in tensors_of(value).items():
            expected[f"{name}/{key}"] = item.contiguous().clone()
    save_file(expected, OUT / "expected.safetensors")
    for name, value in files().items():
        torch.save(value, OUT / "old" / f"{name}.pth", _use_new_zipfile_serialization=False)
    (OUT / "old" / "with_parameters.pth").write_bytes(with_parameters())
    torch.save(torch.ones(3), HOSTILE / "protocol_4.pth", pickle_protocol=4)
    torch.jit.save(torch.jit.script(nn.ReLU()), HOSTILE / "script.pth")
    for name, data in {**hostile(), **hostile_old()}.items():
        (HOSTILE / f"{name}.pth").write_bytes(data)


main()
