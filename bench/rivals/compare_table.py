"""Second half of compare.sh: merges the rounds it measured into one table and one JSON file.

    compare_table.py SCRATCH RESULTS [NAME]    reads SCRATCH/ours-ROUND-*.json and SCRATCH/rival-ROUND-*.jsonl

Each rival is credited with its fastest variant (layout, eager or compiled). A figure is the median over the rounds
of the rounds' medians; the ratio is the median of the rounds' ratios, with the lowest and highest. The fastest
rival of a row's kind is marked with a star: that ratio counts."""
import datetime
import json
import os
import platform
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path


def processor():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def key_of(result):
    return result["bench"], result["model"], result.get("batch", 1), result.get("precision", "fp32")


def round_of(path):
    return int(path.name.split("-")[1])


def read_rounds(folder):
    """{key: {round: median}} of ours, {(key, rival): {variant: {round: median}}} of the rivals, and all raw results
    with the machine as ours saw it."""
    ours, rivals = defaultdict(dict), defaultdict(lambda: defaultdict(dict))
    raw = {"ours": [], "rivals": []}
    for path in sorted(folder.glob("ours-*.json")):
        content = json.loads(path.read_text())
        raw["machine"] = content["machine"]
        for result in content["results"]:
            ours[key_of(result)][round_of(path)] = result["median_ms"]
            raw["ours"].append({"round": round_of(path), **result})
    for path in sorted(folder.glob("rival-*.jsonl")):
        for result in map(json.loads, path.read_text().splitlines()):
            variant = f"{result['layout']} {result['mode']}"
            rivals[key_of(result), result["rival"]][variant][round_of(path)] = result["median_ms"]
            raw["rivals"].append({"round": round_of(path), **result})
    return ours, rivals, raw


def compare(ours, rivals):
    rows = []
    for key, rival in sorted(rivals):
        variant, times = min(rivals[key, rival].items(), key=lambda item: statistics.median(item[1].values()))
        ratios = [ours[key][number] / times[number] for number in sorted(set(ours[key]) & set(times))]
        if not ratios:
            continue
        rows.append({"bench": key[0], "model": key[1], "batch": key[2], "precision": key[3], "rival": rival,
                     "rival_variant": variant, "ours_ms": statistics.median(ours[key].values()),
                     "rival_ms": statistics.median(times.values()), "ratio": statistics.median(ratios),
                     "ratio_low": min(ratios), "ratio_high": max(ratios), "rounds": len(ratios)})
    for row in rows:
        row["fastest"] = row["rival_ms"] == min(r["rival_ms"] for r in rows if key_of(r) == key_of(row))
    return rows


def print_table(rows):
    print(f"{'':44}{'rival':13}{'ours':>10}{'rival':>11}{'ours/rival':>12}   lowest..highest   rival's variant")
    for row in rows:
        name = f"{row['bench']} {row['model']} batch {row['batch']} {row['precision']}"
        print(f"{name:44}{row['rival']:11}{'* ' if row['fastest'] else '  '}{row['ours_ms']:>7.1f} ms"
              f"{row['rival_ms']:>8.1f} ms{row['ratio']:>12.3f}   {row['ratio_low']:>6.3f}..{row['ratio_high']:<7.3f}"
              f"   {row['rival_variant']}")


def versions(raw):
    return {result["rival"]: result["version"] for result in raw["rivals"]}


def write_results(folder, words, kind, name, rows, raw):
    """words: more words of the file's name; kind: what it is named after, "cpu" or "gpu"."""
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\((r|tm)\)", "", name.lower())).strip("-")
    date = datetime.date.today().isoformat()
    path = folder / f"{'-'.join([slug, date] + words)}.json"
    content = {kind: name, "date": date, "system": platform.platform(), "rival_versions": versions(raw),
               "comparison": rows, **raw}
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(unfinished, path)
    return path


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    ours, rivals, raw = read_rounds(Path(sys.argv[1]))
    rows = compare(ours, rivals)
    if not rows:
        print("compare_table: nothing was measured by both sides; ours: "
              f"{sorted(ours)}, rivals: {sorted(rivals)}", file=sys.stderr)
        return 1
    cpu, machine = processor(), raw["machine"]
    print(f"{cpu}; ours {machine['version']}, {machine['threads']} threads, "
          + ", ".join(f"{name} {version}" for name, version in sorted(versions(raw).items()))
          + f", {raw['rivals'][0]['threads']} threads")
    print_table(rows)
    path = write_results(Path(sys.argv[2]), sys.argv[3:], "cpu", cpu, rows, raw)
    print(f"written: {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
