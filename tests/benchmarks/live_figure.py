"""How fast a live figure is, and what it leaves behind: ``python tests/benchmarks/live_figure.py``.

Everything is measured in one run on one server, as the numbers of different runs do not compare.
The functions take a `Subject`: any widget that paints a live figure can be measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "browser"))

from harness import JupyterServer, Notebook, launched_chromium, missing  # noqa: E402

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Subject:
    """A widget to measure.

    Parameters
    ----------
    name : str
        What the table calls it.
    setup : str
        Code that defines what `make` needs.
    make : str
        Expression for a new widget, which runs by itself once it is shown.
    slider : str
        CSS selector, within the cell's outputs, of what an arrow key moves; "" for none. Each
        move has to raise the canvas's ``data-generation``.
    shown : str
        CSS selector of what is there when the widget can be seen.
    """

    name: str
    setup: str
    make: str
    slider: str = ""
    shown: str = ".lengthlab-live canvas:not([data-frame='0'])"


DEMO = Subject(
    name="ten histograms and a curve",
    setup=f"""
import sys
sys.path.insert(0, {str(FOLDER)!r})
from live_demo import make_demo, make_small
""",
    make="make_demo()",
    slider=".noUi-handle",
)
SMALL = Subject(name="one axes", setup=DEMO.setup, make="make_small()")
EMPTY = Subject(
    name="an empty anywidget",
    setup="""
import anywidget
class Empty(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.append(document.createElement('canvas')); } }"
""",
    make="Empty()",
    shown="canvas",
)

COUNTERS = """
import json, time
from lengthlab.live import LiveFigure

count = {"frames": 0, "seconds": 0.0, "bytes": 0}
record, send = LiveFigure._frame, LiveFigure.send

def timed_record(self, **options):
    start = time.thread_time()
    try:
        return record(self, **options)
    finally:
        count["seconds"] += time.thread_time() - start

def timed_send(self, content, buffers=None):
    count["frames"] += 1
    count["bytes"] += len(json.dumps(content)) + sum(map(len, buffers or []))
    start = time.thread_time()
    send(self, content, buffers)
    count["seconds"] += time.thread_time() - start

LiveFigure._frame, LiveFigure.send = timed_record, timed_send
"""

ECHO = '''
import anywidget
class Echo(anywidget.AnyWidget):
    _esm = """
    export default { render({ model, el }) {
      el.className = "echo";
      el.ask = () => new Promise((done) => {
        const start = performance.now();
        const hear = () => { model.off("msg:custom", hear); done(performance.now() - start); };
        model.on("msg:custom", hear);
        model.send({});
      });
    } };
    """
echo = Echo()
echo.on_msg(lambda widget, content, buffers: widget.send({}))
echo
'''


def frame_rate(notebook: Notebook, frames: int) -> float:
    """Frames a second that the first cell's canvas paints."""
    milliseconds = notebook.canvas().evaluate(
        """(canvas, frames) => new Promise((done) => {
            const start = performance.now();
            const goal = Number(canvas.dataset.frame) + frames;
            const watch = new MutationObserver(() => {
                if (Number(canvas.dataset.frame) < goal) return;
                watch.disconnect();
                done(performance.now() - start);
            });
            watch.observe(canvas, { attributes: true, attributeFilter: ["data-frame"] });
        })""",
        frames,
    )
    return 1000 * frames / float(milliseconds)


def pump_rows(notebook: Notebook, frames: int = 200) -> Rows:
    """Frames a second, and what one costs the kernel and the line."""
    notebook.wait_frames(20)
    notebook.execute("count.update(frames=0, seconds=0.0, bytes=0)")
    rate = frame_rate(notebook, frames)
    count = notebook.execute("", "count")
    sent = count["frames"]
    return [
        ("frames a second", f"{rate:.1f}"),
        ("kernel CPU a frame beyond the work", f"{1000 * count['seconds'] / sent:.1f} ms"),
        ("bytes a frame", f"{count['bytes'] / sent / 1000:.1f} kB"),
    ]


def round_trips(notebook: Notebook, cell: int, times: int = 60) -> list[float]:
    """Milliseconds from a browser's message to the kernel's answer, through a bare widget."""
    echo = notebook.cell(cell).locator(".echo")
    return [float(echo.evaluate("(el) => el.ask()")) for _ in range(times)]


def control_latencies(notebook: Notebook, slider: str, times: int = 40) -> list[float]:
    """Milliseconds from an arrow key on a slider to the painted frame that shows it."""
    notebook.cell(0).locator(slider).first.focus()
    notebook.canvas().evaluate(
        """(canvas) => {
            canvas.delays = [];
            document.addEventListener("keydown", () => { canvas.pressed = performance.now(); },
                                      { capture: true });
            new MutationObserver(() => {
                if (canvas.dataset.generation === canvas.shown) return;
                canvas.shown = canvas.dataset.generation;
                canvas.delays.push(performance.now() - canvas.pressed);
            }).observe(canvas, { attributes: true, attributeFilter: ["data-generation"] });
        }"""
    )
    for press in range(times):
        generation = int(notebook.canvas().get_attribute("data-generation"))
        notebook.page.keyboard.press("ArrowRight" if press % 20 < 10 else "ArrowLeft")
        notebook.wait_generation(generation + 1)
    return [float(delay) for delay in notebook.canvas().evaluate("(canvas) => canvas.delays")]


