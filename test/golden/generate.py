"""Makes all golden values again: runs every *_golden.py of this folder and methods/, each as its own process, in the order of
their names. With arguments only those whose name contains one of them: `python3 generate.py model`."""
import os
import subprocess
import sys
from pathlib import Path


def main():
    folder = Path(__file__).resolve().parent
    subprocess.run([sys.executable, str(folder / "philox.py")], check=True, cwd=folder)
    for script in sorted(folder.rglob("*_golden.py")):
        if len(sys.argv) == 1 or any(word in script.name for word in sys.argv[1:]):
            print(f"== {script.name}", flush=True)
            subprocess.run([sys.executable, str(script)], check=True, cwd=script.parent,
                           env=os.environ | {"PYTHONPATH": str(folder)})


if __name__ == "__main__":
    main()
