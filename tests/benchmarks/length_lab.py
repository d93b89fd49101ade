"""How fast the length lab is in a browser: ``python tests/benchmarks/length_lab.py``.

One run on one server, beside the empty round trip of that server: the numbers of different runs do
not compare.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from live_figure import (
    EMPTY,
    Rows,
    Subject,
    leftover_rows,
    print_table,
    quantiles,
    speed_rows,
)

from harness import JupyterServer, Notebook, launched_chromium, missing  # isort: skip

LAB = Subject(
    name="LengthLab, 10 layers",
    setup="from lengthlab.widgets import LengthLab",
    make='LengthLab("tanh", sigma_w=1.5, sigma_b=0.3, width=64, depth=10, trials=1_000_000)',
    slider=".lengthlab-fields input[type=range]",
)


def first_picture(notebook: Notebook) -> float:
    """Seconds from running the first cell of a fresh kernel, import included, to the picture."""
    start = time.perf_counter()
    notebook.run_cell(0, wait=False)
    notebook.cell(0).locator(LAB.shown).wait_for()
    return time.perf_counter() - start


def other_cells(notebook: Notebook, times: int = 20) -> list[float]:
    """Milliseconds that another cell takes while the lab draws."""
    notebook.wait_frames(5)
    delays = []
    for _ in range(times):
        start = time.perf_counter()
        notebook.run_cell(1)
        delays.append(1000 * (time.perf_counter() - start))
    return delays


def off_screen(notebook: Notebook) -> int:
    """Networks drawn in a second while the lab is scrolled away."""
    notebook.run_cell(2)
    notebook.cell(2).locator("pre").first.evaluate("pre => pre.scrollIntoView({block: 'end'})")
    notebook.page.wait_for_timeout(500)
    before = notebook.execute("", "lab.drawn")
    notebook.page.wait_for_timeout(1000)
    return int(notebook.execute("", "lab.drawn")) - int(before)


def main() -> None:
    """Measure the lab and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=500, help="for the memory (default 500)")
    options = parser.parse_args()
    lack = missing()
    if lack:
        sys.exit(lack)
    with tempfile.TemporaryDirectory() as folder, launched_chromium() as browser:
        server = JupyterServer(Path(folder))

        def make_notebook(cells: list[str]) -> Notebook:
            notebook = Notebook(browser, server)
            notebook.open(cells)
            return notebook

        try:
            rows: Rows = []
            cells = [f"{LAB.setup}\nlab = {LAB.make}\nlab", "1 + 1", 'print("line\\n" * 200)']
            notebook = make_notebook(cells)
            rows.append(("first picture, imports included", f"{first_picture(notebook):.2f} s"))
            rows.append(quantiles("another cell while it draws", other_cells(notebook)))
            rows.append(("networks drawn in 1 s off-screen", str(off_screen(notebook))))
            notebook.close()
            print_table(LAB.name, [*rows, *speed_rows(make_notebook, LAB)])
            rows = []
            for painted, cycles in ((True, options.cycles // 5), (False, options.cycles)):
                for subject in (EMPTY, LAB):
                    rows += leftover_rows(make_notebook, subject, cycles, painted=painted)
            print_table("memory", rows)
        finally:
            server.close()


if __name__ == "__main__":
    main()
