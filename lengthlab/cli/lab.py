"""``lengthlab lab``: the reader's copy of the lessons, and JupyterLab on it."""

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lengthlab.cli.arguments import CommandError, count, flush

PACKAGE = Path(__file__).resolve().parents[1]
MANIFEST = ".lengthlab.json"


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on lesson 0",
        description="Copy the lessons to a folder of yours and open JupyterLab on lesson 0. "
        "A file that you changed is kept.",
        allow_abbrev=False,
    )
    lab.add_argument(
        "--folder",
        type=Path,
        default=Path("lengthlab-lessons"),
        metavar="DIR",
        help="where your copy of the lessons is (default: ./%(default)s)",
    )
    lab.add_argument(
        "--no-browser", action="store_true", help="start the server and print its address"
    )
    lab.add_argument("--port", type=count, metavar="N", help="port of the server")
    lab.set_defaults(run=_run_lab)


def _run_lab(arguments: argparse.Namespace) -> int:
    for module in ("jupyterlab", "ipykernel"):
        if importlib.util.find_spec(module) is None:
            msg = f'{module} is not installed; get it with: pip install "lengthlab[lab]"'
            raise CommandError(msg)
    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        msg = f"port must be an integer >= 1 and <= 65535, got {arguments.port}"
        raise ValueError(msg)
    folder = arguments.folder.expanduser().resolve()
    kept = copy_lessons(lessons_folder(), folder)
    print(f"The lessons are in {folder}")
    if kept:
        print(
            f"Kept as you left them: {', '.join(kept)} (rename or delete one to get the original)"
        )
    flush()
    return _become(
        lab_command(folder, browser=not arguments.no_browser, port=arguments.port),
        lab_environment(),
    )


def lessons_folder() -> Path:
    """Where the lessons are: inside an installed package, beside it in a checkout.

    Returns
    -------
    Path

    Raises
    ------
    CommandError
        If there are none.
    """
    for folder in (PACKAGE / "_lessons", PACKAGE.parent / "lessons"):
        if any(folder.glob("00_*.ipynb")):
            return folder
    msg = "this installation has no lessons; install lengthlab again"
    raise CommandError(msg)


def copy_lessons(source: Path, target: Path) -> list[str]:
    """Copy the lessons, but never over a file that the reader changed.

    A file that is as an earlier call wrote it is the package's, and follows it to a new version;
    what was written is remembered in the folder itself.

    Parameters
    ----------
    source : Path
        The package's lessons.
    target : Path
        The reader's folder; made if it is not there.

    Returns
    -------
    list of str
        Files that were kept because the reader changed them.

    Raises
    ------
    OSError
        If the folder cannot be written.
    CommandError
        If something else is in its place, or in that of a lesson.
    """
    if target == source.resolve():
        return []
    if target.exists() and not target.is_dir():
        msg = f"{target} is not a folder; choose another with --folder"
        raise CommandError(msg)
    target.mkdir(parents=True, exist_ok=True)
    record = target / MANIFEST
    _check_place(record, target)
    written = _read_manifest(record)
    kept = []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if not path.is_file() or any(part.startswith((".", "__")) for part in name.parts):
            continue
        content, copy = path.read_bytes(), target / name
        _check_place(copy, target)
        there = copy.read_bytes() if copy.exists() else None
        if there not in (None, content) and _digest(there) != written.get(name.as_posix()):
            kept.append(name.as_posix())
            continue
        written[name.as_posix()] = _digest(content)
        if there != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
    record.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return kept


def _check_place(file: Path, target: Path) -> None:
    """Refuse a folder where a file of the lessons goes, and a file where a folder does."""
    folders = [folder for folder in file.parents if target in folder.parents]
    wrong = [file] if file.is_dir() else [place for place in folders if place.is_file()]
    if wrong:
        kind = "folder" if wrong[0].is_dir() else "file"
        msg = f"{wrong[0]} is a {kind} in the place of a lesson; rename it, or choose another"
        raise CommandError(f"{msg} folder with --folder")


def _read_manifest(record: Path) -> dict[str, str]:
    try:
        written = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def lab_command(folder: Path, *, browser: bool = True, port: int | None = None) -> list[str]:
    """Command that starts JupyterLab on lesson 0, by this interpreter.

    Parameters
    ----------
    folder : Path
        The reader's lessons; nothing above it is served.
    browser : bool
        Open a browser.
    port : int, optional
        Port of the server; the next free one where it is taken.

    Returns
    -------
    list of str
    """
    first = min(path.name for path in folder.glob("00_*.ipynb"))
    command = [
        *(sys.executable, "-P", "-m", "jupyterlab"),  # -P: not what lies about in this folder
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{first}",
        # JupyterLab asks the network for news, for newer versions and for extensions.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command.append(f"--ServerApp.port={port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def lab_environment() -> dict[str, str]:
    """Environment of JupyterLab: this interpreter's kernel first, and no question about news.

    Returns
    -------
    dict
        That of this process, with a folder put before each of JUPYTER_PATH, where kernels are
        found, and JUPYTER_CONFIG_PATH.
    """
    first = {
        "JUPYTER_PATH": Path(sys.prefix, "share", "jupyter"),
        "JUPYTER_CONFIG_PATH": PACKAGE / "cli" / "jupyter",
    }
    paths = {
        name: os.pathsep.join(filter(None, [str(folder), os.environ.get(name)]))
        for name, folder in first.items()
    }
    return {**os.environ, **paths}


def _become(command: list[str], environment: dict[str, str]) -> int:
    """Run a command in the place of this process: signals and exit status are its own."""
    if os.name == "posix":
        os.execve(command[0], command, environment)
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the child has it too, and decides
                continue
