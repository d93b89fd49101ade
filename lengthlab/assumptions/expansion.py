"""Germs of expressions: the expansion of a formula at a point, from one side, or far out."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from lengthlab.assumptions import coefficients as co
from lengthlab.assumptions import germs
from lengthlab.assumptions.algebra import smooth
from lengthlab.assumptions.coefficients import Coefficient, Range, Real
from lengthlab.assumptions.enclosure import Interval, enclose
from lengthlab.assumptions.expression import Expression, UndecidedError, as_power
from lengthlab.assumptions.germs import IDENTITY, ONE, Germ, NoValueError, Term, compare, series
from lengthlab.assumptions.workspace import OutOfTimeError, changed, mp, workspace

INF = math.inf


def germ_at(t: Expression, point: Coefficient, side: int) -> Germ:
    """Germ of `t` at `point` (inf: far out) on one side (1: right, -1: left).

    Raises
    ------
    NoValueError
        If `t` has no value on that side.
    UndecidedError
        If its expansion is not found.
    """
    unit = Term(IDENTITY.to(Fraction(-1)), Fraction(side))
    x = Germ((Term(IDENTITY, Fraction(side)),))
    if point != INF:
        x = Germ((*Germ.constant(point).terms, unit))
    near = _neighbourhood(point, side)
    result = Germ()
    for terms in (7, 16):
        with changed(terms=terms):
            expansion = _Expansion(x, near)
            try:
                result = expansion.of(t)
            except OutOfTimeError:
                raise
            except UndecidedError:
                if terms == 16:
                    raise
                continue
        if expansion.partial:
            result = result.scaled(_range(0, 1))
        if result.terms or result.error is None:
            break
    return result


def _neighbourhood(point: Coefficient, side: int) -> Interval:
    """Give an interval that reaches to the point; bounds on it hold near the point."""
    if point == INF:
        return (1e3, INF) if side > 0 else (-INF, -1e3)
    centre = float(point)
    near = centre - side * (abs(centre) * 1e-14 + 1e-320)
    far = centre + side * 1e-6 * (1 + abs(centre))
    return min(near, far), max(near, far)


class _Expansion:
    """Germs of an expression and its parts, at one point.

    It is `partial` if a part may have no value where its germ has one: then phi, which is 0 there,
    is only known to lie between 0 and its germ.
    """

    def __init__(self, x: Germ, near: Interval) -> None:
        self.x, self.near, self.partial = x, near, False
        self.known: dict[Expression, Germ | Exception] = {}

    def of(self, t: Expression) -> Germ:
        if t not in self.known:
            self.known[t] = self._found(t)
        found = self.known[t]
        if isinstance(found, Exception):
            raise found
        return found

    def _found(self, t: Expression) -> Germ | Exception:
        try:
            return self._expanded(t)
        except OutOfTimeError:
            raise
        except NoValueError as nothing:
            return nothing
        except UndecidedError as unknown:  # what is bounded near the point is at least a range
            bounds = enclose(t, *self.near)
            if bounds is None or max(map(abs, bounds)) == INF or t.op in ("+", "log"):
                return unknown  # terms that cancel may be told apart by a longer expansion
            self.partial = self.partial or not smooth(t)
            return Germ.constant(_range(*bounds))

    def _expanded(self, t: Expression) -> Germ:
        match t.op:
            case "x":
                return self.x
            case "number":
                return Germ.constant(t.value)
            case "pi":
                return Germ.constant(+mp().pi)
            case "+":
                return sum(map(self.of, t.args), Germ())
            case "*":
                return math.prod(map(self.of, t.args), start=Germ.constant(Fraction(1)))
            case "**" if as_power(t)[0] != t:
                base, p = self.of(t.args[0]), t.args[1].value
                self.partial = self.partial or (base.sign is None and not co.whole(p))
                return germs.power(base, p)
            case "**":
                return self._general_power(*map(self.of, t.args))
            case "switch":
                return self._switch(t)
        return _FUNCTIONS[t.op](*map(self.of, t.args))

    def _general_power(self, base: Germ, exponent: Germ) -> Germ:
        terms = exponent.terms
        if exponent.error is None and (not terms or (len(terms) == 1 and terms[0].monomial == ONE)):
            c = terms[0].coefficient if terms else Fraction(0)
            if not isinstance(c, Range):
                return germs.power(base, c)
        if base.leading is None:  # 0^b is 0 for b > 0, and has no value for b < 0
            if exponent.sign == -1:
                raise NoValueError
            if exponent.sign is None:
                msg = "0 to a power that oscillates is not looked into"
                raise UndecidedError(msg)
            return Germ()
        if base.sign == -1:  # has values at isolated points, where b is whole; this bounds them
            self.partial = True
            return Germ((), germs.exp(exponent * germs.log(-base)).leading)
        return germs.exp(exponent * germs.log(base))

    def _switch(self, t: Expression) -> Germ:
        sign = self.of(t.args[0]).sign
        if sign is not None:
            return self.of(t.args[2 + sign])
        return _hull([self._or_zero(branch) for branch in t.args[1:]])

    def _or_zero(self, t: Expression) -> Germ:
        try:
            return self.of(t)
        except NoValueError:
            self.partial = True
            return Germ()


def _hull(choices: list[Germ]) -> Germ:
    """Germ of a function that is one or the other of `choices`, nobody knows where."""
    m = germs.fastest(g.leading for g in choices)
    if m is None:
        return Germ()
    ranges, rest = [], []
    for g in choices:
        if not g.terms and g.error is not None and compare(g.error, m) == 0:
            return Germ((), m)
        leads = bool(g.terms) and compare(g.terms[0].monomial, m) == 0
        ranges.append(co.ends(g.terms[0].coefficient if leads else Fraction(0)))
        rest.append(Germ(g.terms[1:], g.error).leading if leads else g.leading)
    everything = Range(min(r.low for r in ranges), max(r.high for r in ranges))
    return Germ((Term(m, everything),), germs.fastest(rest))


def _range(low: Any, high: Any) -> Range:
    return Range(mp().mpf(low), mp().mpf(high))


def _bounded_by(low: Any, high: Any) -> Germ:
    return Germ.constant(_range(low, high))


def _settled(a: Germ) -> bool:
    """Whether the constant part of a germ is known as a number."""
    _, c, small = a.split()
    known = small.error is None or compare(small.error, ONE) < 0
    return known and not isinstance(c, Range)


def _wave(name: str) -> Callable[[Germ], Germ]:
    """Expand the sine or cosine: by its Taylor series, or a range where the argument grows."""

    def expand(a: Germ) -> Germ:
        growing, c, small = a.split()
        if growing or not _settled(a):
            return _bounded_by(-1, 1)
        sine, cosine = _sine(c), _cosine(c)
        cycle = [sine, cosine, -sine, -cosine]
        if name == "cos":
            cycle = [*cycle[1:], cycle[0]]
        taylor = [
            co.times(cycle[j % 4], Fraction(1, math.factorial(j))) for j in range(germs.length())
        ]
        return series(taylor, small)

    return expand


def _sine(c: Coefficient) -> Coefficient:
    if c == 0:
        return Fraction(0)
    if abs(c) < mp().sqrt(workspace().tolerance):
        msg = "a constant is too small"
        raise UndecidedError(msg)
    return _seen(mp().sin(co.real(c)), c)


def _cosine(c: Coefficient) -> Coefficient:
    return Fraction(1) if c == 0 else _seen(mp().cos(co.real(c)), c)


def _seen(value: Real, c: Coefficient) -> Coefficient:
    """0 where a zero of the sine or cosine is met to all trusted digits."""
    return Fraction(0) if abs(value) < workspace().tolerance * (1 + abs(co.real(c))) else value


def _arctan(a: Germ) -> Germ:
    growing, c, small = a.split()
    half = mp().pi / 2
    if growing and a.sign is not None:
        return Germ.constant(a.sign * half) - _arctan(germs.inverse(a))
    if growing or not _settled(a) or abs(c) > 1 / workspace().tolerance:
        return _bounded_by(-half, half)
    # 1 / (1 + (c + e)^2) as a series in e, integrated term by term.
    first, second = co.plus(Fraction(1), co.times(c, c)), co.times(Fraction(2), c)
    slope: list[Coefficient] = [co.inverse(first)]
    for j in range(1, germs.length() - 1):
        before = co.plus(co.times(second, slope[j - 1]), slope[j - 2] if j > 1 else Fraction(0))
        slope.append(co.times(-before, co.inverse(first)))
    start = Fraction(0) if c == 0 else mp().atan(co.real(c))
    taylor = [start, *(co.times(d, Fraction(1, j + 1)) for j, d in enumerate(slope))]
    return series(taylor, small)


def _erfc(a: Germ) -> Germ:
    growing, c, small = a.split()
    if (growing and a.sign is None) or (not growing and not _settled(a)):
        return _bounded_by(0, 2)
    if (a.sign if growing else co.sign(c)) == -1:
        return Germ.constant(Fraction(2)) - _erfc(-a)
    taylor: list[Coefficient]
    if growing:  # exp(-a^2) / (a sqrt(pi)) (1 - 1/(2 a^2) + 3/(4 a^4) - ...)
        square, taylor = a * a, [Fraction(1)]
        for j in range(1, germs.length()):
            taylor.append(taylor[-1] * Fraction(1 - 2 * j, 2))
        tail = series(taylor, germs.inverse(square))
        return (germs.exp(-square) * germs.inverse(a) * tail).scaled(1 / mp().sqrt(mp().pi))
    # The derivative y solves y' = -2 (c + e) y.
    y: list[Coefficient] = [co.times(-2 / mp().sqrt(mp().pi), co.exp(-co.times(c, c)))]
    for j in range(germs.length() - 2):
        before = co.plus(co.times(c, y[j]), y[j - 1] if j else Fraction(0))
        y.append(co.times(before, Fraction(-2, j + 1)))
    start = Fraction(1) if c == 0 else mp().erfc(co.real(c))
    return series([start, *(co.times(d, Fraction(1, j + 1)) for j, d in enumerate(y))], small)


def _arcsinh(a: Germ) -> Germ:
    if a.sign is None:
        msg = "arcsinh of what oscillates is not looked into"
        raise UndecidedError(msg)
    if a.sign < 0:
        return -_arcsinh(-a)
    root = germs.power(Germ.constant(Fraction(1)) + a * a, Fraction(1, 2))
    return germs.log(a + root)


def _abs(a: Germ) -> Germ:
    if a.sign is not None:
        return -a if a.sign < 0 else a
    if not a.terms:
        return a
    m, c = a.terms[0]
    rest = Germ(a.terms[1:], a.error).leading
    return Germ((Term(m, Range(mp().mpf(0), co.largest(c))),), rest)


def _max(a: Germ, b: Germ) -> Germ:
    sign = (a - b).sign
    if sign is None:
        return _hull([a, b])
    return a if sign >= 0 else b


def _floor(a: Germ) -> Germ:
    growing, c, small = a.split()
    if growing or not _settled(a):
        low, high = co.ends(c)
        error = a.error if a.error is not None and compare(a.error, ONE) >= 0 else None
        return Germ(growing, error) + Germ.constant(Range(low - 2, high + 1))
    nearest = mp().nint(co.real(c))
    if abs(co.real(c) - nearest) > workspace().tolerance * (1 + abs(nearest)):
        return Germ.constant(Fraction(int(mp().floor(co.real(c)))))
    if small.sign is None:
        return _bounded_by(nearest - 1, nearest)
    return Germ.constant(Fraction(int(nearest) - (small.sign < 0)))


_FUNCTIONS: dict[str, Callable[..., Germ]] = {
    "exp": germs.exp,
    "log": germs.log,
    "sin": _wave("sin"),
    "cos": _wave("cos"),
    "arctan": _arctan,
    "arcsinh": _arcsinh,
    "erfc": _erfc,
    "abs": _abs,
    "max": _max,
    "floor": _floor,
}
