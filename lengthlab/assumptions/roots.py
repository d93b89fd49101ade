"""All zeros of a function on an interval, certified.

Where bounds exclude 0 there is no zero. Otherwise, by Rolle's theorem: between neighbouring zeros
of the derivative, g is monotone and has one zero or none, as the signs at the ends tell. The zeros
of the derivative are found in the same way. An end may be a point where g is singular, or infinity:
the sign there is the sign of its germ.
"""

import itertools
import math
from fractions import Fraction
from typing import Any, TypeAlias

from lengthlab.assumptions.algebra import derivative
from lengthlab.assumptions.coefficients import Real, real
from lengthlab.assumptions.enclosure import above, below, enclose, excludes_zero
from lengthlab.assumptions.evaluation import value
from lengthlab.assumptions.expansion import germ_at
from lengthlab.assumptions.expression import ZERO, Expression, UndecidedError, subtrees, varies
from lengthlab.assumptions.germs import NoValueError
from lengthlab.assumptions.hazards import zero_sources
from lengthlab.assumptions.workspace import mp, tick, workspace

INF = math.inf
Point: TypeAlias = Any  # Fraction, mpf, or an infinite float
_DEEPEST, _LONGEST = 4, 250
_SIMPLE = 5040  # a zero that is a fraction with a divisor of this is taken as that fraction


def zeros(g: Expression, a: Point, b: Point, depth: int = _DEEPEST) -> list[Point]:
    """Zeros of a function without branches in [a, b], in rising order.

    Raises
    ------
    UndecidedError
        If it is not certain that these are all.
    """
    tick()
    if excludes_zero(enclose(g, below(_float(a)), above(_float(b)))):
        return []
    if not varies(g):
        msg = f"{g} may be 0 everywhere"
        raise UndecidedError(msg)
    sources = zero_sources(g)
    if sources != [g]:
        return sorted({z for source in sources for z in zeros(source, a, b, depth)}, key=real)
    slope = derivative(g)
    if depth == 0 or sum(1 for _ in subtrees(slope)) > _LONGEST:
        msg = f"the zeros of {g} are not isolated"
        raise UndecidedError(msg)
    flat = slope == ZERO  # then g is constant, and the sign of its germ decides
    turning = set() if flat else set(zeros(slope, a, b, depth - 1))
    corners = sorted({a, b, *(z for z in turning if real(a) < real(z) < real(b))}, key=real)
    found: set[Point] = set()
    for low, high in itertools.pairwise(corners):
        found |= _on_monotone_piece(g, slope, low, high)
    return sorted(found, key=real)


def _float(a: Point) -> float:
    try:
        return float(a)
    except OverflowError:
        return INF if a > 0 else -INF


def _on_monotone_piece(g: Expression, slope: Expression, low: Point, high: Point) -> set[Point]:
    signs, found = [], set()
    for end, side in ((low, 1), (high, -1)):
        try:
            germ = germ_at(g, INF, -side) if abs(end) == INF else germ_at(g, end, side)
        except NoValueError:
            msg = f"{g} has no value near {end}"
            raise UndecidedError(msg) from None
        if germ.sign is None or germ.sign == 0:
            msg = f"the sign of {g} is not certain"
            raise UndecidedError(msg)
        signs.append(germ.sign)
        if abs(end) != INF and germ.tends_to_zero:
            found.add(end)
    if signs[0] != signs[1]:
        found.add(_Crossing(g, slope, signs[0]).between(real(low), real(high)))
    return found


class _Crossing:
    """The zero of a monotone function that has the given sign on its left."""

    def __init__(self, g: Expression, slope: Expression, left: int) -> None:
        self.g, self.slope, self.left = g, slope, left

    def side(self, x: Real) -> int:
        """-1 left of the zero, 1 right of it, 0 at it."""
        v = value(self.g, x)
        if v is None:
            msg = f"{self.g} has no value where a zero is looked for"
            raise UndecidedError(msg)
        return -self.left if v > 0 else self.left if v < 0 else 0

    def between(self, a: Real, b: Real) -> Point:
        a, b = self._finite(a, b)
        for _ in range(400):
            middle = _middle(a, b)
            side = self.side(middle)
            a, b = (middle if side <= 0 else a), (middle if side >= 0 else b)
            if abs(b - a) < mp().mpf(10) ** -20 * abs(middle):
                break
        return self._confirmed(self._refined((a + b) / 2), a, b)

    def _finite(self, a: Real, b: Real) -> tuple[Real, Real]:
        """Pull infinite ends in, to where the sign is that of the end."""
        if b == INF:
            b = max(mp().mpf(2), 2 * abs(a)) if a != -INF else mp().mpf(2)
            b = self._reaching(b, 1)
        if a == -INF:
            a = self._reaching(min(mp().mpf(-2), -2 * abs(b)), -1)
        return a, b

    def _reaching(self, x: Real, side: int) -> Real:
        for _ in range(60):
            if self.side(x) == side:
                return x
            x *= 4
        msg = f"a zero of {self.g} is too far away"
        raise UndecidedError(msg)

    def _refined(self, x: Real) -> Real:
        """Newton's method."""
        for _ in range(12):
            v, d = value(self.g, x), value(self.slope, x)
            if not v or not d:
                break
            x -= v / d
            if abs(v / d) < workspace().tolerance * abs(x):
                break
        return x

    def _confirmed(self, x: Real, a: Real, b: Real) -> Point:
        """Give the zero, if it is between a and b and the sign changes very close to it."""
        step = (abs(x) or 1) * mp().sqrt(workspace().tolerance)
        inside = a - step <= x <= b + step
        if not inside or self.side(x - step) >= 0 or self.side(x + step) <= 0:
            msg = f"a zero of {self.g} is not confirmed"
            raise UndecidedError(msg)
        nearest = mp().nint(x * _SIMPLE)
        close = abs(x * _SIMPLE - nearest) <= 99 * workspace().tolerance * abs(nearest)
        return Fraction(int(nearest), _SIMPLE) if nearest and close else x


def _middle(a: Real, b: Real) -> Real:
    """Geometric mean where the ends differ in magnitude, else the arithmetic one."""
    if a < 0 < b:
        return mp().mpf(0)
    if a == 0 or b == 0:
        return (a + b) / 65536
    if max(abs(a), abs(b)) > 4 * min(abs(a), abs(b)):
        return mp().sqrt(a * b) * mp().sign(a)
    return (a + b) / 2
