#!/usr/bin/env python3
"""Compares the losses.csv of two trainings of the same images, say with two algorithms or precisions.

    bench/scripts/compare_losses.py REFERENCE.csv OTHER.csv      prints one JSON object

For each loss: the relative difference of its mean over all common steps, the largest one of its mean over a
window of 50 steps, and the mean and the largest over single steps.
"""
import csv
import json
import sys

WINDOW = 50


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def compare(reference, other):
    steps = len(reference)
    pairs = list(zip(reference, other))
    windows = [pairs[i:i + WINDOW] for i in range(0, steps - WINDOW + 1, WINDOW)]

    def of_means(part):
        return abs(sum(b for _, b in part) / sum(a for a, _ in part) - 1)

    single = [abs(b - a) / abs(a) for a, b in pairs if a]
    return {"all_steps": of_means(pairs), "worst_window": max(map(of_means, windows)),
            "mean_step": sum(single) / len(single), "worst_step": max(single)}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    reference, other = read(sys.argv[1]), read(sys.argv[2])
    steps = min(len(reference), len(other))
    if steps < WINDOW:
        sys.exit(f"{sys.argv[1]}, {sys.argv[2]}: {steps} common steps; at least {WINDOW} are needed")
    result = {"steps": steps, "window": WINDOW}
    for name in reference[0]:
        if name.startswith("loss_"):
            column = [[float(row[name]) for row in rows[:steps]] for rows in (reference, other)]
            result[name] = {key: round(value, 6) for key, value in compare(*column).items()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
