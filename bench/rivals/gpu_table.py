"""Second half of bench/scripts/gpu_check.sh: what its parts measured as one table and one JSON file.

    gpu_table.py SCRATCH RESULTS GPU    reads SCRATCH/parts.tsv, SCRATCH/ours-*.json and SCRATCH/rival-*.jsonl

Each row is one measurement of ours with what it must hold (of the project's goals on an H200), PyTorch's eager time on
the same card, and PyTorch's best of all its variants and precisions that do the same work."""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import compare_table

# (bench, model, batch, precision): milliseconds, at most
GOALS = {("step", "small", 1, "tf32"): 3.0, ("step", "small", 1, "bf16"): 2.0, ("step", "medium", 1, "bf16"): 8.0,
         ("infer", "small", 1, "fp16"): 0.5, ("infer", "medium", 1, "fp16"): 1.0,
         ("infer", "small", 16, "fp16"): 16 / 4.0, ("infer", "medium", 16, "fp16"): 16 / 1.4}


def read_parts(folder):
    lines = (folder / "parts.tsv").read_text().splitlines() if (folder / "parts.tsv").exists() else []
    return [dict(zip(("part", "outcome", "seconds"), line.split("\t"))) for line in lines]


def read_ours(folder):
    """All results, each with the name of its part, and the machine as the program saw it."""
    results, machine = [], {}
    for path in sorted(folder.glob("ours-*.json")):
        content = json.loads(path.read_text())
        machine = content["machine"]
        results += [{"part": path.stem[len("ours-"):], **result} for result in content["results"]]
    return results, machine


def read_rivals(folder):
    """A part that ran out of time may have left half a line."""
    results = []
    for path in sorted(folder.glob("rival-*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                results.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return results


def variant_of(ours):
    for name in ("1-stream", "no-capture", "wgmma"):
        if ours["part"].endswith(name):
            return name
    return ""


def rows_of(ours, rivals):
    rows = []
    for result in ours:
        key = compare_table.key_of(result)
        same = [r for r in rivals if compare_table.key_of(r)[:3] == key[:3]]
        eager = [r["median_ms"] for r in same if r["mode"] == "eager" and r["precision"] == key[3]]
        best = min(same, key=lambda r: r["median_ms"], default=None)
        row = {"bench": key[0], "model": key[1], "batch": key[2], "precision": key[3], "variant": variant_of(result),
               "ours_ms": result["median_ms"], "images_per_s": result.get("images_per_s")}
        if key in GOALS and not row["variant"]:
            row["goal_ms"] = GOALS[key]
        if eager:
            row["eager_ms"] = min(eager)
        if best:
            row["best_ms"], row["best_variant"] = best["median_ms"], f"{best['precision']} {best['mode']}"
        rows.append(row)
    return sorted(rows, key=lambda r: (r["bench"], r["model"], r["batch"], r["precision"], r["variant"]))


def number(value, width, decimals=3):
    return f"{value:{width}.{decimals}f}" if value is not None else " " * width


def verdict(row):
    if "goal_ms" not in row:
        return ""
    return f"{'holds' if row['ours_ms'] <= row['goal_ms'] else 'FAILS'} {row['goal_ms']:.1f}"


def print_table(rows):
    print(f"{'':44}{'ms':>10}{'images/s':>10}  {'goal':12}{'eager ms':>10}{'x':>7}{'best ms':>10}{'x':>7}  PyTorch's best")
    for row in rows:
        name = f"{row['bench']} {row['model']} batch {row['batch']} {row['precision']} {row['variant']}"
        eager, best = row.get("eager_ms"), row.get("best_ms")
        print(f"{name:44}{number(row['ours_ms'], 10)}{number(row['images_per_s'], 10, 1)}  {verdict(row):12}"
              f"{number(eager, 10)}{number(eager and eager / row['ours_ms'], 7, 2)}"
              f"{number(best, 10)}{number(best and best / row['ours_ms'], 7, 2)}  {row.get('best_variant', '')}")


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    folder, gpu = Path(sys.argv[1]), sys.argv[3]
    ours, machine = read_ours(folder)
    raw = {"machine": machine, "parts": read_parts(folder), "ours": ours, "rivals": read_rivals(folder)}
    rows = rows_of(ours, raw["rivals"])
    path = compare_table.write_results(Path(sys.argv[2]), "gpu", gpu, rows, raw)
    print(f"\n{gpu}; ours {machine.get('version', 'not measured')}, "
          + ", ".join(f"{name} {version}" for name, version in sorted(compare_table.versions(raw).items())))
    print("; ".join(f"{part['part']} {part['outcome']} {part['seconds']} s" for part in raw["parts"]))
    print_table(rows)
    print(f"written: {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
