"""How fast the lessons are: ``python tests/benchmarks/lessons.py``.

For each lesson the seconds from a fresh kernel, with nothing imported, to its first picture, when
its cells are run from the top; and the seconds that nbval takes for all of it. One process at a
time: the numbers of a busy machine do not compare.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.ipynb"))
GOAL_PICTURE, GOAL_COURSE = 3.0, 300.0


def has_picture(cell: Any) -> bool:
    """Whether a cell has left a picture."""
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))


def first_picture(path: Path) -> tuple[float, str]:
    """Seconds from a fresh kernel to the first picture, and the name of its cell."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    with client.setup_kernel():
        start = time.perf_counter()
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            cell.outputs = []
            client.execute_cell(cell, number)
            if has_picture(cell):
                return time.perf_counter() - start, cell.id
    return float("nan"), "none"


def nbval(path: Path) -> tuple[float, str]:
    """Seconds of nbval for one notebook, process and kernel included, and how it ended."""
    sanitize = ROOT / "tests" / "nbval_sanitize.cfg"
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts="),
        *("--nbval", "--nbval-cell-timeout=120", f"--nbval-sanitize-with={sanitize}", str(path)),
    ]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    took = time.perf_counter() - start
    return took, "passes" if done.returncode == 0 else "FAILS"


def main() -> None:
    """Measure every lesson and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures-only", action="store_true", help="without nbval")
    options = parser.parse_args()
    total = 0.0
    print(f"{'lesson':28s}{'first picture':>15s}  {'its cell':18s}{'nbval':>10s}")
    for path in LESSONS:
        seconds, cell = first_picture(path)
        late = " LATE" if seconds > GOAL_PICTURE else ""
        line = f"{path.stem:28s}{seconds:13.2f} s  {cell:18s}"
        if not options.pictures_only:
            took, end = nbval(path)
            total += took
            line += f"{took:8.1f} s  {end}"
        print(line + late, flush=True)
    if not options.pictures_only:
        print(f"{'all':28s}{'':15s}  {'':18s}{total:8.1f} s  (goal {GOAL_COURSE:.0f} s)")


if __name__ == "__main__":
    main()
