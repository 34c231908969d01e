"""Maps of "another program" on a small test set, in three formats, and what scikit-learn and anomalib measure of them:
writes measure_golden.h, npy/, png/, tiff/, half/ and numbers/ here, for test/program/test_measure.c, and pimo_golden.h.

npy/, png/ and tiff/ hold the same whole numbers of 16 bits for six images, named in three of the ways that measure
knows; half/ has maps of half the size, whose metrics are those after torch's bilinear interpolation. numbers/ has one map
of 4 x 5 pixels, value 7 y + x - 2.5 (in PNG 7 y + x), as numpy, tifffile and Pillow can write it; of the whole numbers
7 y + x (signed: 7 y + x - 3) the last one is the largest of its type instead.

pimo_golden.h has AUPIMO of three good and three anomalous maps of whole numbers, which test/train/test_metrics.c draws like
pimo_maps() here; of both groups together and of each alone. With 300,000 good pixels rates of 1e-5 and 1e-4 are whole
numbers of them, and it is anomalib's, with its usual 300,000 thresholds. Else anomalib moves its bounds to whole pixels, but
divides by the length between the bounds asked for; so with 180,000 it is the integral of exact_aupimo().
"""
from pathlib import Path

import numpy as np
import tifffile
import torch
from anomalib.metrics.aupro import _AUPRO
from anomalib.metrics.pimo.functional import aupimo_scores
from PIL import Image
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

WIDTH, HEIGHT = 20, 16
NAMES = ["good/000", "good/001", "good/002", "chip/000", "chip/001", "scratch/000"]
BAD = np.array([0, 0, 0, 1, 1, 1])


def draw(rng):
    """Levels of 16 bits, all different, and masks."""
    masks = np.zeros((len(NAMES), HEIGHT, WIDTH), np.uint8)
    masks[3, 2:7, 3:9] = masks[3, 12:15, 0:4] = masks[4, 9:16, 14:20] = masks[5, 5:7, 1:18] = 1
    levels = rng.permutation(masks.size).reshape(masks.shape) * 20 + 12000 * masks.astype(int) * (rng.random(masks.shape) < 0.7)
    assert levels.max() < 65536
    return levels.astype(np.uint16), masks


def best_f1(labels, scores):
    precision, recall, _ = precision_recall_curve(labels, scores)
    return (2 * precision * recall / np.maximum(precision + recall, 1e-300)).max()


def ranking(labels, scores):
    return [roc_auc_score(labels, scores), average_precision_score(labels, scores), best_f1(labels, scores)]


def au_pro(maps, masks, limit):
    metric = _AUPRO(fpr_limit=limit)
    metric.update(torch.tensor(maps), torch.tensor(masks).int())
    return float(metric.compute())


def figures(maps, masks, scores):
    maps = maps.astype(np.float32)
    pixels = ranking(masks.ravel(), maps.ravel())
    return ranking(BAD, scores) + [au_pro(maps, masks, 0.3), au_pro(maps, masks, 0.05)] + pixels


def write_sets(levels, half):
    for name, level, small in zip(NAMES, levels, half):
        paths = [Path(folder, name).with_suffix(ending) for folder, ending in
                 (("npy/parts/test", ".npy"), ("png/test", ".png"), ("tiff", ".tiff"), ("half", ".npy"))]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        np.save(paths[0], level.astype(np.float32))
        Image.fromarray(level).save(paths[1])
        tifffile.imwrite(paths[2], level.astype(np.float32))
        np.save(paths[3], small)


def write_numbers():
    Path("numbers").mkdir(exist_ok=True)
    whole = 7 * np.arange(4)[:, None] + np.arange(5)[None]
    value = whole - 2.5
    for kind in ("f2", "f4", "f8"):
        np.save(f"numbers/little_{kind}.npy", value.astype("<" + kind))
        np.save(f"numbers/big_{kind}.npy", value.astype(">" + kind))
    np.save("numbers/fortran.npy", np.asfortranarray(value.astype("f4")))
    np.save("numbers/leading_axis.npy", value.astype("f4")[None])
    np.save("numbers/trailing_axis.npy", value.astype("f4")[..., None])
    with open("numbers/version2.npy", "wb") as file:
        np.lib.format.write_array(file, value.astype("f4"), version=(2, 0))
    Image.fromarray(whole.astype(np.uint8)).save("numbers/gray8.png")
    Image.fromarray(whole.astype(np.uint16)).save("numbers/gray16.png")
    for kind in ("f2", "f4", "f8"):
        tifffile.imwrite(f"numbers/{kind}.tif", value.astype(kind))
    for kind in ("i1", "u1", "i2", "u2", "i4", "u4"):
        value_of_kind = (whole - 3 if kind[0] == "i" else whole).astype(kind)
        value_of_kind[-1, -1] = np.iinfo(kind).max
        for name, order in (("little_", "<"), ("big_", ">")) if kind[1] > "1" else (("", "|"),):
            np.save(f"numbers/{name}{kind}.npy", value_of_kind.astype(order + kind))
        if kind == "i2":
            tifffile.imwrite("numbers/i2.tif", value_of_kind)
        if kind == "u2":
            tifffile.imwrite("numbers/u2.tif", value_of_kind)
            tifffile.imwrite("numbers/big_endian_u2.tif", value_of_kind.astype(">u2"), byteorder=">")
            tifffile.imwrite("numbers/tiled_u2.tif", value_of_kind, tile=(16, 16), compression="zlib", predictor=2)
            tifffile.imwrite("numbers/white_is_zero.tif", value_of_kind, photometric="miniswhite")
    tifffile.imwrite("numbers/big_endian.tif", value.astype(">f4"), byteorder=">")
    tifffile.imwrite("numbers/tiled.tif", value.astype("f4"), tile=(16, 16), compression="zlib", predictor=3)


