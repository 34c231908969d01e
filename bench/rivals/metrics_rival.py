"""The pixel figures the way the official evaluations compute them, in numpy, scikit-image and scikit-learn.

    python3 bench/rivals/metrics_rival.py                       # times AU-PRO of 83 maps of 900x900, as bottle has
    python3 bench/rivals/metrics_rival.py --check RUN --data CATEGORY
                                                                # holds RUN/metrics.json against RUN/maps/

RUN is a folder that `efficientad eval --maps` wrote, CATEGORY the folder of the data set's category with test/ and
ground_truth/, of MVTec AD or, with defects_config.json, of MVTec LOCO. Needs numpy, scikit-image, scikit-learn, pillow,
tifffile. Times: wall clock and the process's CPU time, which a busy machine changes little.
"""
import argparse
import json
import pathlib
import resource
import sys
import time

import numpy as np
from skimage.measure import label


def trapezoid(x, y, limit):
    """Area under the curve up to x = limit, divided by limit."""
    k = int(np.searchsorted(x, limit, side="right"))
    if k < len(x):
        y_limit = y[k - 1] + (y[k] - y[k - 1]) * (limit - x[k - 1]) / (x[k] - x[k - 1])
        x, y = np.append(x[:k], limit), np.append(y[:k], y_limit)
    return np.trapezoid(y, x) / limit


def pro_curve(maps, masks):
    """One descending sort of all pixels; of each run of equal scores only the last point stays."""
    components = 0
    wrong, share = [], []
    for mask in masks:
        numbered, count = label(mask, connectivity=2, return_num=True)
        areas = np.bincount(numbered.ravel())
        weights = np.concatenate([[0.0], 1.0 / areas[1:]]) if count else np.zeros(1)
        wrong.append((numbered == 0).ravel())
        share.append(weights[numbered].ravel())
        components += count
    scores = np.concatenate([m.ravel() for m in maps])
    wrong, share = np.concatenate(wrong), np.concatenate(share)
    order = np.argsort(scores)[::-1]
    scores = scores[order]
    fpr = np.cumsum(wrong[order], dtype=np.int64) / wrong.sum()
    pro = np.minimum(np.cumsum(share[order]) / components, 1)
    keep = np.append(np.diff(scores) != 0, True)
    return np.concatenate([[0.0], fpr[keep], [1.0]]), np.concatenate([[0.0], pro[keep], [1.0]])


def spro_curve(maps, masks, channels):
    """channels: (image, mask, saturation). Every distinct score is a threshold."""
    normal = np.sort(np.concatenate([m[mask == 0] for m, mask in zip(maps, masks)]))
    thresholds = np.unique(np.concatenate([maps[i][mask] for i, mask, _ in channels]))[::-1]
    above = np.nextafter(thresholds, np.float32(np.inf))
    total = np.zeros((2, len(thresholds)))
    for image, mask, saturation in channels:
        inside = np.sort(maps[image][mask])
        for row, at in enumerate((above, thresholds)):
            total[row] += np.minimum((len(inside) - np.searchsorted(inside, at)) / saturation, 1)
    rates = [(len(normal) - np.searchsorted(normal, at)) / len(normal) for at in (above, thresholds)]
    x = np.stack(rates, 1).ravel()
    y = np.stack(total / len(channels), 1).ravel()
    return np.concatenate([[0.0], x, [1.0]]), np.concatenate([[0.0], y, [1.0]])


def generated(images, side, rng):
    y, x = np.mgrid[:side, :side]
    maps, masks = [], []
    for i in range(images):
        coarse = rng.random((side // 32 + 2, side // 32 + 2)).astype(np.float32)
        value = coarse[y // 32, x // 32] + 1e-3 * rng.random((side, side), np.float32)
        mask = ((x - side // 3 - i) ** 2 + (y - side // 2 + i) ** 2 < (side // 10) ** 2) & (i >= images // 4)
        maps.append((0.2 * value**3 - 0.05 + 0.08 * mask).astype(np.float32))
        masks.append(mask)
    return maps, masks


def time_it(images, side, repeats):
    maps, masks = generated(images, side, np.random.default_rng(1))
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        x, y = pro_curve(maps, masks)
        value = trapezoid(x, y, 0.3)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3
        print(f"{images} maps of {side}x{side}: AU-PRO {value:.6f}, wall {wall:.2f} s, CPU {cpu:.2f} s, peak {peak:.0f} MB")


def load(run, data):
    """Maps, masks and channels of every test image, and the kind of each."""
    import tifffile
    from PIL import Image

    config = data / "defects_config.json"
    kinds = {k["pixel_value"]: k for k in json.loads(config.read_text())} if config.exists() else None
    maps, masks, channels, groups = [], [], [], []
    for path in sorted((run / "maps").rglob("*.tiff")):
        kind, stem = path.parent.name, path.stem
        maps.append(tifffile.imread(path))
        mask = np.zeros(maps[-1].shape, bool)
        if kind != "good" and kinds is None:
            mask = np.asarray(Image.open(data / "ground_truth" / kind / f"{stem}_mask.png").convert("L")) > 0
        for file in sorted((data / "ground_truth" / kind / stem).glob("*.png")) if kinds and kind != "good" else []:
            values = np.asarray(Image.open(file))
            part = values > 0
            entry, area = kinds[int(values.max())], int(part.sum())
            threshold = entry["saturation_threshold"]
            saturation = int(threshold * area) if entry["relative_saturation"] else min(threshold, area)
            channels.append((len(maps) - 1, part, saturation))
            mask = mask | part
        masks.append(mask)
        groups.append(kind)
    return maps, masks, channels, groups


def check_group(name, found, maps, masks, channels):
    from sklearn.metrics import average_precision_score, roc_auc_score

    x, y = pro_curve(maps, masks)
    expected = {"au_pro_0.30": trapezoid(x, y, 0.3), "au_pro_0.05": trapezoid(x, y, 0.05)}
    scores, truth = np.concatenate([m.ravel() for m in maps]), np.concatenate([m.ravel() for m in masks])
    expected["pixel_auroc"] = roc_auc_score(truth, scores)
    expected["pixel_ap"] = average_precision_score(truth, scores)
    if channels:
        x, y = spro_curve(maps, masks, channels)
        expected |= {f"au_spro_{limit:.2f}": trapezoid(x, y, limit) for limit in (0.01, 0.05, 0.1, 0.3, 1)}
    worst = 0.0
    for key, value in expected.items():
        worst = max(worst, abs(value - found[key]))
        print(f"{name:24} {key:14} {found[key]:.9f} here {value:.9f} difference {found[key] - value:+.1e}")
    return worst


def check(run, data):
    metrics = json.loads((run / "metrics.json").read_text())
    maps, masks, channels, groups = load(run, data)
    worst = check_group("all images", metrics, maps, masks, channels)
    for kind in sorted(set(groups) - {"good"}):
        pick = [i for i, group in enumerate(groups) if group in ("good", kind)]
        parts = [(pick.index(i), mask, area) for i, mask, area in channels if i in pick]
        worst = max(worst, check_group(kind, metrics["defects"][kind], [maps[i] for i in pick],
                                       [masks[i] for i in pick], parts))
    print(f"largest difference {worst:.1e}")
    return worst <= 1e-6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=83)
    parser.add_argument("--side", type=int, default=900)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--check", type=pathlib.Path, metavar="RUN")
    parser.add_argument("--data", type=pathlib.Path, metavar="CATEGORY")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(0 if check(arguments.check, arguments.data) else 1)
    time_it(arguments.images, arguments.side, arguments.repeats)


if __name__ == "__main__":
    main()
