"""The reader's desk: predictions, checks, hints and solutions, printed.

Guesses and the hints already given live as long as the kernel. Verdicts on a reader's answers are
kept beside the notebook (`lengthlab.exercises.progress_file`).
"""

import numbers
from importlib import import_module
from pkgutil import iter_modules
from textwrap import fill
from typing import Any

from lengthlab import exercises
from lengthlab.exercises import progress_file as kept
from lengthlab.exercises.kinds import Exercise, Refusal, bare
from lengthlab.exercises.predictions import Prediction

_COLUMNS = 72  # JupyterLab breaks longer lines in the middle of a word, even on a laptop

_guesses: dict[str, float] = {}
_hints_given: dict[str, int] = {}


def lessons() -> tuple[int, ...]:
    """Return the numbers of the lessons that have exercises.

    Examples
    --------
    >>> lessons()[:4]
    (0, 1, 2, 3)
    """
    names = sorted(module.name for module in iter_modules(exercises.__path__))
    return tuple(int(name[7:]) for name in names if name.startswith("lesson_"))


def entries(lesson: int) -> tuple[Prediction | Exercise, ...]:
    """Everything that one lesson asks, in the order of the notebook.

    Examples
    --------
    >>> [entry.id for entry in entries(0)]
    ['0.1', '0.2']
    """
    module = import_module(f"lengthlab.exercises.lesson_{lesson:02d}")
    found: tuple[Prediction | Exercise, ...] = module.ENTRIES
    return found


def predict(id: str, guess: Any) -> None:
    """Record the reader's guess, before anything is computed.

    Parameters
    ----------
    id : str
        The prediction's number in the lesson, such as ``"1.1"``.
    guess : float
        A number, or ``...`` for "not yet". One that cannot be an answer is not recorded.

    Examples
    --------
    >>> predict("1.1", ...)
    1.1  no prediction yet: put your guess in place of the three dots.
    >>> predict("2.1", 1.5)
    2.1  not noted: a correlation is a number from -1 to 1; 1.5 is not.
    """
    asked = _prediction(id)
    if guess is ...:
        _guesses.pop(asked.id, None)
        _say(id, "no prediction yet: put your guess in place of the three dots.")
        return
    try:
        _guesses[asked.id] = asked.quantity.require(bare(guess))
    except Refusal as reason:
        _say(id, f"not noted: {reason}")
        return
    _say(id, f"noted: {_shown(_guesses[asked.id])}. Now run the next cell.")


def reveal(id: str, result: float) -> None:
    """Print guess and result side by side.

    Parameters
    ----------
    id : str
        The prediction's number.
    result : float
        What the cell has just computed.

    Examples
    --------
    >>> predict("1.1", 10)
    1.1  noted: 10. Now run the next cell.
    >>> reveal("1.1", 1.002)
    1.1  sd of q_1 for the spike, divided by sd of q_1 for the flat input
         your prediction: 10
         result:          1.002
    """
    asked = _prediction(id)
    guess = _guesses.get(asked.id)
    print(f"{id}  {asked.title}")
    print(f"     your prediction: {'no prediction yet' if guess is None else _shown(guess)}")
    print(f"     result:          {_shown(result)}")


def check(id: str, answer: Any) -> None:
    """Say where an answer stands: not attempted, wrong kind, not yet, or correct.

    Parameters
    ----------
    id : str
        The exercise's number, such as ``"1.2"``.
    answer : object
        The answer; ``...`` means not attempted.

    Examples
    --------
    >>> check("1.b", 3)
    1.b  not yet: 3 is E Z^4. The variance is E Z^4 - (E Z^2)^2.
    """
    verdict = _exercise(id).judge(answer)
    kept.record(id, verdict.status)
    mark = "." if verdict.status == "correct" else ":"
    _say(id, f"{verdict.status}{mark} {verdict.message}")


def hint(id: str) -> None:
    """Print the next hint; each call goes one step further.

    Parameters
    ----------
    id : str
        The exercise's number.
    """
    hints = _exercise(id).hints
    given = _hints_given.get(id, 0)
    if given == len(hints):
        _say(id, f'that was the last hint. The solution is open: solution("{id}")')
        return
    _hints_given[id] = given + 1
    _say(id, f"hint {given + 1} of {len(hints)}: {hints[given]}")


def solution(id: str) -> None:
    """Print the solution, code and words. No attempt is asked for.

    Parameters
    ----------
    id : str
        The exercise's number.
    """
    found = _exercise(id)
    _say(id, f"solution: {found.title}")
    print(f"\n{found.solution.code}\n\n{fill(found.solution.words, _COLUMNS)}")


def progress() -> None:
    """Print, lesson by lesson, how many exercises are correct, how many tried, which are open.

    "Correct" stays correct after a later try. Proofs and open questions, which are for you to
    judge, count as tried. To begin again, delete the file ``.lengthlab-progress.json`` and restart
    the kernel.
    """
    asked = {number: entries(number) for number in lessons()}
    print(
        kept.table(
            {
                number: tuple(entry.id for entry in found if isinstance(entry, Exercise))
                for number, found in asked.items()
            }
        )
    )


def forget() -> None:
    """Clear every guess and start all hints again, as in a new kernel; the file stays."""
    _guesses.clear()
    _hints_given.clear()
    kept.clear()


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, numbers.Real) else str(value)


def _say(id: str, text: str) -> None:
    """Print `text` after the number of the exercise, in lines that fit a page."""
    margin = " " * 5
    for k, line in enumerate(text.splitlines()):
        start = margin if k else f"{id}  "
        hang = margin + " " * 6 if line.startswith("  [ ]") else margin
        print(fill(start + line, width=_COLUMNS, subsequent_indent=hang))


def _prediction(id: str) -> Prediction:
    found = _find(id)
    if isinstance(found, Prediction):
        return found
    msg = f'id must be that of a prediction, got {id!r}, an exercise: use check("{id}", answer)'
    raise ValueError(msg)


def _exercise(id: str) -> Exercise:
    found = _find(id)
    if isinstance(found, Exercise):
        return found
    msg = f'id must be that of an exercise, got {id!r}, a prediction: use predict("{id}", guess)'
    raise ValueError(msg)


def _find(id: str) -> Prediction | Exercise:
    if not isinstance(id, str):
        msg = f'id must be text, such as "1.2" with its quotes, got {id!r}'
        raise ValueError(msg)
    number = id.partition(".")[0]
    if not (number.isdecimal() and int(number) in lessons()):
        known = ", ".join(map(str, lessons()))
        msg = f'id must begin with the number of a lesson ({known}), as "1.2" does, got {id!r}'
        raise ValueError(msg)
    known_here = {entry.id: entry for entry in entries(int(number))}
    if id not in known_here:
        msg = f"id must be one of {', '.join(known_here)} in lesson {number}, got {id!r}"
        raise ValueError(msg)
    return known_here[id]