def browser_memory(notebook: Notebook) -> dict[str, float]:
    """What the page holds after a collection of garbage."""
    notebook.page.wait_for_timeout(3000)  # anywidget holds a new model for two seconds
    session = notebook.page.context.new_cdp_session(notebook.page)
    session.send("Performance.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return {"heap": metrics["JSHeapUsedSize"], "nodes": metrics["Nodes"]}


def kernel_memory(notebook: Notebook) -> dict[str, float]:
    """What the kernel holds after a collection of garbage."""
    code = "import gc, psutil, ipywidgets; [gc.collect() for _ in range(3)]"
    memory = "psutil.Process().memory_info().rss"
    held = f"[{memory}, len(gc.get_objects()), len(ipywidgets.Widget.widgets)]"
    numbers = notebook.execute(code, held)
    return dict(zip(("rss", "objects", "widgets"), numbers, strict=True))


def cycle(notebook: Notebook, subject: Subject, times: int, *, painted: bool) -> None:
    """Show and close a new widget `times` times in the second cell.

    With `painted` each is waited for until it has painted; else they follow one another in one
    run of the cell.
    """
    if not painted:
        notebook.execute(f"cycles = {times}")
        notebook.run_cell(1)
        return
    for _ in range(times):
        notebook.run_cell(2)
        notebook.cell(2).locator(subject.shown).wait_for()


def leftover_rows(
    make_notebook: Callable[[list[str]], Notebook], subject: Subject, times: int, *, painted: bool
) -> Rows:
    """What one cycle of show and close leaves in the browser and in the kernel."""
    loop = (
        f"for _ in range(cycles):\n    widget = {subject.make}\n    clear_output(wait=True)\n"
        "    display(widget)\n    widget.close()\n    del widget"
    )
    single = f"'last' in globals() and last.close()\nlast = {subject.make}\ndisplay(last)"
    imports = "from IPython.display import clear_output, display"
    notebook = make_notebook([f"{imports}\n{subject.setup}", loop, single])
    notebook.run_cell(0)
    cycle(notebook, subject, max(10, times // 10), painted=painted)
    before = {**browser_memory(notebook), **kernel_memory(notebook)}
    cycle(notebook, subject, times, painted=painted)
    after = {**browser_memory(notebook), **kernel_memory(notebook)}
    notebook.close()
    grown = {key: (after[key] - before[key]) / times for key in before}
    how = "painted" if painted else "in one cell"
    return [
        (
            f"left by each of {times} of {subject.name} ({how})",
            f"browser {grown['heap'] / 1000:.1f} kB, {grown['nodes']:.1f} nodes; "
            f"kernel {grown['rss'] / 1000:.1f} kB, {grown['objects']:.1f} objects, "
            f"{grown['widgets']:.2f} widgets",
        )
    ]


def quantiles(name: str, milliseconds: list[float]) -> tuple[str, str]:
    """Row with the median and the 95th percentile."""
    p95 = statistics.quantiles(milliseconds, n=20)[-1]
    return name, f"p50 {statistics.median(milliseconds):.0f} ms, p95 {p95:.0f} ms"


def speed_rows(make_notebook: Callable[[list[str]], Notebook], subject: Subject) -> Rows:
    """Everything about speed."""
    notebook = make_notebook([f"{subject.setup}\n{COUNTERS}\n{subject.make}", ECHO])
    notebook.run_cell(1)
    notebook.cell(1).locator(".echo").wait_for(state="attached")
    rows = [quantiles("empty round trip", round_trips(notebook, 1))]
    notebook.run_cell(0)
    notebook.canvas().wait_for()
    rows += pump_rows(notebook)
    if subject.slider:
        delays = control_latencies(notebook, subject.slider)
        rows.append(quantiles("control to painted frame, running", delays))
    notebook.close()
    return rows


def print_table(title: str, rows: Rows) -> None:
    """Print rows of label and value."""
    print(title)
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        print(f"  {label:<{width}}  {value}")


def main() -> None:
    """Measure the demo and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=500, help="for the memory (default 500)")
    parser.add_argument("--pixel-ratio", type=float, default=1)
    options = parser.parse_args()
    lack = missing()
    if lack:
        sys.exit(lack)
    with tempfile.TemporaryDirectory() as folder, launched_chromium() as browser:
        server = JupyterServer(Path(folder))

        def make_notebook(cells: list[str]) -> Notebook:
            notebook = Notebook(browser, server, pixel_ratio=options.pixel_ratio)
            notebook.open(cells)
            return notebook

        try:
            print_table(DEMO.name, speed_rows(make_notebook, DEMO))
            rows: Rows = []
            for painted, cycles in ((False, options.cycles), (True, options.cycles // 5)):
                for subject in (EMPTY, SMALL):
                    rows += leftover_rows(make_notebook, subject, cycles, painted=painted)
            print_table("memory", rows)
        finally:
            server.close()


if __name__ == "__main__":
    main()
