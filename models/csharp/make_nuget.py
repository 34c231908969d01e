"""Makes the NuGet package, which is a zip file of a stated layout; neither .NET nor NuGet is needed.

    python3 models/csharp/make_nuget.py VERSION LIBRARY OUT_FOLDER

    EfficientAD.nuspec                                     what NuGet reads
    contentFiles/cs/netstandard2.0/EfficientAD.cs          the binding, compiled into the project that uses the package
    runtimes/linux-x64/native/                             the library and what it needs besides the C library
"""

import os
import platform
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "models", "python"))
sys.dont_write_bytecode = True
import make_wheel  # noqa: E402  the same libraries, gathered and packed in the same way

ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
CONTENT_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
  <Default Extension="nuspec" ContentType="application/octet" />
{others}</Types>
"""
RELATIONSHIPS = """<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/EfficientAD.nuspec" Id="R1" />
</Relationships>
"""


def content_types(folder):
    """Every extension has a type, and every file without one a type of its own."""
    others = set()
    for place, _, files in os.walk(folder):
        for name in files:
            extension = os.path.splitext(name)[1][1:]
            path = "/" + os.path.relpath(os.path.join(place, name), folder)
            if name != ".rels" and extension != "nuspec":
                others.add(f'  <Default Extension="{extension}" ContentType="application/octet" />\n' if extension else
                           f'  <Override PartName="{path}" ContentType="application/octet" />\n')
    return CONTENT_TYPES.format(others="".join(sorted(others)))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def fill(folder, version, library):
    def place(*names):
        return os.path.join(folder, *names)
    native = f"linux-{ARCHITECTURES.get(platform.machine(), platform.machine())}"
    others = make_wheel.needed_libraries([library])
    binaries = []
    for name, path in {os.path.basename(library): library, **others}.items():
        binaries.append(place("runtimes", native, "native", name))
        make_wheel.install(path, binaries[-1])
    subprocess.run(["strip", "--strip-unneeded", *binaries], check=True)
    make_wheel.install(os.path.join(HERE, "EfficientAD.cs"), place("contentFiles", "cs", "netstandard2.0", "EfficientAD.cs"))
    write(place("lib", "netstandard2.0", "_._"), "")
    for path in ("docs/csharp.md", "LICENSE", "NOTICE"):
        make_wheel.install(os.path.join(ROOT, path), place(os.path.basename(path)))
    for package, path in make_wheel.licences_of(others.values()).items():
        make_wheel.install(path, place("licenses", package))
    with open(os.path.join(HERE, "EfficientAD.nuspec.in"), encoding="utf-8") as file:
        nuspec = file.read()
    glibc = ".".join(map(str, make_wheel.glibc_of(binaries)))
    write(place("EfficientAD.nuspec"), nuspec.replace("@VERSION@", version).replace("@GLIBC@", glibc))
    write(place("_rels", ".rels"), RELATIONSHIPS)
    write(place("[Content_Types].xml"), content_types(folder))


def main(version, library, out):
    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, f"EfficientAD.{version}.nupkg")
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, version, library)
        make_wheel.pack(folder, path)
    print(f"{path} ({os.path.getsize(path) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main(*sys.argv[1:])
