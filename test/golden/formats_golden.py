"""Image formats: writes test/golden/codec/*.bmp, *.tif, all of test/golden/reading/, and formats_golden.h for
test/data/test_codec_formats.c.

codec/ has what BMP and TIFF are made of; each file of reading/ holds one thing that a reader can get wrong: significant
bits, sign, alpha, orientation, pages, byte order, colour model. Expected is what Pillow makes of it, upright (ImageOps.exif_transpose) and by convert("RGB"). Where Pillow
reads it otherwise than the format's definition has it (gray of 16 bits is clipped or, with 0 for white, not inverted) or
not at all, numpy computes it from the numbers that were written; these rows say "ours". Files that Pillow does not
write come from the small writers of image_writers.py. Run from the repository root: python3 test/golden/formats_golden.py
"""
import io
import pathlib
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image, ImageOps

from image_writers import (ASSOCIATED, BLACK, CMYK, HEIGHT, PALETTE, RGB, STRAIGHT, WHITE, WIDTH, bmp, chunk, exif, page, png, tiff,
                           xmp)

HERE = pathlib.Path(__file__).parent
FILES = HERE / "reading"  # where files are written at present
NONE, DARK, PAGES, COLOURS, FLAT = 0, 1, 2, 3, 4  # what is told of an image
rng = np.random.default_rng(14)  # of reading/
rows = []


def fnv(data):
    value = 2166136261
    for byte in bytes(data):
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def noise(*shape, below=256):
    return rng.integers(0, below, shape)


def row(name, pixels, bits, note, refused, mask=None, white=0):
    shape = (0, 0) if pixels is None else (pixels.shape[1], pixels.shape[0])
    value = 0 if pixels is None else fnv(pixels.astype(np.uint8).tobytes())
    text = f'"{refused}"' if refused else "NULL"
    hashed = 0 if mask is None else fnv(mask.astype(np.uint8).tobytes())
    rows.append(f'    {{"{FILES.name}/{name}", {bits}, {white}, {shape[0]}, {shape[1]}, 0x{value:08X}u, 0x{hashed:08X}u, {note}, {text}}},')


def save(name, data):
    (FILES / name).write_bytes(data)


def pillow(name, data, note=NONE, mask=None):
    """A file that Pillow reads as it should be."""
    save(name, data)
    with Image.open(io.BytesIO(data)) as image:
        image = ImageOps.exif_transpose(image)
        image = image.convert("LA") if image.mode == "La" else image
        row(name, np.asarray(image.convert("RGB")), 0, note, None, mask)


def ours(name, data, pixels, bits=0, note=NONE, mask=None):
    """A file with the pixels that numpy computes: gray [h][w] or RGB."""
    save(name, data)
    row(name, np.repeat(pixels[..., None], 3, 2) if pixels.ndim == 2 else pixels, bits, note, None, mask)


def refused(name, data, text, bits=0):
    save(name, data)
    row(name, None, bits, NONE, text)


