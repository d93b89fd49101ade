"""Argument checks: one form of message for the whole package."""

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_UNITS = 10**12
"""Largest width; counts of units are then exact as floats, and their laws hold to rounding."""


def shown(value: Any) -> str:
    """Write a value as it stands in a message; Python does not write integers of any length.

    Examples
    --------
    >>> shown("a"), shown(10**5000)
    ("'a'", 'an integer of 5001 digits')
    """
    try:
        return repr(value)
    except ValueError:
        if not isinstance(value, int):
            return f"a {type(value).__name__} that cannot be written"
        digits = int(abs(value).bit_length() * math.log10(2))
        digits += abs(value) >= 10**digits
        return f"an integer of {digits} digits"


def check_count(name: str, value: Any, *, minimum: int = 1, maximum: int | None = None) -> int:
    """Return `value` as an int, or say what a count is.

    Examples
    --------
    >>> check_count("width", 64)
    64
    >>> check_count("width", 0)
    Traceback (most recent call last):
        ...
    ValueError: width must be an integer >= 1, got 0
    """
    limits = f">= {minimum}" if maximum is None else f">= {minimum} and <= {maximum}"
    rule = f"{name} must be an integer {limits}, got {shown(value)}"
    if isinstance(value, bool):
        raise TypeError(rule)
    try:
        count = operator.index(value)
    except TypeError:
        way_out = f"; write {int(value)}" if isinstance(value, float) and value.is_integer() else ""
        raise TypeError(rule + way_out) from None
    if count < minimum or (maximum is not None and count > maximum):
        raise ValueError(rule)
    return count


def check_width(value: Any) -> int:
    """Return `value` as an int, or say what a width is.

    Examples
    --------
    >>> check_width(10**13)
    Traceback (most recent call last):
        ...
    ValueError: width must be an integer >= 1 and <= 1000000000000, got 10000000000000
    """
    return check_count("width", value, maximum=MOST_UNITS)


def check_real(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a finite float within the bounds, or say what they are.

    Parameters
    ----------
    name : str
        The argument as the caller wrote it.
    value : object
        A real number: int, float or numpy scalar.
    above, at_least, below, at_most : float, optional
        Lower bounds, strict and inclusive, and upper bounds, strict and inclusive.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If it is not finite or out of bounds.

    Examples
    --------
    >>> check_real("sigma_w", -1, above=0)
    Traceback (most recent call last):
        ...
    ValueError: sigma_w must be a finite number > 0, got -1
    """
    bounds = [(">", above), (">=", at_least), ("<", below), ("<=", at_most)]
    limits = " and ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)
    rule = f"{name} must be a finite number {limits}".rstrip() + f", got {shown(value)}"
    if isinstance(value, (bool, str, bytes)) or value is np.ma.masked:
        raise TypeError(rule)
    try:
        number = float(value)
    except (TypeError, OverflowError):
        raise TypeError(rule) from None
    if (
        not math.isfinite(number)
        or (above is not None and not number > above)
        or (at_least is not None and not number >= at_least)
        or (below is not None and not number < below)
        or (at_most is not None and not number <= at_most)
    ):
        raise ValueError(rule)
    return number


def check_sequence(name: str, value: Any) -> Sequence[Any]:
    """Return `value` if it is a tuple or list, or say how to write one.

    Examples
    --------
    >>> check_sequence("kinks", 0.5)
    Traceback (most recent call last):
        ...
    TypeError: kinks must be a tuple of numbers, got 0.5; write (0.5,)
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        msg = f"{name} must be a tuple of numbers, got {shown(value)}; write ({shown(value)},)"
        raise TypeError(msg)
    return value


MOST_BYTES = 256e6
"""Of one array that a call allocates."""


def check_size(shape: tuple[int, ...], what: str, way_out: str) -> None:
    """Refuse an array of doubles that needs more than 256 MB.

    Examples
    --------
    >>> check_size((10**6, 100), "10^6 trials of 100 units", "ask for fewer trials")
    Traceback (most recent call last):
        ...
    ValueError: 10^6 trials of 100 units need 800 MB, more than 256 MB; ask for fewer trials
    """
    size = 8 * math.prod(shape)
    if size > MOST_BYTES:
        need = f"{size / 1e6:.0f}" if size < 10**18 else "over 10^12"
        msg = f"{what} need {need} MB, more than {MOST_BYTES / 1e6:.0f} MB; {way_out}"
        raise ValueError(msg)
