"""What a reader may predict: a question, and which numbers can be its answer.

A guess may be wrong, and most are. One that no network could ever give, such as a correlation of
1.5, is a slip of the pen or a misread question: it is refused with a sentence, and not recorded.
"""

import math
from dataclasses import dataclass
from typing import Any

from lengthlab.exercises.kinds import Refusal, require_number


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A kind of number, with its range.

    Parameters
    ----------
    name : str
        With its article, as in "a correlation".
    low, high : float
        The smallest and the largest value that it can have.
    whole : bool
        Whether only whole numbers occur.
    """

    name: str
    low: float
    high: float = math.inf
    whole: bool = False

    def require(self, guess: Any) -> float:
        """Return `guess` as a float of this kind.

        Parameters
        ----------
        guess : object
            What a reader wrote, bare of its wrapping.

        Returns
        -------
        float
            The guess.

        Raises
        ------
        Refusal
            If it is no finite number, or none of this kind; the sentence says which are possible.

        Examples
        --------
        >>> CORRELATION.require(0.3)
        0.3
        >>> CORRELATION.require(1.5)
        Traceback (most recent call last):
        ...
        lengthlab.exercises.kinds.Refusal: a correlation is a number from -1 to 1; 1.5 is not.
        >>> WIDTH.require(0.5)
        Traceback (most recent call last):
        ...
        lengthlab.exercises.kinds.Refusal: a width is a whole number, 1 or more; 0.5 is not.
        """
        require_number(guess)
        value = float(guess)
        if self.low <= value <= self.high and (not self.whole or value.is_integer()):
            return value
        number = "a whole number" if self.whole else "a number"
        bounded = f" from {self.low:g} to {self.high:,.6g}"
        span = f", {self.low:g} or more" if math.isinf(self.high) else bounded
        msg = f"{self.name} is {number}{span}; {value:,.10g} is not."
        raise Refusal(msg)


CORRELATION = Quantity(name="a correlation", low=-1, high=1)
LAYER = Quantity(name="the number of a layer", low=1, whole=True)
LENGTH = Quantity(name="a squared length", low=0)
RATIO = Quantity(name="a ratio of standard deviations", low=0)
SHARE = Quantity(name="a share (50 % is 0.5)", low=0, high=1)
WIDTH = Quantity(name="a width", low=1, whole=True)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A question that is asked before its answer is shown.

    Parameters
    ----------
    id : str
        ``lesson.number``, as in the notebook.
    title : str
        The quantity, in a few words.
    quantity : Quantity
        What kind of number it is.
    """

    id: str
    title: str
    quantity: Quantity