def scaled_by_white(name, samples, white, inverted=False):
    """A row of a file that is there, of samples [h][w][c], read by what is white."""
    values = np.minimum(samples, white)
    values = white - values if inverted else values
    levels = np.where(values < white, values * 256 // (white + 1), 255)
    row(name, np.repeat(levels, 3, 2) if levels.shape[2] == 1 else levels, 0, NONE, None, white=white)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


# ---- what BMP and TIFF are made of ----

def whole_bmps(rng):
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


def whole_tiffs(rng):
    """Compressions and layouts: name, function that writes, expected pixels (None: Pillow's)."""
    rgb = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    rgb16 = rng.integers(0, 1 << 16, (HEIGHT, WIDTH, 3), np.uint16)
    gray16 = rgb16[..., 0].copy()
    image = Image.fromarray(rgb)
    for name, compression in (("none", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")):
        yield f"rgb8_{name}", lambda path, c=compression: image.save(path, "TIFF", compression=c), rgb
    yield "gray8", lambda path: image.convert("L").save(path, "TIFF"), None
    yield "bilevel", lambda path: image.convert("1").save(path, "TIFF"), None
    yield "palette8", lambda path: image.quantize(40).save(path, "TIFF"), None
    yield "gray16", lambda path: tifffile.imwrite(path, gray16, photometric="minisblack"), gray16 >> 8
    yield "rgb16", lambda path: tifffile.imwrite(path, rgb16, photometric="rgb"), None
    yield "rgb16_big_endian", lambda path: tifffile.imwrite(path, rgb16, photometric="rgb", byteorder=">"), None
    yield "rgb8_big", lambda path: tifffile.imwrite(path, rgb, photometric="rgb", bigtiff=True), rgb
    yield "rgb8_planar", lambda path: tifffile.imwrite(path, rgb.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"), rgb
    yield "rgb8_tiled", lambda path: tifffile.imwrite(path, rgb, photometric="rgb", tile=(16, 16)), rgb


def whole_files():
    rng = np.random.default_rng(3)
    for name, data in whole_bmps(rng):
        pillow(f"{name}.bmp", data)
    for name, write, pixels in whole_tiffs(rng):
        file = io.BytesIO()
        write(file)
        ours(f"{name}.tif", file.getvalue(), pixels) if pixels is not None else pillow(f"{name}.tif", file.getvalue())
    file = io.BytesIO()
    tifffile.imwrite(file, rng.random((HEIGHT, WIDTH), np.float32))
    refused("float.tif", file.getvalue(), "float.tif: a floating-point TIFF, such as an anomaly map, is not an image")


# ---- PNG ----

def png_files():
    gray12, rgb10 = noise(HEIGHT, WIDTH, 1, below=4096), noise(HEIGHT, WIDTH, 3, below=1024)
    gray12[0, 0] = 4095
    full = noise(HEIGHT, WIDTH, 1, below=65536)
    full[0, 0] = 65535
    scaled = gray12 << 4 | gray12 >> 8
    ours("low12.png", png(gray12, 16), gray12[..., 0] >> 8, note=DARK)
    row("low12.png", np.repeat(gray12 >> 4, 3, 2), 12, NONE, None)
    row("low12.png", None, 10, NONE, "low12.png: has the value 4095, which 10 bits cannot hold")
    ours("low10_rgb.png", png(rgb10, 16), rgb10 >> 8, note=DARK)
    row("low10_rgb.png", rgb10 >> 2, 10, NONE, None)
    alpha = np.concatenate([rgb10, noise(HEIGHT, WIDTH, 1, below=65536)], 2)
    ours("low10_alpha_interlaced.png", png(alpha, 16, interlaced=True), rgb10 >> 8, note=DARK)
    row("low10_alpha_interlaced.png", rgb10 >> 2, 10, NONE, None)
    ours("low8.png", png(gray12 >> 4, 16), gray12[..., 0] * 0, note=DARK)
    row("low8.png", np.repeat(gray12 >> 4, 3, 2), 8, NONE, None)
    ours("sbit12_low.png", png(gray12, 16, chunk(b"sBIT", b"\x0c")), gray12[..., 0] >> 8, note=DARK)
    ours("sbit12_scaled.png", png(scaled, 16, chunk(b"sBIT", b"\x0c")), scaled[..., 0] >> 8)
    ours("sbit12_dim.png", png(scaled // 8, 16, chunk(b"sBIT", b"\x0c")), scaled[..., 0] // 8 >> 8)
    pillow("sbit10_rgb.png", png(np.concatenate([scaled, full, full[::-1]], 2), 16, chunk(b"sBIT", b"\x0a\x0a\x0a")))
    ours("full16.png", png(full, 16), full[..., 0] >> 8)
    scaled_by_white("low12.png", gray12, 3500)
    scaled_by_white("low12.png", gray12, 100)
    scaled_by_white("low10_alpha_interlaced.png", rgb10, 1000)
    scaled_by_white("full16.png", full, 65520)
    row("full16.png", None, 12, NONE, "full16.png: has the value 65535, which 12 bits cannot hold")
    ours("black16.png", png(full * 0, 16), full[..., 0] * 0, note=FLAT)
    rgb = noise(HEIGHT, WIDTH, 3)
    pillow("gamma.png", png(rgb, 8, chunk(b"gAMA", struct.pack(">I", 100000))), mask=rgb.max(2))
    row("gamma.png", rgb, 12, NONE, None)  # bits are for samples of 16
    row("gamma.png", rgb, 0, NONE, None, white=100)
    for turn in range(1, 9):
        pillow(f"turned{turn}.png", png(rgb, 8, chunk(b"eXIf", exif(turn))))
    turned = np.rot90(rgb, -1)
    pillow("turned_behind.png", png(rgb, 8, b"", chunk(b"eXIf", exif(6, ">", entries=4))), mask=turned.max(2))
    pillow("turned_16.png", png(np.concatenate([full, full, full], 2), 16, chunk(b"eXIf", exif(5))))
    pillow("turned_long.png", png(rgb, 8, chunk(b"eXIf", exif(8, "<", 4))))
    pillow("turned_9.png", png(rgb, 8, chunk(b"eXIf", exif(9))))
    pillow("turned_beyond.png", png(rgb, 8, chunk(b"eXIf", b"II*\0\xff\xff\xff\xff\x01\0")))
    text = b"XML:com.adobe.xmp\0\0\0\0\0"
    pillow("turned_xmp.png", png(rgb, 8, chunk(b"iTXt", text + xmp(6))))
    pillow("turned_both.png", png(rgb, 8, chunk(b"iTXt", text + xmp(6)) + chunk(b"eXIf", exif(3))))
    frames = [Image.fromarray(noise(HEIGHT, WIDTH, 3).astype(np.uint8)) for _ in range(3)]
    pillow("animated.png", encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]), note=PAGES)


def bmp_files():
    rgb = noise(HEIGHT, WIDTH, 3).astype(np.uint8)
    pillow("mask_rgb.bmp", encoded(Image.fromarray(rgb), "BMP"), mask=rgb.max(2))
    two = Image.fromarray((noise(HEIGHT, WIDTH, below=2) * 255).astype(np.uint8))
    pillow("mask1.bmp", encoded(two.convert("1"), "BMP"), mask=np.asarray(two))
    pillow("mask8.bmp", encoded(two, "BMP"), mask=np.asarray(two))


# ---- JPEG and WebP ----

def smooth():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return Image.fromarray(np.stack([x * 23, y * 28, (x + y) * 12], -1).astype(np.uint8))


def lossy_files():
    picture = smooth()
    for turn in range(2, 9):
        pillow(f"turned{turn}.jpg", encoded(picture, "JPEG", quality=100, subsampling=0, exif=b"Exif\0\0" + exif(turn)))
    pillow("turned_big_endian.jpg", encoded(picture, "JPEG", quality=90, subsampling=0, exif=b"Exif\0\0" + exif(6, ">", entries=3)))
    pillow("turned_gray.jpg", encoded(picture.convert("L"), "JPEG", quality=90, exif=b"Exif\0\0" + exif(7)))
    pillow("turned_xmp.jpg", encoded(picture, "JPEG", quality=90, subsampling=0, xmp=xmp(8)))
    refused("cmyk.jpg", encoded(picture.convert("CMYK"), "JPEG"), "cmyk.jpg: a CMYK JPEG")
    rgba = Image.fromarray(noise(HEIGHT, WIDTH, 4).astype(np.uint8))
    pillow("lossless.webp", encoded(rgba.convert("RGB"), "WEBP", lossless=True))
    pillow("lossless_alpha.webp", encoded(rgba, "WEBP", lossless=True, exact=True))
    pillow("lossy.webp", encoded(picture, "WEBP", quality=80))
    soft = picture.convert("RGBA")
    soft.putalpha(picture.getchannel("R"))
    pillow("lossy_alpha.webp", encoded(soft, "WEBP", quality=80))
    for turn in (2, 6, 7):
        pillow(f"turned{turn}.webp", encoded(picture, "WEBP", lossless=True, exif=exif(turn, ">")))
    pillow("turned_prefix.webp", encoded(picture, "WEBP", lossless=True, exif=b"Exif\0\0" + exif(5)))
    pillow("turned_xmp.webp", encoded(picture, "WEBP", lossless=True, xmp=xmp(3)))
    frames = [rgba.rotate(90 * i, expand=True).resize(rgba.size) for i in range(3)]
    pillow("animated.webp", encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exact=True), note=PAGES)
    refused("sound.webp", b"RIFF\x24\0\0\0WAVEfmt " + bytes(28), "sound.webp: a RIFF file of WAVE, not a WebP")


# ---- TIFF ----

def tiff_numbers():
    for bits in (10, 12, 14):
        gray, rgb = noise(HEIGHT, WIDTH, 1, below=1 << bits), noise(HEIGHT, WIDTH, 3, below=1 << bits)
        ours(f"gray{bits}.tif", tiff([page(gray, bits, BLACK)]), gray[..., 0] >> bits - 8)
        if bits == 12:  # the packing of bits, checked by Pillow, which knows it for 12 only
            assert np.array_equal(np.asarray(Image.open(FILES / "gray12.tif")), gray[..., 0])
            scaled_by_white("gray12.tif", gray, 3000)
        ours(f"rgb{bits}_big_endian.tif", tiff([page(rgb, bits, RGB, ">")], ">"), rgb >> bits - 8)
    gray12, full = noise(HEIGHT, WIDTH, 1, below=4096), noise(HEIGHT, WIDTH, 1, below=65536)
    gray12[0, 0], full[0, 0] = 4095, 65535
    ours("low12.tif", tiff([page(gray12, 16, BLACK)]), gray12[..., 0] >> 8, note=DARK, mask=np.maximum(gray12 >> 8, gray12 > 0))
    row("low12.tif", np.repeat(gray12 >> 4, 3, 2), 12, NONE, None)
    ours("low12_big_endian.tif", tiff([page(gray12, 16, BLACK, ">")], ">"), gray12[..., 0] >> 8, note=DARK)
    ours("low12_white.tif", tiff([page(gray12, 16, WHITE)]), 255 - (gray12[..., 0] >> 8), note=DARK)
    row("low12_white.tif", np.repeat(255 - (gray12 >> 4), 3, 2), 12, NONE, None)
    scaled_by_white("low12_white.tif", gray12, 3500, inverted=True)
    ours("largest4095.tif", tiff([page(gray12, 16, BLACK, t281=4095)]), gray12[..., 0] >> 4)
    scaled_by_white("largest4095.tif", gray12, 2000)
    ours("largest1023.tif", tiff([page(gray12 >> 2, 16, BLACK, t281=1023)]), gray12[..., 0] >> 4)
    ours("largest3000.tif", tiff([page(gray12 % 3001, 16, BLACK, t281=3000)]), gray12[..., 0] % 3001 >> 8, note=DARK)
    refused("largest_wrong.tif", tiff([page(full, 16, BLACK, t281=4095)]), "largest_wrong.tif: has the value 65535, which 12 bits")
    ours("white16.tif", tiff([page(full, 16, WHITE)]), 255 - (full[..., 0] >> 8))
    rgb16 = noise(HEIGHT, WIDTH, 3, below=65536)
    pillow("rgb16.tif", tiff([page(rgb16, 16, RGB)]))
    pillow("rgb16_big_endian.tif", tiff([page(rgb16, 16, RGB, ">")], ">"))
    for bits in (8, 16):
        refused(f"signed{bits}.tif", tiff([page(full, bits, BLACK, t339=2)]), f"signed{bits}.tif: a TIFF of signed numbers")
    refused("signed_rgb.tif", tiff([page(noise(HEIGHT, WIDTH, 3), 8, RGB, t339=[2, 2, 2])]), "signed_rgb.tif: a TIFF of signed numbers")
    refused("float32.tif", tiff([page(full, 32, BLACK, t339=3)]), "float32.tif: a floating-point TIFF")
    refused("float16.tif", tiff([page(full, 16, BLACK, t339=3)]), "float16.tif: a floating-point TIFF")
    refused("unsigned32.tif", tiff([page(full, 32, BLACK)]), "unsigned32.tif: a TIFF of 1 channels with 32 bits")
    ours("void16.tif", tiff([page(full, 16, BLACK, t339=4)]), full[..., 0] >> 8)
    for bits in (1, 2, 4, 8):
        gray = noise(HEIGHT, WIDTH, 1, below=1 << bits)
        pillow(f"gray{bits}.tif", tiff([page(gray, bits, BLACK)]))
        pillow(f"white{bits}.tif", tiff([page(gray, bits, WHITE)]))
    pillow("white4_lsb.tif", tiff([{**page(gray % 16, 4, WHITE), 266: 2}]))
    ours("gray6.tif", tiff([page(gray % 64, 6, BLACK)]), gray[..., 0] % 64 * 255 // 63)


def tiff_colours():
    four = noise(HEIGHT, WIDTH, 4)
    four[0, 0, 3], four[0, 1, 3] = 0, 255
    wide = noise(HEIGHT, WIDTH, 4, below=65536)
    for name, extra in (("straight", {"t338": STRAIGHT}), ("premultiplied", {"t338": ASSOCIATED}), ("unused", {"t338": 0}), ("untold", {})):
        pillow(f"rgba_{name}.tif", tiff([page(four, 8, RGB, **extra)]))
        pillow(f"rgba16_{name}.tif", tiff([page(wide, 16, RGB, **extra)]))
    pillow("rgb_two_more.tif", tiff([page(noise(HEIGHT, WIDTH, 5), 8, RGB, t338=[ASSOCIATED, 0])]))
    pillow("gray_straight.tif", tiff([page(four[..., :2], 8, BLACK, t338=STRAIGHT)]))
    pair = four[..., [0, 3]] * (four[..., 3:] > 0)  # where it is transparent Pillow keeps grays and blackens colours
    pillow("gray_premultiplied.tif", tiff([page(pair, 8, BLACK, t338=ASSOCIATED)]))
    pillow("gray_unused.tif", tiff([page(four[..., :2], 8, BLACK, t338=0)]))
    refused("gray_three.tif", tiff([page(four[..., :3], 8, BLACK, t338=[0, 0])]), "gray_three.tif: a TIFF of 3 channels with 8 bits")
    planes = [np.ascontiguousarray(four[..., c:c + 1]) for c in range(4)]
    separate = {**page(four, 8, RGB, t338=ASSOCIATED), 284: 2, "data": [page(plane, 8, RGB)["data"] for plane in planes]}
    ours("rgba_planes.tif", tiff([separate]), np.asarray(Image.open(FILES / "rgba_premultiplied.tif").convert("RGB")))
    pillow("cmyk.tif", tiff([page(four, 8, CMYK)]))
    pillow("cmyk16.tif", tiff([page(wide, 16, CMYK)]))
    refused("inks.tif", tiff([page(four, 8, CMYK, t332=2)]), "inks.tif: a TIFF of inks other than CMYK")
    for bits in (1, 4, 8):
        index = noise(HEIGHT, WIDTH, 1, below=1 << bits)
        colours = noise(3, 1 << bits, below=65536)
        pillow(f"palette{bits}.tif", tiff([page(index, bits, PALETTE, t320=colours.ravel().tolist())]))
    small = noise(3, 256)
    ours("palette_of_bytes.tif", tiff([page(index, 8, PALETTE, t320=small.ravel().tolist())]), small.T[index[..., 0]])
    refused("palette_missing.tif", tiff([page(index % 16, 4, PALETTE)]), "palette_missing.tif: damaged")
    picture = smooth().resize((32, 24))
    # libtiff turns the colours to RGB
    pillow("ycbcr_turned.tif", encoded(picture.convert("YCbCr"), "TIFF", compression="jpeg", quality=90, tiffinfo={274: 6}))
    pillow("deflate_predictor.tif", encoded(picture, "TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 2}))
    gray16 = noise(40, 50, below=65536).astype(np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, gray16, photometric="minisblack", tile=(16, 32), byteorder=">")
    ours("tiled16.tif", file.getvalue(), gray16 >> 8)
    file = io.BytesIO()
    planar = noise(3, 40, 50, below=65536).astype(np.uint16)
    tifffile.imwrite(file, planar, photometric="rgb", planarconfig="separate", tile=(32, 16), compression="zlib")
    ours("tiled16_planes.tif", file.getvalue(), planar.transpose(1, 2, 0) >> 8)
    refused("float_rgb.tif", tiff([page(noise(HEIGHT, WIDTH, 3), 32, RGB, t339=[3, 3, 3])]), "float_rgb.tif: a floating-point TIFF")


def tiff_pages():
    rgb = noise(HEIGHT, WIDTH, 3)
    for turn in range(1, 9):
        data = tiff([page(rgb, 8, RGB, t274=turn)])
        save(f"turned{turn}.tif", data)
        turned = Image.fromarray(rgb.astype(np.uint8))
        turned.getexif()[0x0112] = turn
        ours(f"turned{turn}.tif", data, np.asarray(ImageOps.exif_transpose(turned)), mask=np.asarray(ImageOps.exif_transpose(turned)).max(2))
    ours("turned_9.tif", tiff([page(rgb, 8, RGB, t274=9)]), rgb)
    ours("turned_xmp.tif", tiff([page(rgb, 8, RGB, t700=xmp(6))]), np.rot90(rgb, -1))
    small, other = noise(3, 4, 3), noise(7, 5, 1)
    first = page(rgb, 8, RGB)
    ours("thumbnail_first.tif", tiff([page(small, 8, RGB, t254=1), first]), rgb)
    ours("mask_first.tif", tiff([page(small, 8, RGB, t254=4), page(small, 8, RGB, t254=1), first]), rgb)
    ours("thumbnail_behind.tif", tiff([first, page(small, 8, RGB, t254=1)]), rgb)
    ours("thumbnail_alone.tif", tiff([page(small, 8, RGB, t254=1)]), small)
    ours("pages.tif", tiff([first, page(other, 8, BLACK), page(small, 8, RGB)]), rgb, note=PAGES)
    ours("pages_numbered.tif", tiff([page(rgb, 8, RGB, t254=2), page(other, 8, BLACK, t254=2)], ">"), rgb, note=PAGES)


# ---- what is easily missed ----

def pictures_behind():
    """JPEGs with others behind them: by an index, of which previews do not count, and without one."""
    picture, other = smooth(), smooth().rotate(180)
    two = encoded(picture, "MPO", save_all=True, append_images=[other], quality=60)
    pillow("index2.jpg", two, note=PAGES)
    pillow("index3.jpg", encoded(picture, "MPO", save_all=True, append_images=[other, picture], quality=60), note=PAGES)
    kinds = two.index(b"MPF\0") + 4 + 50  # of the entries, 16 bytes each
    preview = bytearray(two)
    preview[kinds + 16:kinds + 20] = struct.pack("<I", 0x010002)
    pillow("index_preview.jpg", bytes(preview))
    alone = encoded(picture, "JPEG", quality=60)
    pillow("behind.jpg", alone + encoded(other, "JPEG", quality=60), note=PAGES)
    pillow("behind_noise.jpg", alone + bytes(40))


def orientation_elsewhere():
    """Text of PNG, packed or not, and numbers of other types."""
    rgb = noise(HEIGHT, WIDTH, 3)
    block = exif(6, entries=4)
    digits = block.hex()
    text = b"\nexif\n%8d\n" % len(block) + b"\n".join(digits[i:i + 72].encode() for i in range(0, len(digits), 72)) + b"\n"
    name = b"Raw profile type exif\0"
    pillow("turned_text.png", png(rgb, 8, chunk(b"tEXt", name + text)))
    pillow("turned_packed_text.png", png(rgb, 8, behind=chunk(b"zTXt", name + b"\0" + zlib.compress(text))))
    packed = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp(8))
    pillow("turned_packed_xmp.png", png(rgb, 8, chunk(b"iTXt", packed)))
    damaged = chunk(b"zTXt", name + b"\0" + zlib.compress(text)[:-20]) + chunk(b"tEXt", name) + chunk(b"tEXt", name + b"\n\n\nzz")
    save("turned_damaged_text.png", png(rgb, 8, damaged))
    row("turned_damaged_text.png", rgb, 0, NONE, None)
    for kind in (8, 9):  # signed numbers
        pillow(f"turned_kind{kind}.jpg", encoded(smooth(), "JPEG", quality=90, subsampling=0, exif=b"Exif\0\0" + exif(5, ">" if kind == 9 else "<", kind=kind)))


def exif_blocks():
    """Several of them in a JPEG: the first counts, whatever it holds."""
    blocks = {"3_6": [exif(3), exif(6)], "none_6": [b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0100, 4, 1, 1, 0), exif(6)],
              "5_3_6": [exif(5, ">"), exif(3), exif(6)], "9_8": [exif(9), exif(8)]}
    for name, parts in blocks.items():
        bare = encoded(smooth(), "JPEG", quality=90, subsampling=0)
        segments = [b"Exif\0\0" + part for part in parts]
        markers = b"".join(b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment for segment in segments)
        pillow(f"turned_{name}.jpg", bare[:2] + markers + bare[2:])


def missing_and_unusual():
    index = noise(HEIGHT, WIDTH, 1)
    colours = noise(3 << 8, below=65536).tolist()
    refused("palette8_missing.tif", tiff([page(index, 8, PALETTE)]), "palette8_missing.tif: damaged TIFF: a palette of 2^8 colours is missing")
    refused("palette8_short.tif", tiff([page(index, 8, PALETTE, t320=colours[:300])], ">"), "palette8_short.tif: damaged")
    refused("palette16_missing.tif", tiff([page(index, 16, PALETTE)]), "palette16_missing.tif: ")
    refused("palette_of_rgb.tif", tiff([page(noise(HEIGHT, WIDTH, 3), 8, PALETTE)]), "palette_of_rgb.tif: damaged TIFF: a palette")
    refused("bits_mixed.tif", tiff([{**page(noise(HEIGHT, WIDTH, 3), 8, RGB), 258: [5, 6, 5]}]), "bits_mixed.tif: damaged or truncated TIFF")
    refused("preview_of_raw.tif", tiff([page(noise(3, 4, 3), 8, RGB, t254=1, t330=8)]), "preview_of_raw.tif: a TIFF that holds a thumbnail")
    alpha = noise(HEIGHT, WIDTH, 1)
    alpha[0, 0], alpha[0, 1] = 0, 255
    rgb = noise(HEIGHT, WIDTH, 3) * alpha // 255
    divided = np.minimum(255, rgb * 255 // np.maximum(alpha, 1)) * (alpha > 0)
    ours("premultiplied_second.tif", tiff([page(np.concatenate([rgb, index, alpha], 2), 8, RGB, t338=[0, ASSOCIATED])]), divided)
    ours("premultiplied_white.tif", tiff([page(np.concatenate([rgb[..., :1], alpha], 2), 8, WHITE, t338=ASSOCIATED)]), 255 - divided[..., 0])
    white16 = noise(HEIGHT, WIDTH, 3, below=65536)
    ours("gray16_and_more.tif", tiff([page(white16[..., :2], 16, WHITE, t338=0)], "<"), 255 - (white16[..., 0] >> 8))
    neutral = np.concatenate([index, np.full((HEIGHT, WIDTH, 2), 128)], 2)  # no colour: luma is gray
    ours("ycbcr_plain.tif", tiff([page(neutral, 8, 6, t530=[1, 1])]), index[..., 0], note=COLOURS)
    rgb10 = noise(HEIGHT, WIDTH, 3, below=1024)
    packed = (rgb10[..., 0] << 20 | rgb10[..., 1] << 10 | rgb10[..., 2]).astype("<u4")
    ours("rgb10_fields.bmp", bmp([line.tobytes() for line in packed], 32, 40, 3, struct.pack("<III", 1023 << 20, 1023 << 10, 1023)), rgb10 >> 2)


def main():
    global FILES
    FILES.mkdir(exist_ok=True)
    for old in FILES.iterdir():
        old.unlink()
    FILES = HERE / "codec"
    whole_files()
    FILES = HERE / "reading"
    png_files()
    bmp_files()
    lossy_files()
    tiff_numbers()
    tiff_colours()
    tiff_pages()
    pictures_behind()
    orientation_elsewhere()
    missing_and_unusual()
    exif_blocks()
    with open(HERE / "formats_golden.h", "w") as file:
        file.write("/* Generated by test/golden/formats_golden.py; do not edit. */\n/* clang-format off */\n")
        file.write("static const struct {\n    const char *file;\n    int bits, white; /* that count, and that is white, by the user's word; 0: none */\n"
                   "    int width, height; /* upright */\n    uint32_t rgb, mask; /* fnv of the pixels; mask: 0 where not tried */\n"
                   "    int note; /* 1: nothing in the upper bits, 2: several pages, 3: colours other than RGB, 4: one value */\n"
                   "    const char *refused; /* the message begins like this; NULL: it is read */\n} golden_formats[] = {\n")
        file.write("\n".join(rows) + "\n};\n/* clang-format on */\n")


if __name__ == "__main__":
    main()
