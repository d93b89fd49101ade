"""Answers that are written as text: a row of letters, or a formula in x.

People write a row of letters in many ways, and a formula too. What counts is read here, so that a
right answer is right and a known mistake is known in every spelling.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Activation
from lengthlab.exercises.kinds import Refusal, described
from lengthlab.formula import formula

_POINTS = np.array([-2.3, -0.7, 0.4, 1.9])  # two functions that agree in all of them are one


def letters(answer: Any, *, example: str, ordered: bool) -> str:
    """Read a row of letters, in lower case and without what separates or numbers them.

    Parameters
    ----------
    answer : str, or list, tuple, array or set of str
        As in ``"a, b"``, ``"a;b"``, ``"1. A 2. B"`` or ``["a", "b"]``.
    example : str
        How an answer may look, for the refusal.
    ordered : bool
        Whether it matters which letter comes first: then a set will not do. If it does not, the
        letters come back in alphabetical order, each once.

    Returns
    -------
    str
        The letters alone.

    Raises
    ------
    Refusal
        If `answer` holds no text.

    Examples
    --------
    >>> letters("(B), a; a", example="ab", ordered=True)
    'baa'
    >>> letters({"b", "A"}, example="ab", ordered=False)
    'ab'
    """
    if isinstance(answer, set | frozenset) and ordered:
        msg = "a set has no order, and here the order counts: write text or a list."
        raise Refusal(msg)
    parts = answer.ravel().tolist() if isinstance(answer, np.ndarray) else answer
    parts = [parts] if isinstance(parts, str) else parts
    several = isinstance(parts, list | tuple | set | frozenset)
    if not several or not all(isinstance(part, str) for part in parts):
        what = described(answer) + (" of other things" if several else "")
        msg = f'letters in quotes are wanted here, such as "{example}", not {what}.'
        raise Refusal(msg)
    found = "".join(sign for part in parts for sign in part.lower() if sign.isalpha())
    return found if ordered else "".join(sorted(set(found)))


def read_formula(answer: Any) -> Activation:
    """Read a formula in x, as `lengthlab.formula` does.

    Parameters
    ----------
    answer : str
        Such as ``"tanh(x)"``.

    Returns
    -------
    Activation
        What it says.

    Raises
    ------
    Refusal
        If `answer` is no text, or no formula; the sentence says where it fails.

    Examples
    --------
    >>> read_formula("tanh(x)").name
    'tanh(x)'
    """
    if not isinstance(answer, str):
        msg = f'a formula in quotes is wanted here, such as "tanh(x)", not {described(answer)}.'
        raise Refusal(msg)
    try:
        return formula(answer)
    except ValueError as error:
        msg = f"this is not a formula that ll.formula reads: {error}."
        raise Refusal(msg) from None


def require_formula(answer: Any) -> None:
    """Raise `Refusal` unless `answer` is a formula in x."""
    read_formula(answer)


def values(answer: str) -> NDArray[np.float64]:
    """Values of a formula at a few points: the same for every way of writing it.

    Parameters
    ----------
    answer : str
        A formula in x.

    Returns
    -------
    array, shape (4,)
        Not finite where the formula is not.

    Examples
    --------
    >>> bool(np.allclose(values("1/x"), values(" x^-1 ")))
    True
    """
    with np.errstate(all="ignore"):
        return np.asarray(read_formula(answer)(_POINTS), dtype=float)
