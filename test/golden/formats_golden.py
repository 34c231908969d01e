"""Golden values for BMP and TIFF, by Pillow and tifffile: writes test/golden/codec/*.bmp, *.tif and formats_golden.h
for test/data/test_codec_formats.c.

Expected pixels are what Pillow reads, but for 16 bits a channel, which Pillow clips or cannot read: there gray is the
high byte and a colour 255 v / 65535 rounded, as libtiff converts them. Pillow does not write every kind of BMP, so a
small writer below does. Run from the repository root: python3 test/golden/formats_golden.py
"""
import pathlib
import struct

import numpy as np
import tifffile
from PIL import Image

HERE = pathlib.Path(__file__).parent
FILES = HERE / "codec"
WIDTH, HEIGHT = 11, 9


def fnv(data):
    value = 2166136261
    for byte in bytes(data):
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def bmp(rows, bits, header_size=40, compression=0, masks=b"", palette=b"", top_down=False):
    """A BMP of already packed rows, the top one first."""
    if not top_down:
        rows = rows[::-1]
    body = b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    height = -HEIGHT if top_down else HEIGHT
    if header_size == 12:
        info = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
    else:
        colours = len(palette) // 4 if palette else 0
        info = struct.pack("<IiiHHIIiiII", header_size, WIDTH, height, 1, bits, compression, len(body), 0, 0, colours, 0)
        if header_size > 40:
            info += (masks + b"\0" * header_size)[: header_size - 40]
            masks = b""
    start = 14 + len(info) + len(masks) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + info + masks + palette + body


def bmp_files(rng):
    palette = rng.integers(0, 256, (256, 4), np.uint8)
    rgb = rng.integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    short = rng.integers(0, 1 << 16, (HEIGHT, WIDTH), np.uint16)
    yield "rgb24", bmp([row[:, :3].tobytes() for row in rgb], 24)
    yield "rgb24_top_down", bmp([row[:, :3].tobytes() for row in rgb], 24, top_down=True)
    yield "rgb24_core", bmp([row[:, :3].tobytes() for row in rgb], 24, header_size=12)
    yield "rgb32", bmp([row.tobytes() for row in rgb], 32)
    fields = struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)
    yield "rgb32_fields", bmp([row.tobytes() for row in rgb], 32, 108, 3, fields + struct.pack("<I", 0xFF000000))
    yield "rgb16", bmp([(row & 0x7FFF).tobytes() for row in short], 16)
    yield "rgb16_fields", bmp([row.tobytes() for row in short], 16, 40, 3, struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    for bits in (1, 4, 8):
        values = rng.integers(0, 1 << bits, (HEIGHT, WIDTH))
        rows = []
        for row in values:
            text = "".join(format(v, f"0{bits}b") for v in row)
            text += "0" * (-len(text) % 8)
            rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
        colours = palette[: 1 << bits].copy()
        colours[:, 3] = 0
        yield f"palette{bits}", bmp(rows, bits, palette=colours.tobytes())
        if bits == 8:
            yield "palette8_core", bmp(rows, bits, header_size=12, palette=colours[:, :3].tobytes())


def pillow_pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def tiff_files(rng):
    """Name, function that writes, expected pixels (None: Pillow's)."""
    rgb = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    rgb16 = rng.integers(0, 1 << 16, (HEIGHT, WIDTH, 3), np.uint16)
    gray16 = rgb16[..., 0].copy()
    rounded = ((rgb16.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    high = np.repeat((gray16 >> 8).astype(np.uint8)[..., None], 3, 2)
    image = Image.fromarray(rgb)
    for name, compression in (("none", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")):
        yield f"rgb8_{name}", lambda path, c=compression: image.save(path, compression=c), rgb
    yield "gray8", lambda path: image.convert("L").save(path), None
    yield "bilevel", lambda path: image.convert("1").save(path), None
    yield "palette8", lambda path: image.quantize(40).save(path), None
    yield "gray16", lambda path: tifffile.imwrite(path, gray16, photometric="minisblack"), high
    yield "rgb16", lambda path: tifffile.imwrite(path, rgb16, photometric="rgb"), rounded
    yield "rgb16_big_endian", lambda path: tifffile.imwrite(path, rgb16, photometric="rgb", byteorder=">"), rounded
    yield "rgb8_big", lambda path: tifffile.imwrite(path, rgb, photometric="rgb", bigtiff=True), rgb
    yield "rgb8_planar", lambda path: tifffile.imwrite(path, rgb.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"), rgb
    yield "rgb8_tiled", lambda path: tifffile.imwrite(path, rgb, photometric="rgb", tile=(16, 16)), rgb


def main():
    rng = np.random.default_rng(3)
    rows = []
    for name, data in bmp_files(rng):
        path = FILES / f"{name}.bmp"
        path.write_bytes(data)
        rows.append((path.name, pillow_pixels(path)))
    for name, write, pixels in tiff_files(rng):
        path = FILES / f"{name}.tif"
        write(path)
        rows.append((path.name, pillow_pixels(path) if pixels is None else pixels))
    tifffile.imwrite(FILES / "float.tif", rng.random((HEIGHT, WIDTH), np.float32))
    with open(HERE / "formats_golden.h", "w") as file:
        file.write("/* Generated by test/golden/formats_golden.py; do not edit. */\n")
        file.write("static const struct {\n    const char *file;\n    uint32_t rgb; /* fnv of the pixels */\n} golden_formats[] = {\n")
        for name, pixels in rows:
            assert pixels.shape == (HEIGHT, WIDTH, 3), name
            file.write(f'    {{"{name}", 0x{fnv(pixels.tobytes()):08X}u}},\n')
        file.write("};\n")


if __name__ == "__main__":
    main()
