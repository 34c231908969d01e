"""Writers of small images for formats_golden.py: what Pillow does not write of BMP, PNG, EXIF, XMP and TIFF."""
import struct
import zlib

WIDTH, HEIGHT = 11, 9  # of all of them
WHITE, BLACK, RGB, PALETTE, CMYK = 0, 1, 2, 3, 5
ASSOCIATED, STRAIGHT = 1, 2


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


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, depth, before=b"", behind=b"", interlaced=False):
    """samples [h][w][c]; chunks before and behind the pixels."""
    height, width, channels = samples.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    passes = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in adam7] if interlaced else [samples]
    type_ = ">u2" if depth == 16 else "u1"
    lines = b"".join(b"\0" + line.astype(type_).tobytes() for part in passes if part.size for line in part)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(lines, 9)) + behind +
            chunk(b"IEND", b""))


def exif(orientation, order="<", kind=3, entries=1):
    """A block of EXIF with other tags before the orientation."""
    tags = [(0x0100 + i, 4, 1) for i in range(entries - 1)] + [(0x0112, kind, orientation)]
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    for tag, type_, value in tags:
        data += struct.pack(order + "HHI", tag, type_, 1)
        data += struct.pack(order + "H2x", value) if type_ == 3 else struct.pack(order + "I", value)
    return data + b"\0\0\0\0"


def xmp(orientation):
    return (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="' + str(orientation).encode() +
            b'"/></x:xmpmeta>')


def tiff(pages, order="<"):
    """Uncompressed pages, each a dict of tag: value, list of values (SHORT, LONG from 65,536 on) or bytes, and "data",
    one strip or a list of them."""
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    link = 4
    for page in pages:
        tags = {k: v for k, v in page.items() if k != "data"}
        strips = page["data"] if isinstance(page["data"], list) else [page["data"]]
        places = []
        for strip in strips:
            places.append(len(out))
            out += strip + bytes(-len(strip) % 2)
        tags[273], tags[279] = places, [len(strip) for strip in strips]
        entries = b""
        for tag, value in sorted(tags.items()):
            if isinstance(value, bytes):
                type_, count, data = 7 if tag != 700 else 1, len(value), value
            else:
                value = value if isinstance(value, list) else [value]
                wide = tag in (254, 256, 257, 273, 279, 330) or max(value) > 65535
                type_, count = 4 if wide else 3, len(value)
                data = struct.pack(order + ("I" if wide else "H") * count, *value)
            if len(data) > 4:
                place = len(out)
                out += data + bytes(-len(data) % 2)
                data = struct.pack(order + "I", place)
            entries += struct.pack(order + "HHI", tag, type_, count) + data.ljust(4, b"\0")
        out[link:link + 4] = struct.pack(order + "I", len(out))
        out += struct.pack(order + "H", len(tags)) + entries
        link = len(out)
        out += bytes(4)
    return bytes(out)


def page(samples, bits, photometric, order="<", **more):
    """A page of samples [h][w][c] with `bits` each, packed the highest bit first unless they fill bytes."""
    height, width, channels = samples.shape
    if bits in (8, 16, 32):
        data = samples.astype(order + "i8").astype(f"{order}u{bits // 8}").tobytes()
    else:
        data = b""
        for line in samples.reshape(height, -1):
            text = "".join(format(v, f"0{bits}b") for v in line)
            text += "0" * (-len(text) % 8)
            data += int(text, 2).to_bytes(len(text) // 8, "big")
    tags = {256: width, 257: height, 258: [bits] * channels, 259: 1, 262: photometric, 277: channels, 278: height, 284: 1, "data": data}
    tags.update({int(tag[1:]): value for tag, value in more.items()})
    return tags
