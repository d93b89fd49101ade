"""How fast every widget is in a browser: ``python tests/benchmarks/widgets.py [NAME ...]``.

One run on one server, beside the empty round trip of that server. Pictures that are sampled are
measured while they run, for they have to move; formulas have to be instant: from a key on a slider
to the painted frame.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from live_figure import (
    COUNTERS,
    ECHO,
    Rows,
    control_latencies,
    print_table,
    pump_rows,
    quantiles,
    round_trips,
)

from lengthlab import widgets

from harness import JupyterServer, Notebook, launched_chromium, missing  # isort: skip

# A run that ends while it is measured leaves nothing to measure.
LONG = {"HiddenNodesView": "'tanh', width=1000, trials=1_000_000", "DepthWidth": "trials=200_000"}
SLIDER = "input[type=range][aria-label='sigma_w slider']"  # every widget has it


def rows_of(notebook: Notebook, name: str) -> Rows:
    """Measure one widget, shown by the first cell."""
    notebook.run_cell(0)
    notebook.canvas().wait_for()
    notebook.canvas().scroll_into_view_if_needed()
    notebook.wait_painted()
    rows = pump_rows(notebook, 150) if getattr(widgets, name).samples else []
    notebook.page.wait_for_timeout(1000)  # what is slow has been done
    return [*rows, quantiles("slider to pixels", control_latencies(notebook, SLIDER))]


def main() -> None:
    """Measure the widgets and print a table for each."""
    known = [view.__name__ for view in widgets.VIEWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=known, metavar="NAME", help="default: all")
    options = parser.parse_args()
    lack = missing()
    if lack:
        sys.exit(lack)
    with tempfile.TemporaryDirectory() as folder, launched_chromium() as browser:
        server = JupyterServer(Path(folder))
        try:
            for name in options.names:
                notebook = Notebook(browser, server)
                how = LONG.get(name, "trials=1_000_000")
                make = f"from lengthlab.widgets import {name}\n{name}({how})"
                notebook.open([f"{COUNTERS}\n{make}", ECHO])
                notebook.run_cell(1)
                notebook.cell(1).locator(".echo").wait_for(state="attached")
                rows = [quantiles("empty round trip", round_trips(notebook, 1))]
                print_table(name, [*rows, *rows_of(notebook, name)])
                notebook.close()
        finally:
            server.close()


if __name__ == "__main__":
    main()