def row(values):
    return "{" + ", ".join(f"{value:.17g}" for value in values) + "}"


def pimo_maps(width, height):
    index = np.arange(6 * width * height, dtype=np.uint32)
    bits = index * np.uint32(2654435761) + np.uint32(12345)
    bits = (bits ^ bits >> 15) * np.uint32(2246822519)
    level = ((bits ^ bits >> 13) >> 8).reshape(6, height, width)
    value = (1 << 28) // ((1 << 24) - level + 4096)  # few are high, and these far apart
    masks = np.zeros(value.shape, bool)
    for i in (3, 4, 5):
        masks[i, 50:90, 40:40 + 25 * i] = True
        value[i] = np.where(masks[i] & (level[i] % 3 == 0), 65520 - (level[i] % 65521 >> (i - 3)), value[i])
    return value.astype(np.float32), masks


def aupimo(maps, masks):
    scores, classes = aupimo_scores(torch.tensor(maps), torch.tensor(masks))[4:2:-1]
    return float(scores[classes == 1].mean())


def exact_aupimo(maps, masks):
    """Of each segment between the rates of neighbouring thresholds, straight over their logarithms, the part in bounds."""
    anomalous = masks.any((1, 2))
    thresholds = np.unique(maps)[::-1]
    rate = np.array([(maps[~anomalous] >= t).mean() for t in thresholds if (maps[~anomalous] >= t).mean() < 2e-3])
    found = [np.mean([(one[mask] >= t).mean() for one, mask in zip(maps[anomalous], masks[anomalous])])
             for t in thresholds[:rate.size]]
    x, y = np.log(rate[rate > 0]), np.array(found)[rate > 0]
    corners = np.log([1e-5, 1e-4])
    total = 0
    for x0, x1, y0, y1 in zip(x, x[1:], y, y[1:]):
        left, right = np.clip(corners, x0, x1)
        if left < right:
            at = y0 + (y1 - y0) * (np.array([left, right]) - x0) / (x1 - x0)
            total += at.mean() * (right - left)
    assert x[0] <= corners[0] and x[-1] >= corners[1]
    return total / (corners[1] - corners[0])


def write_pimo():
    rows = []
    for width, metric in (400, aupimo), (300, exact_aupimo):
        maps, masks = pimo_maps(width, 250 if width == 400 else 200)
        rows.append(row([metric(maps[i], masks[i]) for i in ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4], [0, 1, 2, 5])]))
    with open("pimo_golden.h", "w") as file:
        file.write(f"""/* Generated by test/golden/measure/measure_golden.py; do not edit. */
/* Of all images; of the good ones with the fourth and the fifth; with the sixth: of 400 x 250 pixels, of 300 x 200. */
static const double golden_aupimo[2][3] = {{{rows[0]}, {rows[1]}}};
""")


def main():
    write_pimo()
    rng = np.random.default_rng(3)
    levels, masks = draw(rng)
    half = rng.normal(0, 1, (len(NAMES), HEIGHT // 2, WIDTH // 2)).astype(np.float32) + masks[:, ::2, ::2]
    half = half.astype(np.float32)
    resized = torch.nn.functional.interpolate(torch.tensor(half)[:, None], (HEIGHT, WIDTH), mode="bilinear")[:, 0].numpy()
    scores = rng.random(len(NAMES)) + 0.4 * BAD
    write_sets(levels, half)
    write_numbers()
    own = [level.max() for level in levels], [one.max() for one in resized]
    marks = "\n".join(f'    "{"".join(".#"[v] for v in np.ravel(mask))}"' for mask in masks[BAD == 1])
    with open("measure_golden.h", "w") as file:
        file.write(f"""/* Generated by test/golden/measure/measure_golden.py; do not edit. */
enum {{ golden_width = {WIDTH}, golden_height = {HEIGHT}, golden_images = {len(NAMES)}, golden_good = 3, golden_figures = 8 }};
static const char *const golden_names[] = {{{", ".join(f'"{name}"' for name in NAMES)}}};
/* Of the images that are not good, one after the other. */
static const char golden_masks[] =
{marks};
static const double golden_scores[] = {row(scores)};
/* Image AU-ROC, AP, best F1, AU-PRO to 0.30 and 0.05, pixel AU-ROC, AP, best F1. */
static const double golden_by_maxima[] = {row(figures(levels, masks, own[0]))};
static const double golden_by_scores[] = {row(figures(levels, masks, scores))};
static const double golden_resized[] = {row(figures(resized, masks, own[1]))};
""")


if __name__ == "__main__":
    main()
