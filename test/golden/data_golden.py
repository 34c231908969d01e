"""Golden values for the data folder, by Pillow and torchvision: writes test/golden/codec/* and data_golden.h.

PNG files come from the small writer below, so that every colour type, depth and interlacing exists; the
expected pixels are what Pillow reads from them (its gray 16-bit conversion clips at 255 and is replaced by the
high byte). Run from the repository root: python3 test/golden/data_golden.py
"""
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image
from torchvision.transforms import functional

HERE = pathlib.Path(__file__).parent
FILES = HERE / "codec"
FILES.mkdir(exist_ok=True)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def fnv(data):
    value = 2166136261
    for byte in bytes(data):
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def noise(height, width, channels, seed):
    """The same bytes as fill_noise() in test/support/scratch.h."""
    out, state = np.empty(height * width * channels, np.uint8), seed
    for i in range(out.size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = state >> 24
    return out.reshape(height, width, channels)


def smooth(height, width):
    """A picture that survives JPEG: slopes and a disc."""
    y, x = np.mgrid[:height, :width]
    disc = (x - width / 2) ** 2 + (y - height / 3) ** 2 < (width / 4) ** 2
    return np.stack([x * 255 // width, y * 255 // height, np.where(disc, 220, 40)], -1).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    """samples [h,w,c] integers to filtered (type 0) rows of packed bits."""
    rows = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            rows += b"\0" + row.astype(">u2").tobytes()
        elif depth == 8:
            rows += b"\0" + row.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(v, f"0{depth}b") for v in row)
            bits += "0" * (-len(bits) % 8)
            rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return rows


def png(samples, color_type, depth, interlaced=False, extra=b""):
    height, width, _ = samples.shape
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    if interlaced:
        passes = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7]
        data = b"".join(pack_rows(p, depth) for p in passes if p.size)
    else:
        data = pack_rows(samples, depth)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def as_rgb(data):
    image = Image.open(io.BytesIO(data))
    if image.mode.startswith("I"):
        gray = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(gray[..., None], 3, -1)
    return np.asarray(image.convert("RGBA").convert("RGB"))


def expected_mask(samples, color_type, depth, palette):
    if color_type == 3:
        return palette[samples[..., 0]].max(-1)
    if color_type in (4, 6):
        samples = samples[..., :-1]
    if depth < 8:
        samples = samples * (255 // (2**depth - 1))
    if depth == 16:
        samples = np.maximum(samples >> 8, (samples > 0).astype(samples.dtype))
    return samples.max(-1)


def png_cases():
    rows = []
    names = {0: "gray", 2: "rgb", 3: "palette", 4: "gray_alpha", 6: "rgb_alpha"}
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    random = np.random.default_rng(7)
    for color_type, name in names.items():
        for depth in depths[color_type]:
            samples = random.integers(0, 2**depth, (9, 11, channels[color_type]))
            samples[0, :3] = 0
            if depth == 16:
                samples[0, 3] = 200  # vanishes in the high byte, must stay in a mask
            palette, extra = None, b""
            if color_type == 3:
                palette = random.integers(0, 256, (2**depth, 3)).astype(np.uint8)
                palette[0] = 0
                extra = chunk(b"PLTE", palette.tobytes())
                if depth >= 4:
                    extra += chunk(b"tRNS", bytes(range(0, 2**depth, 2)))
            if color_type == 2:
                extra = chunk(b"tRNS", struct.pack(">HHH", *[int(v) for v in samples[4, 4]]))
            if color_type == 0 and depth == 4:
                extra = chunk(b"tRNS", struct.pack(">H", 3))
            for interlaced in (False, True):
                if interlaced and name == "gray" and depth in (2, 4):
                    continue
                data = png(samples, color_type, depth, interlaced, extra)
                file = f"{name}{depth}{'_interlaced' if interlaced else ''}.png"
                (FILES / file).write_bytes(data)
                mask = expected_mask(samples, color_type, depth, palette).astype(np.uint8)
                rows.append(f'    {{"{file}", 0x{fnv(as_rgb(data)):08x}u, 0x{fnv(mask):08x}u}},')
    return rows


def array(name, values):
    values, lines = [str(int(v)) for v in np.asarray(values).ravel()], []
    for i in range(0, len(values), 24):
        lines.append("    " + ", ".join(values[i : i + 24]) + ",")
    return [f"static const uint8_t {name}[] = {{", *lines, "};"]


def jpeg_cases():
    lines, picture = [], smooth(13, 16)
    cases = {"baseline": dict(quality=85), "progressive": dict(quality=90, progressive=True),
             "full_chroma": dict(quality=75, subsampling=0), "gray": dict(quality=80)}
    for name, options in cases.items():
        image = Image.fromarray(picture)
        image = image.convert("L") if name == "gray" else image
        image.save(FILES / f"{name}.jpg", **options)
        pixels = np.asarray(Image.open(FILES / f"{name}.jpg").convert("RGB"))
        lines += array(f"golden_jpeg_{name}", pixels)
    Image.fromarray(picture).convert("CMYK").save(FILES / "cmyk.jpg", quality=80)
    return lines


RESIZES = [(37, 29, 16, 16), (16, 16, 37, 29), (64, 48, 64, 20), (50, 40, 25, 40), (300, 200, 256, 256),
           (450, 450, 128, 128), (288, 300, 512, 512), (1, 1, 8, 5), (5, 7, 1, 1), (3, 200, 7, 199), (20, 20, 20, 20)]


def two_passes(image, width, height):
    """Rows before columns, as every Pillow before 13 did it; 13 takes the columns first where that is cheaper."""
    return image.resize((width, image.height), Image.BILINEAR).resize((width, height), Image.BILINEAR)


def resize_other_order():
    """One call of this Pillow where 13 begins with the columns; other orders differ by at most 1 level."""
    image = Image.fromarray(noise(60, 20, 1, 20060)[..., 0])
    return array("golden_resize_20_60_24_16", image.resize((24, 16), Image.BILINEAR))


def resize_cases():
    rows = []
    for width, height, to_width, to_height in RESIZES:
        for channels in (1, 3):
            source = noise(height, width, channels, width * 1000 + height)
            image = Image.fromarray(source[..., 0] if channels == 1 else source)
            out = np.asarray(two_passes(image, to_width, to_height))
            rows.append(f"    {{{width}, {height}, {to_width}, {to_height}, {channels}, 0x{fnv(out.tobytes()):08x}u}},")
    return rows


def color_cases():
    rows, source = [], Image.fromarray(noise(16, 24, 3, 99))
    operations = [functional.adjust_brightness, functional.adjust_contrast, functional.adjust_saturation]
    for index, operation in enumerate(operations):
        for factor in (0.0, 0.8, 0.8437, 0.93, 1.0, 1.07, 1.2, 2.5):
            rows.append(f"    {{{index}, {factor}f, 0x{fnv(np.asarray(operation(source, factor)).tobytes()):08x}u}},")
    gray = np.asarray(functional.rgb_to_grayscale(source, 3))
    rows.append(f"    {{3, 0.0f, 0x{fnv(gray.tobytes()):08x}u}},")
    return rows


def table(kind, fields, name, rows):
    return [f"typedef struct {kind} {{", *[f"    {f};" for f in fields], f"}} {kind};",
            f"static const {kind} {name}[] = {{", *rows, "};"]


lines = ["/* Written by data_golden.py from Pillow and torchvision; do not edit. Hashes are 32-bit FNV-1a. */",
         "#ifndef EAD_TEST_DATA_GOLDEN_H", "#define EAD_TEST_DATA_GOLDEN_H", "", "#include <stdint.h>", "",
         "/* clang-format off */"]
lines += table("GoldenPng", ["const char *file", "uint32_t rgb, mask"], "golden_png", png_cases())
lines += table("GoldenResize", ["int width, height, to_width, to_height, channels", "uint32_t hash"],
               "golden_resize", resize_cases())
lines += table("GoldenColor", ["int operation", "float factor", "uint32_t hash"], "golden_color", color_cases())
lines += resize_other_order()
lines += jpeg_cases() + ["/* clang-format on */", "", "#endif"]
(HERE / "data_golden.h").write_text("\n".join(lines) + "\n")
