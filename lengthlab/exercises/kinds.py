"""What can be asked: numbers, choices, things to find, words.

Every kind answers the same three questions: does the answer have the right form, what does it
lack, and is it the same as another answer? `Exercise.judge` makes the verdict of them.
"""

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np

Status = Literal["not attempted", "wrong kind", "not yet", "correct", "for you to judge"]


_NEAR = 0.02  # relative; a wrong number within this is called close
_EXACT = 1e-6  # a relative tolerance that leaves room for rounding in the last digits only


@dataclass(frozen=True)
class Verdict:
    """What is said of one answer."""

    status: Status
    message: str


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that people give, and what helps them on."""

    answer: Any = field(repr=False)
    message: str = field(repr=False)


@dataclass(frozen=True)
class Solution:
    """Code that binds the name ``answer``, and the reason in words."""

    code: str = field(repr=False)
    words: str = field(repr=False)


class Refusal(Exception):  # noqa: N818 - it is a sentence to the reader, not an error
    """An answer could not be judged; the argument says why, in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Exercise(ABC):
    """A question with its verdicts; neither the answer nor the solution is in its repr.

    Parameters
    ----------
    id : str
        ``lesson.number``, as in the notebook.
    title : str
        The task, in a few words.
    hints : tuple of str
        Given one by one, each a step further.
    solution : Solution
        Code that binds ``answer``, and words.
    then : str
        What to think of next, said with "correct".
    wrong : tuple of Wrong
        Known wrong answers, each with its own message.
    """

    id: str
    title: str
    hints: tuple[str, ...] = field(repr=False)
    solution: Solution = field(repr=False)
    then: str = field(repr=False)
    wrong: tuple[Wrong, ...] = field(default=(), repr=False)

    def judge(self, answer: Any) -> Verdict:
        """Say where `answer` stands; a correct answer first, a known mistake before a direction."""
        if answer is ...:
            return Verdict("not attempted", "put your answer in place of the three dots.")
        try:
            return self._verdict(bare(answer))
        except Exception as error:  # a lesson goes on where an answer is too odd to be judged
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            return Verdict("not yet", f"check could not judge this answer: {what}")

    def _verdict(self, answer: Any) -> Verdict:
        try:
            self.require_form(answer)
        except Refusal as reason:
            return Verdict("wrong kind", str(reason))
        try:
            lack = self.lack(answer)
            if lack is None:
                return Verdict("correct", self.then)
            known = (wrong.message for wrong in self.wrong if self.same(answer, wrong.answer))
            return Verdict("not yet", next(known, lack))
        except Refusal as reason:
            return Verdict("not yet", str(reason))

    @abstractmethod
    def require_form(self, answer: Any) -> None:
        """Raise `Refusal` if `answer` is not the kind of thing that was asked for."""

    @abstractmethod
    def lack(self, answer: Any) -> str | None:
        """Return a sentence on what is wrong, most often a direction; None if it is correct."""

    @abstractmethod
    def same(self, answer: Any, other: Any) -> bool:
        """Whether `answer` is the answer `other`."""


def bare(answer: Any) -> Any:
    """Take a number out of its wrapping; return everything else as it is.

    Examples
    --------
    >>> bare(np.array(2.0)), bare(Fraction(1, 4)), bare("b")
    (2.0, 0.25, 'b')
    """
    if isinstance(answer, np.ndarray) and answer.size == 1:
        answer = answer.item()
    if not isinstance(answer, Fraction | Decimal):
        return answer
    try:
        return float(answer)
    except OverflowError:
        return math.inf if answer > 0 else -math.inf
    except ValueError:  # of Decimal's two kinds of NaN, one refuses
        return math.nan


def require_number(answer: Any) -> None:
    """Raise `Refusal` unless `answer` is a finite real number."""
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        msg = f"a number is wanted here, not {described(answer)}."
        raise Refusal(msg)
    try:
        value = float(answer)
    except OverflowError:  # Python's integers know no bound
        value = -math.inf if answer < 0 else math.inf
    if not math.isfinite(value):
        msg = f"a finite number is wanted here, not {value}."
        if isinstance(answer, numbers.Integral):
            msg = "this integer is too large for a float (above 1.8e308, in size)."
        raise Refusal(msg)


def described(answer: Any) -> str:
    """Name the type of `answer` as a reader would: "a function", "a list".

    Examples
    --------
    >>> described([1, 2]), described(described)
    ('a list', 'a function')
    >>> from lengthlab.gaussian import Estimate
    >>> described(Estimate(1.0, 0.0))
    'an Estimate (its number is .value)'
    """
    if isinstance(answer, type(None)):
        return "None"
    if callable(answer):
        return "a function"
    names = {"str": "text", "ndarray": "an array", "int": "an integer", "bool": "True or False"}
    name = type(answer).__name__
    article = "an" if name[0] in "AEIOUaeiou" else "a"
    its_number = " (its number is .value)" if hasattr(answer, "value") else ""
    return names.get(name, f"{article} {name}{its_number}")


