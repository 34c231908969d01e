"""PatchCore and FastFlow against anomalib, onnxruntime with faiss, and PyTorch with FrEIA, in turns; prints medians and
the ratio ours/rival and writes all rounds as JSON. The machine should do nothing else.

    python3 bench/rivals/compare_methods.py --backbone resnet50.safetensors --mvtec data/mvtec_ad --out result.json

fit: from pictures to the bank; ours the whole `train` without its evaluation: reading, fitting, threshold, files.
infer: one image; step: FastFlow's, batch 4, on features. What the rivals leave out is told in their scripts."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(command):
    clock = time.perf_counter()
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return time.perf_counter() - clock, done.stdout


def rival(script, *arguments):
    out = run([sys.executable, HERE / script, *arguments])[1]
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def our_fit(options, ratio, scratch):
    folder = scratch / "run"
    shutil.rmtree(folder, ignore_errors=True)
    seconds, _ = run([options.program, "train", "-q", "-c", "configs/patchcore.yaml", "-o", folder, "--threads", options.threads,
                      "--set", f"dataset.path={scratch}", "--set", "dataset.category=bottle",
                      "--set", f"model.backbone={options.backbone}", "--set", f"patchcore.coreset_ratio={ratio}"])
    return seconds


def our_bench(options, bench, method, scratch, *settings):
    path = scratch / "bench.json"
    sets = [word for s in (f"model.method={method}", f"model.backbone={options.backbone}", *settings) for word in ("--set", s)]
    size = 224 if method == "patchcore" else 256
    run([options.program, "bench", bench, "--image-size", size, "--threads", options.threads, "--json", path, "-n", 10, *sets])
    return json.loads(path.read_text())["results"][0]["median_ms"] / 1000


def only_training_images(mvtec, scratch):
    """bottle without test images, so that nothing but the fit is timed."""
    (scratch / "bottle").mkdir()
    (scratch / "bottle" / "train").symlink_to((Path(mvtec) / "bottle" / "train").resolve())
    return len(list((scratch / "bottle" / "train" / "good").glob("*.png")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/efficientad")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--mvtec", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", nargs="+", default=["fit 1 %", "fit 10 %", "infer", "step"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    rows = {name: {"ours_s": [], "rival_s": []} for name in options.only}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        count = only_training_images(options.mvtec, scratch)
        common = ["--backbone", options.backbone, "--threads", options.threads]
        fitted = count - round(count / 10)  # ours holds a tenth back for the threshold, and scores it
        fit = ["patchcore_rival.py", "fit", *common, "--images", scratch / "bottle" / "train" / "good", "--count", fitted]
        pairs = {
            "fit 1 %": (lambda: our_fit(options, 0.01, scratch), lambda: rival(*fit, "--ratio", 0.01)[0]["wall_s"]),
            "fit 10 %": (lambda: our_fit(options, 0.1, scratch), lambda: rival(*fit, "--ratio", 0.1)[0]["wall_s"]),
            "infer": (lambda: our_bench(options, "infer", "patchcore", scratch),
                      lambda: statistics.median(r["wall_s"] for r in rival("patchcore_rival.py", "infer", *common))),
            "step": (lambda: our_bench(options, "step", "fastflow", scratch, "fastflow.batch=4"),
                     lambda: statistics.median(r["wall_s"] for r in rival(
                         "fastflow_rival.py", "--batch", 4, "--threads", options.threads, "--repeats", 5))),
        }
        for turn in range(options.rounds):
            for name, row in rows.items():
                ours, theirs = pairs[name]
                for side in (("ours_s", ours), ("rival_s", theirs))[::1 if turn % 2 == 0 else -1]:
                    row[side[0]].append(round(side[1](), 4))
                print(f"{name}: ours {row['ours_s'][-1]} s, rival {row['rival_s'][-1]} s", flush=True)
    for name, row in rows.items():
        row["ratio"] = round(statistics.median(row["ours_s"]) / statistics.median(row["rival_s"]), 3)
        print(f"{name:10s} {row['ratio']}")
    version = run([options.program, "--version"])[1].strip()
    Path(options.out).write_text(json.dumps({"what": __doc__.split("\n\n")[0].replace("\n", " "), "program": version,
                                             "threads": options.threads, "results": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
