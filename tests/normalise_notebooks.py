"""Keep the stored lessons diffable: ``python tests/normalise_notebooks.py lessons/*.ipynb``.

``--execute`` first runs each notebook from top to bottom in a fresh kernel; ``--check`` writes
nothing and ends with status 1 if a file would change. Outputs and execution counts stay. Widget
views and states, timestamps, ids of runs and the patch version of Python go.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import nbformat

VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3",
}
CELL_METADATA = ("jupyter", "slideshow", "tags")


def executed(path: Path) -> dict[str, Any]:
    """Run the notebook in a fresh kernel, in its own folder."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return dict(json.loads(nbformat.writes(notebook)))


def joined(text: Any) -> Any:
    """Turn a list of lines, which is how notebooks store text, into one string."""
    return "".join(text) if isinstance(text, list) else text


def lines(text: Any) -> Any:
    """Turn one string into the list of lines that a diff reads best."""
    return text.splitlines(keepends=True) if isinstance(text, str) else text


def normal_output(output: dict[str, Any]) -> dict[str, Any]:
    """One output without widget views; a picture keeps its text alternative."""
    output = dict(output)
    if "data" in output:
        data = {mime: value for mime, value in output["data"].items() if mime != VIEW}
        output["data"] = {
            mime: joined(value).strip() + "\n" if mime == "image/png" else lines(joined(value))
            for mime, value in data.items()
        }
    if "text" in output:
        output["text"] = lines(joined(output["text"]))
    return output


def merged(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring pieces of one stream as one output: how they are cut is chance."""
    result: list[dict[str, Any]] = []
    for output in outputs:
        last = result[-1] if result else {}
        if output.get("name") and output.get("name") == last.get("name"):
            text = joined(last["text"]) + joined(output["text"])
            result[-1] = {**last, "text": text}
        else:
            result.append(output)
    return result


def normal_cell(cell: dict[str, Any], number: int) -> dict[str, Any]:
    """One cell with the metadata that belong to the lesson, and an id that stays."""
    metadata = {key: cell["metadata"][key] for key in CELL_METADATA if key in cell["metadata"]}
    # An id is kept. A cell made in JupyterLab has eight random hexadecimal digits: that stays too.
    kept = cell.get("id") or f"cell-{number:02d}"
    normal = {**cell, "id": kept, "metadata": metadata, "source": lines(joined(cell["source"]))}
    if cell["cell_type"] == "code":
        outputs = [normal_output(output) for output in merged(cell["outputs"])]
        # A widget's picture has an output of its own: nothing is left of that of its view.
        normal["outputs"] = [output for output in outputs if output.get("data") != {}]
    return normal


def normal(notebook: dict[str, Any]) -> str:
    """Text of a notebook in the one form that is stored."""
    cells = [normal_cell(cell, number) for number, cell in enumerate(notebook["cells"], start=1)]
    content = {
        "cells": cells,
        "metadata": {"kernelspec": KERNEL, "language_info": LANGUAGE},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    # Addresses of objects and names of cells in tracebacks differ from run to run.
    return re.sub(r" at 0x[0-9a-f]{6,}", "", text)


def main(arguments: list[str] | None = None) -> int:
    """Normalise, or check, the notebooks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--execute", action="store_true", help="run first, in a fresh kernel")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if one would change")
    options = parser.parse_args(arguments)
    changed = []
    for path in options.notebooks:
        before = path.read_text(encoding="utf-8")
        after = normal(executed(path) if options.execute else json.loads(before))
        if after == before:
            continue
        changed.append(path)
        if not options.check:
            path.write_text(after, encoding="utf-8")
    for path in changed:
        print(f"{path}: {'would change' if options.check else 'normalised'}")
    return int(options.check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