@dataclass(frozen=True, kw_only=True)
class Number(Exercise):
    """A number, right within a relative tolerance.

    Parameters
    ----------
    target : callable, () -> float
        Computes the answer: a formula or a function of the package, not a copied number.
    tolerance : float
        Relative; 0.005 accepts three significant digits.
    """

    target: Callable[[], float] = field(repr=False)
    tolerance: float = 0.005

    def require_form(self, answer: Any) -> None:
        """Accept finite real numbers."""
        require_number(answer)

    def lack(self, answer: Any) -> str | None:
        """Compare with the target, and name the direction."""
        target = self.target()
        if self.same(answer, target):
            return None
        return direction(float(answer), target, tolerance=self.tolerance)

    def same(self, answer: Any, other: Any) -> bool:
        """Agree within the relative tolerance."""
        return abs(float(answer) - float(other)) <= self.tolerance * abs(float(other))


def direction(value: float, target: float, *, tolerance: float) -> str:
    """Say on which side of `target` a wrong `value` is, and of a near one how near is asked for.

    Parameters
    ----------
    value, target : float
        The answer, and the right one.
    tolerance : float
        Relative; an answer within it would be right.

    Returns
    -------
    str
        The end of a sentence.

    Examples
    --------
    >>> direction(3.0, 4.0, tolerance=0.005), direction(100.0, 4.0, tolerance=0.005)
    ('too small.', 'too large, by more than a factor of ten.')
    >>> direction(4.04, 4.0, tolerance=0.005)
    'too large, but close: an answer within 0.5 % is right.'
    >>> direction(3.99, 4.0, tolerance=1e-6)
    'too small, but close: the exact value is asked for, not a rounded one.'
    """
    if value * target < 0:
        return "the sign is not right."
    side = "too small" if value < target else "too large"
    if abs(value - target) <= max(_NEAR, 3 * tolerance) * abs(target):
        asked = f"an answer within {100 * tolerance:.4g} % is right."
        if tolerance <= _EXACT:
            asked = "the exact value is asked for, not a rounded one."
        return f"{side}, but close: {asked}"
    apart = abs(value) > 10 * abs(target) or abs(target) > 10 * abs(value)
    return f"{side}, by more than a factor of ten." if apart else f"{side}."


@dataclass(frozen=True, kw_only=True)
class Choice(Exercise):
    """One letter; every wrong letter has a message of its own.

    Parameters
    ----------
    right : str
        The letter of the right option; the other letters are those of `wrong`.
    """

    right: str = field(repr=False)

    @property
    def letters(self) -> tuple[str, ...]:
        """Every option, in alphabetical order."""
        return tuple(sorted({self.right, *(wrong.answer for wrong in self.wrong)}))

    def require_form(self, answer: Any) -> None:
        """Accept one of the letters, in either case, also as it is often written: "b)"."""
        if not isinstance(answer, str) or letter_of(answer) not in self.letters:
            options = ", ".join(f'"{letter}"' for letter in self.letters)
            msg = f"one letter is wanted here, in quotes: {options}."
            raise Refusal(msg)

    def lack(self, answer: Any) -> str | None:
        """Compare with the right letter."""
        return None if self.same(answer, self.right) else "look at the other options again."

    def same(self, answer: Any, other: Any) -> bool:
        """Compare letters without case, spaces and brackets."""
        return bool(letter_of(answer) == other)


def letter_of(answer: str) -> str:
    """Return the letter of an option, bare.

    Examples
    --------
    >>> letter_of(" (B) ")
    'b'
    """
    return answer.strip(" ().").lower()


@dataclass(frozen=True, kw_only=True)
class Find(Exercise):
    """Find a value with a property: often more than one value will do.

    Parameters
    ----------
    form : callable, answer -> None
        Raises `Refusal` for a thing of the wrong kind.
    missing : callable, answer -> str or None
        A sentence on what the property lacks, or None where it holds.
    plain : callable, answer -> str, float or array
        What counts of an answer when it is compared with a known one, however it is written.
    """

    form: Callable[[Any], None] = field(repr=False)
    missing: Callable[[Any], str | None] = field(repr=False)
    plain: Callable[[Any], Any] = field(default=float, repr=False)

    def require_form(self, answer: Any) -> None:
        """Ask `form`."""
        self.form(answer)

    def lack(self, answer: Any) -> str | None:
        """Ask `missing`."""
        return self.missing(answer)

    def same(self, answer: Any, other: Any) -> bool:
        """Compare text exactly, and numbers within 0.1 percent."""
        mine, theirs = self.plain(answer), self.plain(other)
        if isinstance(mine, str):
            return bool(mine == theirs)
        return np.allclose(mine, theirs, rtol=1e-3, atol=1e-12, equal_nan=True)


@dataclass(frozen=True, kw_only=True)
class Words(Exercise):
    """A proof or an open question: the reader compares with a list.

    Parameters
    ----------
    points : tuple of str
        What a complete answer contains.
    """

    points: tuple[str, ...] = field(repr=False)

    def judge(self, answer: Any) -> Verdict:
        """Hand out the list; words are not judged by a program."""
        verdict = super().judge(answer)
        if verdict.status != "correct":
            return verdict
        points = "\n".join(f"  [ ] {point}" for point in self.points)
        return Verdict("for you to judge", f"does your answer contain this?\n{points}\n{self.then}")

    def require_form(self, answer: Any) -> None:
        """Accept text that is not empty."""
        if not isinstance(answer, str):
            msg = f"your own words are wanted here, as text in quotes, not {described(answer)}."
            raise Refusal(msg)
        if not answer.strip():
            msg = "the text is empty."
            raise Refusal(msg)

    def lack(self, answer: Any) -> str | None:
        """Find nothing missing: no program reads proofs here."""
        return None

    def same(self, answer: Any, other: Any) -> bool:
        """Compare texts."""
        return bool(answer == other)
