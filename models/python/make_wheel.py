"""Makes the Python wheel: the package, the C libraries, the program with all shared libraries that these need, and the
small teacher. Only Python's own modules, objdump, ldd and strip are needed; nothing is fetched.

    python3 models/python/make_wheel.py VERSION PROGRAM LIBRARY FILES_LIBRARY OUT_FOLDER

The tag names the C library of the newest symbol that any of the files needs: a system with an older one refuses the wheel
when it is installed.
"""

import base64
import hashlib
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Of every Linux system (the manylinux tags promise them), and not to be brought along.
OF_THE_SYSTEM = re.compile(r"(linux-vdso|ld-linux.*|libc|libm|libpthread|libdl|librt|libgcc_s|libstdc\+\+)\.so")
SUMMARY = "Anomaly detection in product images: EfficientAD, PatchCore, SimpleNet, FastFlow, without PyTorch"


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def needed_libraries(paths):
    """Name and path of the shared libraries to bring along."""
    found = {}
    for path in paths:
        for line in output_of("ldd", path).splitlines():
            words = line.split()
            if OF_THE_SYSTEM.match(os.path.basename(words[0])):
                continue
            if len(words) < 3 or words[1] != "=>" or not words[2].startswith("/"):
                sys.exit(f"make_wheel.py: {path}: {line.strip()}")
            found[words[0]] = words[2]
    return found


def glibc_of(paths):
    """The newest version of the C library that they name, such as (2, 34)."""
    texts = [output_of("objdump", "-T", path) for path in paths]
    return max(tuple(map(int, version.split("."))) for text in texts
               for version in re.findall(r"\(?GLIBC_([0-9.]+)\)?", text))


def install(source, target, mode=0o644):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, mode)


def fill(package, version, program, libraries):
    """Puts the package into a folder; gives its binary files, and the licences of those that are not ours."""
    here = os.path.join(ROOT, "models", "python", "efficientad")
    for name in sorted(os.listdir(here)):
        if name.endswith((".py", ".typed")):
            install(os.path.join(here, name), os.path.join(package, name))
    with open(os.path.join(package, "_version.py"), "w", encoding="utf-8") as file:
        file.write(f'__version__ = "{version}"\n')
    install(program, os.path.join(package, "bin", "efficientad"), 0o755)
    others = needed_libraries([program, *libraries])
    brought = {**{os.path.basename(path): path for path in libraries}, **others}
    for name, path in brought.items():
        install(path, os.path.join(package, "lib", name), 0o755)
    binaries = [os.path.join(package, "bin", "efficientad")] + [os.path.join(package, "lib", name) for name in brought]
    subprocess.run(["strip", "--strip-unneeded", *binaries], check=True)
    for name in ["models/weights/teacher_small.safetensors",
                 *(f"configs/{name}" for name in os.listdir(os.path.join(ROOT, "configs")) if name.endswith(".yaml"))]:
        install(os.path.join(ROOT, name), os.path.join(package, name))
    return binaries, licences_of(others.values()) if shutil.which("dpkg") else {}


def licences_of(libraries):
    """Of those that are brought along, where this system's packages hold them: name and path."""
    found = {}
    for path in libraries:
        real = os.path.realpath(path)
        for name in (real, re.sub("^/usr/", "/", real)):
            owner = subprocess.run(["dpkg", "-S", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
            package = owner.split(":")[0]
            text = os.path.join("/usr/share/doc", package, "copyright")
            if package and os.path.exists(text):
                found[package] = text
    return found


def describe(folder, version, tag, licences):
    os.makedirs(folder)
    for package, path in licences.items():
        install(path, os.path.join(folder, "licenses", package))
    with open(os.path.join(ROOT, "docs", "python.md"), encoding="utf-8") as file:
        text = file.read()
    texts = {"METADATA": f"Metadata-Version: 2.1\nName: efficientad\nVersion: {version}\nSummary: {SUMMARY}\n"
                         "License: Apache-2.0\nRequires-Python: >=3.8\nRequires-Dist: numpy\n"
                         f"Description-Content-Type: text/markdown\n\n{text}",
             "WHEEL": f"Wheel-Version: 1.0\nGenerator: efficientad ({version})\nRoot-Is-Purelib: false\nTag: {tag}\n",
             "entry_points.txt": "[console_scripts]\nefficientad = efficientad.program:main\n",
             "top_level.txt": "efficientad\n"}
    for name, content in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content)
    for name in ("LICENSE", "NOTICE"):
        install(os.path.join(ROOT, name), os.path.join(folder, name))


def files_in(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder) for place, _, files in os.walk(folder) for name in files)


def record(folder, info):
    """Writes the list of all files with their hashes."""
    lines = []
    for name in files_in(folder):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    with open(os.path.join(folder, info, "RECORD"), "w", encoding="utf-8") as file:
        file.write("".join(lines) + f"{info}/RECORD,,\n")


def pack(folder, path):
    """All files; the same ones give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in files_in(folder):
            full = os.path.join(folder, name)
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | stat.S_IMODE(os.stat(full).st_mode)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(full, "rb") as file:
                archive.writestr(entry, file.read())


def main(version, program, library, files_library, out):
    with tempfile.TemporaryDirectory() as folder:
        binaries, licences = fill(os.path.join(folder, "efficientad"), version, program, [library, files_library])
        tag = "py3-none-manylinux_{}_{}_{}".format(*glibc_of(binaries), platform.machine())
        info = f"efficientad-{version}.dist-info"
        describe(os.path.join(folder, info), version, tag, licences)
        os.makedirs(out, exist_ok=True)
        path = os.path.join(out, f"efficientad-{version}-{tag}.whl")
        record(folder, info)
        pack(folder, path)
    print(f"{path} ({os.path.getsize(path) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main(*sys.argv[1:])
