#!/usr/bin/env python3
"""What large sets cost: needs a build, Python, and for `predict` Pillow.

    bench/scripts/large_sets.py penalty PHOTOGRAPHS      # first step with 1,000 and with 200,000 files (hard links)
    bench/scripts/large_sets.py evaluation MODEL         # 20,000 test images without masks: memory
    bench/scripts/large_sets.py predict MODEL MVTEC_AD   # bottle's test images at 900x900 with overlays, in turns with rivals
                                                         # of bench/rivals/predict_rival.py (RIVALS, PYTHON, ROUNDS)

Prints what it measures and one JSON line; judges nothing. Files go to build/large_sets."""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("PROGRAM", str(ROOT / "build" / "efficientad"))
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
FOLDER = ROOT / "build" / "large_sets"
FEW, MANY, TESTED, ROUNDS = 1000, 200_000, 20_000, int(os.environ.get("ROUNDS", "3"))


def links(sources, folder, count, width=1000):
    """count hard links to the sources, a thousand in each subfolder."""
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(count):
        below = folder / f"{number // width:04}"
        if number % width == 0:
            below.mkdir(parents=True)
        source = sources[number % len(sources)]
        os.link(source, below / f"{number:06}{source.suffix}")
    return folder


def run(*words):
    """Runs the program; its output, seconds, processor seconds and most resident bytes."""
    started = time.perf_counter()
    process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{output[-2000:]}")
    return output, time.perf_counter() - started, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss


def bytes_below(folder):
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def synthetic():
    data = FOLDER / "data"
    if not (data / "gasket").exists():
        run("synth", "--output", data, "--category", "gasket", "--size", "256", "--train", "12", "--test-good", "20",
            "--test-defect", "2", "--textures", "4")
    return data


def copied(photographs, count):
    """Copies on this file system, which hard links need."""
    found = sorted(path for path in Path(photographs).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[:count]
    if not found:
        sys.exit(f"no photographs in {photographs}")
    target = FOLDER / "photographs"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    return [Path(shutil.copy(path, target)) for path in found]


def penalty(photographs):
    data, sources, results = synthetic(), copied(photographs, 64), {}
    for count in (FEW, MANY):
        folder = links(sources, FOLDER / f"penalty{count}", count)
        output = FOLDER / f"run{count}"
        shutil.rmtree(output, ignore_errors=True)
        _, seconds, _, resident = run("train", "--set", "dataset.type=mvtec_ad", "--set", f"dataset.path={data}", "--set",
                                      "dataset.category=gasket", "--set", f"penalty.path={folder}", "--set", "train.steps=1",
                                      "--output", output, "--quiet")
        results[count] = {"seconds": round(seconds, 2), "resident_mb": round(resident / 1e6, 1),
                          "disk_mb": round(bytes_below(output) / 1e6, 1)}
        print(f"{count} files: {results[count]}", file=sys.stderr)
    more = results[MANY]["seconds"] - results[FEW]["seconds"]
    a_file = (results[MANY]["resident_mb"] - results[FEW]["resident_mb"]) * 1e6 / (MANY - FEW)
    return {"first_step": results, "more_seconds": round(more, 2), "bytes_a_file": round(a_file)}


def evaluation(model):
    tests = sorted((synthetic() / "gasket" / "test" / "good").glob("*.png"))
    folder = links(tests, FOLDER / "tested", TESTED)
    output = FOLDER / "evaluated"
    shutil.rmtree(output, ignore_errors=True)
    _, seconds, _, resident = run("eval", "--model", model, "--set", "dataset.type=folder", "--set",
                                  f"dataset.train_good={synthetic() / 'gasket' / 'train' / 'good'}", "--set",
                                  f"dataset.test_good={folder}", "--output", output, "--quiet")
    return {"images": TESTED, "seconds": round(seconds, 1), "resident_mb": round(resident / 1e6, 1)}


def enlarged(mvtec):
    from PIL import Image
    target = FOLDER / "bottle900"
    paths = sorted((Path(mvtec) / "bottle" / "test").rglob("*.png"))
    target.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(paths):
        to = target / f"{number:03}.png"
        if not to.exists():
            Image.open(path).convert("RGB").resize((900, 900), Image.Resampling.BICUBIC).save(to)
    return target, len(paths)


def predict(model, mvtec):
    folder, count = enlarged(mvtec)
    rivals = os.environ.get("RIVALS", "pytorch openvino").split()
    threads = len(os.sched_getaffinity(0))
    seconds, cpu, network = [], [], []
    theirs = {name: [] for name in rivals}
    for number in range(ROUNDS):
        shutil.rmtree(FOLDER / "overlays", ignore_errors=True)
        _, wall, processor, _ = run("predict", "--quiet", "--model", model, "--overlays", FOLDER / "overlays", folder)
        seconds.append(wall)
        cpu.append(processor)
        output = run("bench", "infer", "-q", "-n", "10", "--threads", threads)[0]
        network.append(count * float(re.search(r"\ninfer.*? 0 +([\d.]+)", output)[1]) / 1e3)
        for name in rivals:
            words = [PYTHON, ROOT / "bench/rivals/predict_rival.py", "--rival", name, "--images", folder, "--output",
                     FOLDER / f"overlays_{name}", "--threads", threads]
            theirs[name].append(json.loads(subprocess.run(list(map(str, words)), check=True, stdout=subprocess.PIPE).stdout)["seconds"])
        print(f"round {number + 1}: ours {wall:.2f} s, {({n: t[-1] for n, t in theirs.items()})}", file=sys.stderr)
    middle = statistics.median
    codecs = middle(cpu) - threads * middle(network)
    return {"images": count, "ours_s": round(middle(seconds), 2), "network_s": round(middle(network), 2),
            "codecs_over_cores_s": round(codecs / threads, 2), "all_processor_time_over_cores_s": round(middle(cpu) / threads, 2),
            "rivals_s": {name: round(middle(times), 2) for name, times in theirs.items()},
            "ratios": {name: round(middle([o / t for o, t in zip(seconds, times)]), 3) for name, times in theirs.items()}}


def main():
    commands = {"penalty": penalty, "evaluation": evaluation, "predict": predict}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(json.dumps({sys.argv[1]: commands[sys.argv[1]](*sys.argv[2:])}))


if __name__ == "__main__":
    main()
