"""Coefficients of expansions: rationals (exact), numbers of many digits, or ranges.

A range stands for what is only bounded: a sine of something large lies in [-1, 1]. A number that
is too small beside another to be seen is never dropped: the sum becomes a range.
"""

import math
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from lengthlab.assumptions.expression import UndecidedError
from lengthlab.assumptions.workspace import mp, workspace

Real: TypeAlias = Any  # a number of mpmath, which has no types
_LARGEST_EXPONENT = 10**9
_LONGEST = 3000  # bits of a rational that is still kept exactly


class Range(NamedTuple):
    """All that is known is ``low <= coefficient <= high``."""

    low: Real
    high: Real


Coefficient: TypeAlias = Any  # Fraction | mpf | Range


def real(c: Fraction | Real) -> Real:
    """Give a rational as a number of many digits."""
    if type(c) is Fraction:
        return mp().mpf(c.numerator) / c.denominator
    return mp().mpf(c)


def ends(c: Coefficient) -> Range:
    """Least and largest value of a coefficient."""
    return c if isinstance(c, Range) else Range(real(c), real(c))


def largest(c: Coefficient) -> Real:
    """Largest absolute value."""
    low, high = ends(c)
    return max(abs(low), abs(high))


def plus(a: Coefficient, b: Coefficient) -> Coefficient:
    """Add; exactly 0 where two numbers cancel to all trusted digits."""
    if type(a) is Fraction and type(b) is Fraction:
        return _kept_short(a + b) if a and b else a or b
    if isinstance(a, Range) or isinstance(b, Range):
        a, b = ends(a), ends(b)
        return Range(a.low + b.low, a.high + b.high)
    a, b, tolerance = real(a), real(b), workspace().tolerance
    total, scale = a + b, max(abs(a), abs(b))
    if 0 < min(abs(a), abs(b)) < tolerance * scale:
        width = 4 * tolerance * abs(total)
        return Range(total - width, total + width)
    return Fraction(0) if abs(total) <= tolerance * scale else total


def times(a: Coefficient, b: Coefficient) -> Coefficient:
    """Multiply."""
    if type(a) is Fraction and type(b) is Fraction:
        return b if a == 1 else a if b == 1 else _kept_short(a * b)
    if 0 in (a, b):
        return Fraction(0)
    if isinstance(a, Range) or isinstance(b, Range):
        corners = [p * q for p in ends(a) for q in ends(b)]
        return Range(min(corners), max(corners))
    return real(a) * real(b)


def inverse(a: Coefficient) -> Coefficient:
    """1 / a."""
    if not isinstance(a, Range):
        return 1 / a
    if sign(a) is None:
        msg = "a denominator oscillates"
        raise UndecidedError(msg)
    return Range(1 / a.high, 1 / a.low)


def sign(a: Coefficient) -> int | None:
    """-1, 0 or 1; None for a range that holds 0."""
    if isinstance(a, Range):
        return 1 if a.low > 0 else -1 if a.high < 0 else None
    return int(a > 0) - int(a < 0)


def whole(p: Coefficient) -> bool:
    """Whether `p` is certainly an integer."""
    return isinstance(p, Fraction) and p.denominator == 1


def order(a: Coefficient, b: Coefficient) -> int | None:
    """Sign of a - b."""
    if type(a) is Fraction and type(b) is Fraction:
        left, right = a.numerator * b.denominator, b.numerator * a.denominator
        return int(left > right) - int(left < right)
    return sign(plus(a, times(b, Fraction(-1))))


def power(c: Coefficient, p: Coefficient) -> Coefficient:
    """c^p for a c that is not 0, and positive unless p is whole."""
    if isinstance(c, Range):
        odd = -1 if c.high < 0 and p % 2 == 1 else 1
        both = sorted(odd * abs(end) ** real(p) for end in c)
        return Range(*both)
    if isinstance(c, Fraction):
        if c == 1:
            return c
        if whole(p) and abs(p) < 200:
            return _kept_short(c ** int(p))
        if whole(2 * p) and c > 0:
            root = Fraction(math.isqrt(c.numerator), math.isqrt(c.denominator))
            if root * root == c:
                return power(root, 2 * p)
    if abs(real(p) * mp().log(abs(real(c)))) > _LARGEST_EXPONENT:
        msg = "a constant is too large"
        raise UndecidedError(msg)
    return abs(real(c)) ** real(p) * (-1 if c < 0 and p % 2 == 1 else 1)


def exp(c: Coefficient) -> Coefficient:
    """e^c."""
    if isinstance(c, Range):
        return Range(real(exp(c.low)), real(exp(c.high)))
    if c == 0:
        return Fraction(1)
    tolerance = workspace().tolerance
    if abs(real(c)) < tolerance:
        return Range(1 - 4 * tolerance, 1 + 4 * tolerance)
    if abs(c) > _LARGEST_EXPONENT:
        msg = "a constant is too large"
        raise UndecidedError(msg)
    return mp().exp(real(c))


def log(c: Coefficient) -> Coefficient:
    """Logarithm of a positive coefficient; exactly 0 where it is 1 to all trusted digits."""
    if isinstance(c, Range):
        return Range(mp().log(c.low), mp().log(c.high))
    same = c == 1 if type(c) is Fraction else abs(c - 1) <= workspace().tolerance
    return Fraction(0) if same else mp().log(real(c))


def _kept_short(c: Fraction) -> Coefficient:
    long = max(c.numerator.bit_length(), c.denominator.bit_length()) > _LONGEST
    return real(c) if long else c
