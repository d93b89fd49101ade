"""What a reader has answered so far: kept in one small file beside the notebooks, sent nowhere.

Only a notebook's kernel has a folder to keep it in; elsewhere, and where the file cannot be
read or written, it lives in memory. A file that can be read and is no progress file is replaced;
one that cannot be read, such as another user's, is left alone.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import fill
from typing import get_args

from lengthlab.exercises.kinds import Status

FILE = ".lengthlab-progress.json"
_COLUMNS = 72
_RANK = {status: rank for rank, status in enumerate(get_args(Status))}
_LAST = ("correct", "for you to judge")  # nothing is open after one of these
_HEAD = "lesson  correct  tried  exercises  open"
_PATIENCE = 1.0  # seconds to wait for another notebook that is writing


def _current_folder() -> Path | None:
    """Return where the process is; a folder that was deleted under it has no name."""
    try:
        return Path.cwd()
    except OSError:
        return None


_here: dict[str, str] = {}  # what this process has seen
_start = _current_folder()  # the notebook's folder: a reader's code may go elsewhere later


def record(id: str, status: str) -> None:
    """Note the verdict on an attempt; the best one of an exercise stays.

    Parameters
    ----------
    id : str
        The exercise's number.
    status : str
        The verdict's; "not attempted" is no attempt, and leaves no trace.
    """
    if status == "not attempted":
        return
    _here[id] = _better(status, _here.get(id))
    folder = _folder()
    if folder is None:
        return
    with suppress(OSError), _alone(folder):
        known = _stored(folder)
        everything = _merged(known, _here)
        if everything != known:
            _write(folder, everything)


def seen() -> dict[str, str]:
    """Best verdict on every exercise that was tried, by the exercise's number."""
    folder = _folder()
    return _merged(read(folder) if folder else {}, _here)


def clear() -> None:
    """Forget what this process has seen; the file stays."""
    _here.clear()


def read(folder: Path) -> dict[str, str]:
    """Verdicts in a folder's file; none where there is no file, or one that cannot be read."""
    try:
        return _stored(folder)
    except OSError:
        return {}


def _stored(folder: Path) -> dict[str, str]:
    """Verdicts in a folder's file; an OSError says that there may be some, out of our reach."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    found = content.get("verdicts") if isinstance(content, dict) else None
    if not isinstance(found, dict):
        return {}
    known = {id: status for id, status in found.items() if isinstance(status, str)}
    return {id: status for id, status in known.items() if status in _RANK}


def table(exercises: Mapping[int, tuple[str, ...]]) -> str:
    """Progress in words and columns.

    Parameters
    ----------
    exercises : mapping from int to tuple of str
        The numbers of the exercises of each lesson.

    Returns
    -------
    str
        Lines of at most 72 characters.

    Examples
    --------
    >>> print(table({99: ("99.a", "99.1")}))
    No exercise tried yet, of 2.
    """
    verdicts, total = seen(), sum(map(len, exercises.values()))
    tried = [id for ids in exercises.values() for id in ids if id in verdicts]
    if not tried:
        return f"No exercise tried yet, of {total}."
    right = [id for id in tried if verdicts[id] == "correct"]
    lines = [_HEAD]
    for lesson, ids in exercises.items():
        row = [len([id for id in ids if id in some]) for some in (right, tried)]
        left = [id for id in ids if verdicts.get(id) not in _LAST]
        names = "all" if left == list(ids) else ", ".join(left) or "-"
        start = f"{lesson:6d}  {row[0]:7d}  {row[1]:5d}  {len(ids):9d}  "
        lines.append(fill(names, _COLUMNS, initial_indent=start, subsequent_indent=" " * 35))
    judged = len([id for id in tried if verdicts[id] == "for you to judge"])
    lines += [f"{len(right)} correct and {judged} for you to judge, of {total}.", _kept()]
    return "\n".join(lines)


def _kept() -> str:
    folder = _folder()
    if folder and read(folder) == seen():
        return f"Kept in {FILE}, beside this notebook."
    return "Kept until this session ends."


def _folder() -> Path | None:
    """Return the notebook's folder, in a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return _start if hasattr(shell, "kernel") else None


def _better(status: str, other: str | None) -> str:
    return status if other is None or _RANK[status] > _RANK[other] else other


def _merged(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    both = dict(first)
    for id, status in second.items():
        both[id] = _better(status, both.get(id))
    return both


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other notebooks of the folder from writing between our reading and our writing.

    The lock is on the folder itself, so it leaves no file, and it ends with the process. Where
    there are no such locks, and when another notebook holds one for too long, we go on without.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + _PATIENCE
        with suppress(OSError):
            while time.monotonic() < end:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def _write(folder: Path, verdicts: Mapping[str, str]) -> None:
    """Put a whole file in the place of the old one: a reader never finds half of it."""
    text = json.dumps({"verdicts": dict(verdicts)}, indent=1, sort_keys=True) + "\n"
    handle, name = tempfile.mkstemp(prefix=FILE, dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(folder / FILE)
    except BaseException:  # also a reader who interrupts the kernel
        Path(name).unlink(missing_ok=True)
        raise
