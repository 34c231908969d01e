"""Tar archives by Python's tarfile, for test_image_list.c: writes tar/*.tar. Each holds images of codec/ and things
that are no images; the test knows which members there are and holds their pixels against the files themselves.

ustar.tar    plain headers, one path split into prefix and name; a folder, a link, a label, a hidden file
gnu.tar      GNU format with a name of 150 bytes (an L header) and the size of one member in base 256
pax.tar      pax format with a path of 150 bytes, one not in ASCII, a global header and a size as a record only
shard.tar    as webdataset writes it: 000000.jpg, 000000.cls, ...
nested.tar   an archive of archives, one a class, as ImageNet's own
sparse.tar   a member that says it is sparse
"""
import io
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CODEC, OUT = HERE / "codec", HERE / "tar"
LONG = "n01440764/" + "long_" * 26 + "name.JPEG"


class Archive:
    def __init__(self, kind, **options):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=kind, **options)

    def add(self, name, data=b"", **attributes):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        for key, value in attributes.items():
            setattr(info, key, value)
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def image(self, name, file, **attributes):
        return self.add(name, (CODEC / file).read_bytes(), **attributes)

    def bytes(self):
        """With the two zero blocks at the end, but not padded to 10 KiB."""
        end = self.tar.offset
        self.tar.close()
        return self.buffer.getvalue()[: end + 1024]


def size_field(data, name, change):
    """Rewrites the size field of one member's header."""
    at = data.index(name.encode().ljust(100, b"\0"))
    header = bytearray(data[at : at + 512])
    header[124:136] = change(int(header[124:135], 8))
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return data[:at] + bytes(header) + data[at + 512 :]


def main():
    OUT.mkdir(exist_ok=True)
    ustar = Archive(tarfile.USTAR_FORMAT).add("photos", type=tarfile.DIRTYPE).image("photos/a.png", "gray8.png")
    ustar.image("photos/" + "x" * 95 + "/b.jpg", "gray.jpg").add("photos/link.png", type=tarfile.SYMTYPE, linkname="a.png")
    ustar.add("photos/notes.txt", b"no image").add("photos/._a.png", b"no image").add("photos/empty.txt")
    (OUT / "ustar.tar").write_bytes(ustar.image("photos/c.PNG", "palette2.png").bytes())

    gnu = Archive(tarfile.GNU_FORMAT).image(LONG, "baseline.jpg").image("big.png", "rgb8.png").image("z.jpg", "gray.jpg")
    (OUT / "gnu.tar").write_bytes(size_field(gnu.bytes(), "big.png", lambda size: b"\x80" + size.to_bytes(11, "big")))

    pax = Archive(tarfile.PAX_FORMAT, pax_headers={"comment": "global"}).image(LONG, "progressive.jpg")
    pax.image("größe.png", "gray4.png")
    size = str((CODEC / "gray2.png").stat().st_size)
    pax.image("sized.png", "gray2.png", pax_headers={"size": size})
    (OUT / "pax.tar").write_bytes(size_field(pax.bytes(), "sized.png", lambda size: b"%011o\0" % 0))

    shard = Archive(tarfile.USTAR_FORMAT)
    for i, file in enumerate(("baseline.jpg", "cmyk.jpg", "full_chroma.jpg")):
        shard.image(f"{i:06}.jpg", file).add(f"{i:06}.cls", b"7")
    (OUT / "shard.tar").write_bytes(shard.bytes())

    nested = Archive(tarfile.USTAR_FORMAT)
    for name, files in {"n01440764": ("gray.jpg", "baseline.jpg"), "n01443537": ("progressive.jpg",)}.items():
        inner = Archive(tarfile.USTAR_FORMAT)
        for i, file in enumerate(files):
            inner.image(f"{name}_{i}.JPEG", file)
        nested.add(f"{name}.tar", inner.bytes())
    (OUT / "nested.tar").write_bytes(nested.bytes())

    sparse = Archive(tarfile.PAX_FORMAT).image("s.png", "gray8.png", pax_headers={"GNU.sparse.major": "1"})
    (OUT / "sparse.tar").write_bytes(sparse.bytes())


main()
