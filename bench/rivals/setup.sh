#!/bin/sh
# Puts the rivals, PyTorch, onnxruntime and OpenVINO, into a virtual environment of their own,
# build/rivals/venv, by pip, from the index that pip knows. Its PyTorch brings gigabytes of CUDA; PYTORCH_INDEX=URL takes that of
# another index, such as PyTorch's own of builds for the CPU, which compute the same there.
set -eu
cd "$(dirname "$0")/../.."
venv=build/rivals/venv

install() {
    "$venv/bin/pip" install --disable-pip-version-check "$@"
}

mkdir -p build/rivals
"${PYTHON:-python3}" -m venv "$venv" || {
    echo "setup.sh: no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
}
install ${PYTORCH_INDEX:+--index-url "$PYTORCH_INDEX"} torch || {
    echo "setup.sh: pip could not install torch; is there a package index that it can reach?" >&2
    exit 1
}
install numpy onnx onnxruntime openvino || {
    echo "setup.sh: pip could not install onnx, onnxruntime and openvino; PyTorch alone can be compared:" >&2
    echo "    RIVALS=pytorch PYTHON=$venv/bin/python bench/rivals/compare.sh" >&2
    exit 1
}
"$venv/bin/python" - <<'PYTHON'
import onnxruntime, openvino, torch
print("PyTorch", torch.__version__, "onnxruntime", onnxruntime.__version__, "OpenVINO", openvino.__version__)
PYTHON
echo "now: PYTHON=$venv/bin/python bench/rivals/compare.sh"
