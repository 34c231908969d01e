"""Scores image files by the Python package (make wheel; pip install build/wheel/*.whl).

    python score_images.py model.safetensors a.png b.jpg

Prints a line for each image. Exit code 0: all are good; 1: some are anomalous.
"""

import sys

import numpy

import efficientad


def main(model, *paths):
    anomalous = 0
    with efficientad.Detector(model, threads=2) as detector:
        for path in paths:
            result = detector(path)
            y, x = numpy.unravel_index(result.map.argmax(), result.map.shape)
            print(f"{path} {result.score:.6g} highest at {x},{y}", "anomalous" if result.anomalous else "good")
            anomalous += bool(result.anomalous)
    return anomalous > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
