#!/bin/sh
# Puts PyTorch (CPU) for the rival into a virtual environment of its own, build/rivals/venv, by pip. Debian's
# python3-torch serves as well; then this is not needed. PYTORCH_INDEX= (empty) takes the default package index.
set -eu
cd "$(dirname "$0")/../.."
index=${PYTORCH_INDEX-https://download.pytorch.org/whl/cpu}
venv=build/rivals/venv

mkdir -p build/rivals
"${PYTHON:-python3}" -m venv "$venv" || {
    echo "setup.sh: no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
}
"$venv/bin/pip" install --disable-pip-version-check ${index:+--index-url "$index"} torch numpy || {
    echo "setup.sh: pip could not install torch${index:+ from $index; PYTORCH_INDEX= takes the default index}" >&2
    exit 1
}
"$venv/bin/python" -c 'import torch; print("PyTorch", torch.__version__)'
echo "now: PYTHON=$venv/bin/python bench/rivals/compare.sh"
