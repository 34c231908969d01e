#!/bin/sh
# Puts the rivals, PyTorch, onnxruntime and OpenVINO, into a virtual environment of their own,
# build/rivals/venv, by pip. PyTorch comes from its CPU index; where that cannot be reached, from the default
# index, whose build is the same on the CPU but brings gigabytes of CUDA. PYTORCH_INDEX= (empty) takes the
# default index at once.
set -eu
cd "$(dirname "$0")/../.."
index=${PYTORCH_INDEX-https://download.pytorch.org/whl/cpu}
venv=build/rivals/venv

install() {
    "$venv/bin/pip" install --disable-pip-version-check "$@"
}

mkdir -p build/rivals
"${PYTHON:-python3}" -m venv "$venv" || {
    echo "setup.sh: no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
}
if [ -z "$index" ] || ! install --retries 1 --timeout 15 --index-url "$index" torch; then
    [ -z "$index" ] || echo "setup.sh: $index does not answer; taking the default index" >&2
    install torch || {
        echo "setup.sh: pip could not install torch; is there a package index that it can reach?" >&2
        exit 1
    }
fi
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
