"""Answers that are functions: one compared by its values, one by the law of what it samples."""

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lengthlab.exercises.kinds import Exercise, Refusal, bare, described, direction

Samples: TypeAlias = NDArray[np.float64]


def require_function(answer: Any) -> None:
    """Raise `Refusal` unless `answer` can be called."""
    if not callable(answer):
        msg = (
            f"a function is wanted here, not {described(answer)}; write its name without brackets."
        )
        raise Refusal(msg)


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a reader's function; an exception becomes a sentence."""
    try:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        msg = f"your function stopped with {what}"
        raise Refusal(msg if msg.endswith(".") else msg + ".") from None


@dataclass(frozen=True, kw_only=True)
class Function(Exercise):
    """A function with one right value at every point.

    Parameters
    ----------
    name : str
        What it is called in the messages.
    reference : callable, the same arguments -> float
        The right function, from a closed form or from the package.
    cases : tuple of tuple
        Arguments at which it is tried.
    tolerance : float
        Relative.
    """

    name: str
    reference: Callable[..., float] = field(repr=False)
    cases: tuple[tuple[float, ...], ...] = field(repr=False)
    tolerance: float = 1e-4

    def require_form(self, answer: Any) -> None:
        """Accept anything that can be called."""
        require_function(answer)

    def lack(self, answer: Any) -> str | None:
        """Return the first case that differs, with the direction and not the value."""
        for case in self.cases:
            value, target = self._value(answer, case), float(self.reference(*case))
            if not self._close(value, target):
                call = f"{self.name}({', '.join(f'{x:.4g}' for x in case)}) = {value:.4g}"
                return f"{call} is {direction(value, target, tolerance=self.tolerance)}"
        return None

    def same(self, answer: Any, other: Any) -> bool:
        """Agree in every case."""
        pairs = ((self._value(answer, case), self._value(other, case)) for case in self.cases)
        return all(self._close(value, target) for value, target in pairs)

    def _close(self, value: float, target: float) -> bool:
        return abs(value - target) <= self.tolerance * abs(target)

    def _value(self, function: Callable[..., Any], case: tuple[float, ...]) -> float:
        value = bare(called(function, *case))
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            msg = f"your function must return a number, and it returned {described(value)}."
            raise Refusal(msg)
        try:
            number = float(value)
        except OverflowError:
            msg = "your function returned an integer that is too large for a float."
            raise Refusal(msg) from None
        if not math.isfinite(number):
            msg = f"your function returned {number}, which is not a finite number."
            raise Refusal(msg)
        return number


@dataclass(frozen=True, kw_only=True)
class Sampler(Exercise):
    """A function that draws at random: right when what it draws has the right law.

    Two samples are said to have one law when the distance of their empirical distribution
    functions stays below the sum of two Dvoretzky-Kiefer-Wolfowitz radii in every column. A right
    answer is turned down with a probability below `error_rate`, and only at another seed: the
    seed is fixed, so a verdict never changes.

    Parameters
    ----------
    draw : callable, (function, seed) -> array (trials, columns)
        Calls a reader's function with a fresh Generator; raises `Refusal` for a wrong shape.
    reference : callable
        A function with the right law.
    error_rate : float
        Probability that a right answer is refused, over all columns.
    """

    draw: Callable[[Callable[..., Any], int], Samples] = field(repr=False)
    reference: Callable[..., Any] = field(repr=False)
    error_rate: float = 1e-9

    def require_form(self, answer: Any) -> None:
        """Accept anything that can be called."""
        require_function(answer)

    def lack(self, answer: Any) -> str | None:
        """Look at the seed first, then compare the laws."""
        first = self.draw(answer, 1)
        if not np.array_equal(first, self.draw(answer, 1)):
            return "the same seed gave two different results: draw from rng and from nothing else."
        if np.array_equal(first, self.draw(answer, 2)):
            return "two different seeds gave the same result: every draw must come from rng."
        if self.same(answer, self.reference):
            return None
        return "what your function draws does not have the right law."

    def same(self, answer: Any, other: Any) -> bool:
        """Compare the laws, column by column."""
        mine, theirs = self.draw(answer, 3), self.draw(other, 4)
        columns = mine.shape[1]
        radii = sum(dkw_radius(len(x), self.error_rate / (2 * columns)) for x in (mine, theirs))
        return all(ks_distance(mine[:, k], theirs[:, k]) <= radii for k in range(columns))


def dkw_radius(size: int, error_rate: float) -> float:
    """Distance that an empirical distribution function exceeds with at most `error_rate`.

    ``sqrt(log(2 / error_rate) / (2 size))``, whatever the law.

    Notes
    -----
    Source: Dvoretzky, Kiefer & Wolfowitz (1956), with the constant of Massart (1990).

    Examples
    --------
    >>> round(dkw_radius(4000, 0.001), 4)
    0.0308
    """
    return math.sqrt(math.log(2 / error_rate) / (2 * size))


def ks_distance(first: Samples, second: Samples) -> float:
    """Largest distance between two empirical distribution functions (Kolmogorov, Smirnov).

    Examples
    --------
    >>> ks_distance(np.array([1.0, 2.0]), np.array([1.5, 2.5]))
    0.5
    """
    points = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (first, second)]
    return float(np.max(np.abs(below[0] - below[1])))


def counting_rng(*seed: int) -> np.random.Generator:
    """Return a generator that `require_no_matrix` can read.

    Notes
    -----
    Philox counts its blocks of four 64-bit numbers as it goes; the other bit generators do not.
    """
    return np.random.Generator(np.random.Philox(list(seed)))


def require_no_matrix(rng: np.random.Generator, *, width: int, layers: int) -> None:
    """Refuse what drew far more than one number a node: the law is right, the way is not.

    Parameters
    ----------
    rng : numpy.random.Generator
        From `counting_rng`, after the reader's function has used it.
    width : int
        Nodes in a layer.
    layers : int
        Layers drawn, over all trials.
    """
    drawn = 4 * int(rng.bit_generator.state["state"]["counter"][0])
    if drawn > 4 * width * layers:
        msg = (
            f"your function drew about {round(drawn / layers, -1):.0f} random numbers for each "
            f"layer of width {width}: that is a weight matrix. {width} numbers are enough."
        )
        raise Refusal(msg)


def require_samples(values: Any, shape: tuple[int, ...], said: str) -> Samples:
    """Return `values` as finite floats of `shape`, or refuse with a sentence.

    Parameters
    ----------
    values : object
        What a reader's function returned.
    shape : tuple of int
        The shape asked for.
    said : str
        That shape in the words of the exercise.
    """
    try:
        array = np.asarray(values, dtype=float)
    except Exception:  # a reader's own objects may raise anything
        msg = f"your function must return an array of numbers, {said}."
        raise Refusal(msg) from None
    if array.shape != shape:
        msg = f"your function must return an array {said}, here {shape}; it returned {array.shape}."
        raise Refusal(msg)
    if not np.isfinite(array).all():
        msg = "some of the numbers that your function returned are not finite."
        raise Refusal(msg)
    return array
