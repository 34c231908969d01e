"""The rival of `efficientad predict --overlays`: reads PNG files by Pillow in the workers of a DataLoader, infers by PyTorch or
OpenVINO, brings maps to the images' size, and writes overlays by Pillow in a pool of threads behind.

    python3 bench/rivals/predict_rival.py --rival pytorch --images FOLDER --output FOLDER --threads 2

The networks are those of pytorch_rival.py. Prints one JSON line with the seconds from the first image to the last file;
starting Python and the networks is not counted."""
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytorch_rival as common
from pytorch_rival import np, torch
from PIL import Image

SIDE = 256
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


class Images(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.paths = sorted(folder.rglob("*.png"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = Image.open(self.paths[index]).convert("RGB")
        small = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float32) / 255
        return np.asarray(image), ((small - MEAN) / STD).transpose(2, 0, 1), str(self.paths[index])


def network(options):
    """A function from images [1,3,256,256] to a map [256,256]."""
    settings = SimpleNamespace(image_size=(SIDE, SIDE), padded=False, device="cpu", threads=options.threads)
    if options.rival == "pytorch":
        forward, _ = common.inference("small", 1, settings, "channels_last", "fp32")

        def run(x):
            with torch.inference_mode():
                return forward(x.to(memory_format=torch.channels_last))[0][0, 0].numpy()
        return run
    import onnx_rivals
    file, _ = onnx_rivals.exported("small", 1, settings)
    import openvino
    core = openvino.Core()
    request = core.compile_model(core.read_model(str(file)), "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": options.threads,
        "PERFORMANCE_HINT": "LATENCY"}).create_infer_request()
    return lambda x: request.infer([x.numpy()])[0][0, 0].copy()


def write_overlay(image, values, path):
    heat = np.asarray(Image.fromarray(values).resize((image.shape[1], image.shape[0]), Image.Resampling.BILINEAR))
    heat = np.clip((heat - heat.min()) / max(float(np.ptp(heat)), 1e-6), 0, 1)
    color = np.stack([heat, 1 - np.abs(2 * heat - 1), 1 - heat], axis=-1) * 255
    Image.fromarray((0.5 * image + 0.5 * color).astype(np.uint8)).save(path)


def main():
    import argparse
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rival", choices=["pytorch", "openvino"], required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    infer = network(options)
    infer(torch.zeros(1, 3, SIDE, SIDE))
    images = Images(options.images)
    options.output.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    loader = torch.utils.data.DataLoader(images, batch_size=1, num_workers=options.threads)
    with ThreadPoolExecutor(options.threads) as pool:
        written = []
        for index, (image, x, _) in enumerate(loader):
            path = options.output / f"{index:03}.png"
            written.append(pool.submit(write_overlay, image[0].numpy(), infer(x), path))
        for done in written:
            done.result()
    print(json.dumps({"rival": options.rival, "seconds": round(time.perf_counter() - started, 3),
                      "images": len(images), "threads": options.threads}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
