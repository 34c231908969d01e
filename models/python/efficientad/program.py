"""The program of the package: training and evaluation as calls, with progress."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, NoReturn, Optional, Sequence, Union

from ._library import FOLDER, Error

Path = Union[str, "os.PathLike[str]"]
PROGRAM = os.path.join(FOLDER, "bin", "efficientad")


class Progress(NamedTuple):
    """What the program tells while it works, a line at a time; progress itself every half minute and at the end."""

    line: str
    what: Optional[str]
    """What is being done ("training"); None of other lines, and then the numbers are None, too."""
    done: Optional[int]
    total: Optional[int]


_PROGRESS = re.compile(r"(\S.*?) (\d+)/(\d+) \d+%  ")


def _told(line: str) -> Progress:
    found = _PROGRESS.match(line)
    return Progress(line, found[1], int(found[2]), int(found[3])) if found else Progress(line, None, None, None)


def run(arguments: Sequence[Union[str, Path]], progress: Optional[Callable[[Progress], Any]] = None) -> str:
    """Runs the program with these arguments; gives what it printed.

    progress: called with each line that it tells on the way. An exception of it ends the program as Ctrl-C does: a
    training can then be resumed.
    Raises Error with its complaints where it fails.
    """
    command = [PROGRAM] + [os.fspath(argument) for argument in arguments]
    complaints: List[str] = []
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output, \
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, text=True,
                             encoding="utf-8", errors="replace") as process:
        try:
            for line in process.stderr or ():
                line = line.rstrip("\n")
                if line.startswith("efficientad: "):
                    complaints.append(line[len("efficientad: "):])
                if progress:
                    progress(_told(line))
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt):  # which the terminal has sent to both
                process.send_signal(signal.SIGINT)
            process.communicate()
            raise
        process.wait()
        output.seek(0)
        printed = output.read()
    if process.returncode:
        raise Error("\n".join(complaints) or f"{command[1]} ended with exit code {process.returncode}",
                    process.returncode)
    return printed


def _words(settings: Mapping[str, Any]) -> List[str]:
    def text(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else os.fspath(value) if hasattr(
            value, "__fspath__") else str(value)
    return [word for key, value in settings.items() if value is not None for word in ("--set", f"{key}={text(value)}")]


def _options(options: Mapping[str, Any]) -> List[str]:
    return [str(word) for name, value in options.items() if value is not None for word in (name, value)]


def train(good: Optional[Path] = None, output: Path = "runs/model", *, config: Optional[Path] = None,
          method: Optional[str] = None, image_size: Optional[Union[int, str]] = None, steps: Optional[int] = None,
          minutes: Optional[float] = None, device: Optional[str] = None, threads: Optional[int] = None,
          settings: Optional[Mapping[str, Any]] = None, progress: Optional[Callable[[Progress], Any]] = None) -> str:
    """Trains a model of good images; gives the path of its file, output/model.safetensors.

    good: folder of good images only; None: as the config says. output: the run folder; it must be new or empty.
    config: a file, or the name of one that comes with the program: "efficientad_s", "patchcore", ...
    method: "efficientad", "patchcore", "simplenet", ... image_size: 256, or "256x512" as height x width.
    steps: of the training; or minutes: as many as fit. threads: 0 or None: one a core.
    settings: any other config key, such as {"penalty.path": "photos/other"}; `efficientad --help-config` lists them.
    """
    keys: Dict[str, Any] = {"model.method": method, "model.image_size": image_size, "train.steps": steps,
                            **(settings or {})}
    words = ["train"] + ([os.fspath(good)] if good is not None else []) + _words(keys)
    run(words + _options({"-c": config, "--output": os.fspath(output), "--minutes": minutes, "--device": device,
                          "--threads": threads}), progress)
    return os.path.join(os.fspath(output), "model.safetensors")


def evaluate(model: Path, output: Optional[Path] = None, *, device: Optional[str] = None,
             threads: Optional[int] = None, settings: Optional[Mapping[str, Any]] = None,
             progress: Optional[Callable[[Progress], Any]] = None) -> Dict[str, Any]:
    """Evaluates a model on the test images of its data set, or of settings["dataset.path"]; gives what metrics.json holds.

    output: folder for metrics, scores and report; None: that of the model.
    """
    folder = os.fspath(output) if output is not None else os.path.dirname(os.fspath(model)) or "."
    run(["eval"] + _words(settings or {}) + _options({"--model": os.fspath(model), "--output": folder,
                                                      "--device": device, "--threads": threads}), progress)
    with open(os.path.join(folder, "metrics.json"), encoding="utf-8") as file:
        return json.load(file)


def main() -> NoReturn:
    """The command `efficientad`."""
    os.execv(PROGRAM, ["efficientad"] + sys.argv[1:])
