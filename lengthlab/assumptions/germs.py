"""Germs: what a function looks like close to a point, or far out.

Near a point a, from one side, put x = a + 1/X or x = a - 1/X; far out, x = X or x = -X. In all
cases X grows to infinity, and the functions of a formula are sums

    phi = c_1 m_1 + c_2 m_2 + ... + O(error),   m_1 much larger than m_2, and so on,

of monomials m = exp(Q) X^r (log X)^k (log log X)^j, where Q is such a sum itself, of terms that
grow. The leading monomial answers both questions: the order of a pole, and growth against
exp(x^2). Rules for sums, products, powers, exp and log follow from the geometric, binomial,
exponential and logarithmic series in the smaller terms.

Source: the transseries of asymptotic analysis (Hardy's "Orders of infinity", 1910, orders the
monomials), with oscillating coefficients as ranges.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Self

from lengthlab.assumptions import coefficients as co
from lengthlab.assumptions.coefficients import Coefficient, Range
from lengthlab.assumptions.expression import UndecidedError
from lengthlab.assumptions.workspace import mp, tick, workspace


class NoValueError(Exception):
    """The function has no value on this side: phi is 0 there."""


class Monomial(NamedTuple):
    """``exp(sum of exponent) X^power (log X)^log (log log X)^loglog``."""

    exponent: tuple["Term", ...] = ()
    power: Coefficient = Fraction(0)
    log: Coefficient = Fraction(0)
    loglog: Coefficient = Fraction(0)

    def times(self, other: "Monomial") -> "Monomial":
        """Product."""
        if self is ONE or other is ONE:
            return other if self is ONE else self
        powers = (co.plus(a, b) for a, b in zip(self[1:], other[1:], strict=True))
        return Monomial(_merged(self.exponent, other.exponent), *powers)

    def to(self, p: Coefficient) -> "Monomial":
        """Power."""
        exponent = tuple(Term(t.monomial, co.times(t.coefficient, p)) for t in self.exponent)
        return Monomial(exponent, *(co.times(a, p) for a in self[1:]))


class Term(NamedTuple):
    """A monomial with its coefficient."""

    monomial: Monomial
    coefficient: Coefficient


ONE = Monomial()
IDENTITY = Monomial(power=Fraction(1))
LOG = Monomial(log=Fraction(1))
LOGLOG = Monomial(loglog=Fraction(1))


def _merged(a: Sequence[Term], b: Sequence[Term], scale: int = 1) -> tuple[Term, ...]:
    """Sum (or difference, if `scale` is -1) of two sorted sums of terms."""
    result, i, j = [], 0, 0
    while i < len(a) or j < len(b):
        order = 1 if j == len(b) else -1 if i == len(a) else compare(a[i].monomial, b[j].monomial)
        c = a[i].coefficient if order >= 0 else Fraction(0)
        if order <= 0:
            c = co.plus(c, co.times(b[j].coefficient, Fraction(scale)))
        monomial = a[i].monomial if order >= 0 else b[j].monomial
        i, j = i + (order >= 0), j + (order <= 0)
        if c != 0:
            result.append(Term(monomial, c))
    return tuple(result)


def compare(a: Monomial, b: Monomial) -> int:
    """1, 0, -1 if a grows faster than b, like b, slower."""
    if a is b:
        return 0
    if (a.exponent or b.exponent) and a.exponent != b.exponent:
        difference = _merged(a.exponent, b.exponent, -1)
        if difference:
            return _certain(co.sign(difference[0].coefficient))
    for p, q in zip(a[1:], b[1:], strict=True):
        if p is not q and (order := _certain(co.order(p, q))):
            return order
    return 0


def _certain(sign: int | None) -> int:
    if sign is None:
        msg = "two terms are too close to tell which is larger"
        raise UndecidedError(msg)
    return sign


def fastest(monomials: Iterable[Monomial | None]) -> Monomial | None:
    """Give the monomial that grows fastest; None if there is none."""
    known = [m for m in monomials if m is not None]
    return max(known, key=functools.cmp_to_key(compare)) if known else None


def _falling(a: Term, b: Term) -> int:
    return compare(b.monomial, a.monomial)


_FALLING = functools.cmp_to_key(_falling)


@dataclass(frozen=True)
class Germ:
    """Terms in falling order, and a monomial that bounds the rest (None: there is no rest)."""

    terms: tuple[Term, ...] = ()
    error: Monomial | None = None

    @classmethod
    def of(cls, terms: Iterable[Term], error: Monomial | None = None) -> Self:
        """Sort and collect terms; keep as many as the workspace wants."""
        tick()
        kept: list[Term] = []
        for term in sorted(terms, key=_FALLING):
            if error is not None and compare(term.monomial, error) <= 0:
                break
            total = term.coefficient
            if kept and compare(kept[-1].monomial, term.monomial) == 0:
                total = co.plus(kept.pop().coefficient, total)
            kept.append(Term(term.monomial, total))
        kept = [term for term in kept if term.coefficient != 0]
        most = workspace().terms
        return cls(tuple(kept[:most]), kept[most].monomial if len(kept) > most else error)

    @classmethod
    def constant(cls, c: Coefficient) -> Self:
        """Give the germ of a constant."""
        return cls((Term(ONE, c),)) if c != 0 else cls()

    @property
    def leading(self) -> Monomial | None:
        """Give a monomial that bounds the germ; None if it is exactly 0."""
        return self.terms[0].monomial if self.terms else self.error

    @property
    def sign(self) -> int | None:
        """-1, 0 or 1: the sign in the end; None where it oscillates or is not known."""
        if not self.terms:
            return 0 if self.error is None else None
        return co.sign(self.terms[0].coefficient)

    @property
    def tends_to_zero(self) -> bool:
        """Whether the limit is 0."""
        return self.leading is None or compare(self.leading, ONE) < 0

    def __add__(self, other: "Germ") -> "Germ":
        return Germ.of(self.terms + other.terms, fastest((self.error, other.error)))

    def __neg__(self) -> "Germ":
        return self.scaled(Fraction(-1))

    def __sub__(self, other: "Germ") -> "Germ":
        return self + -other

    def __mul__(self, other: "Germ") -> "Germ":
        if self.leading is None or other.leading is None:
            return Germ()
        errors = [
            a.error.times(b.leading) if a.error is not None and b.leading is not None else None
            for a, b in ((self, other), (other, self))
        ]
        products = [
            Term(a.monomial.times(b.monomial), co.times(a.coefficient, b.coefficient))
            for a in self.terms
            for b in other.terms
        ]
        return Germ.of(products, fastest(errors))

    def scaled(self, c: Coefficient, monomial: Monomial = ONE) -> "Germ":
        """c times the germ times a monomial."""
        return self * Germ((Term(monomial, c),))

    def factored(self) -> tuple[Coefficient, Monomial, "Germ"]:
        """Give c, m and e of self = c m (1 + e), where e tends to 0."""
        if not self.terms:
            if self.error is None:
                raise NoValueError
            msg = "terms cancel further than the expansion goes"
            raise UndecidedError(msg)
        (m, c), rest = self.terms[0], Germ(self.terms[1:], self.error)
        return c, m, rest.scaled(co.inverse(c), m.to(Fraction(-1)))

    def split(self) -> tuple[tuple[Term, ...], Coefficient, "Germ"]:
        """Terms that grow, the constant, and what tends to 0."""
        orders = [compare(t.monomial, ONE) for t in self.terms]
        growing = tuple(t for t, order in zip(self.terms, orders, strict=True) if order > 0)
        small = tuple(t for t, order in zip(self.terms, orders, strict=True) if order < 0)
        constant = [t.coefficient for t, o in zip(self.terms, orders, strict=True) if o == 0]
        return growing, (constant[0] if constant else Fraction(0)), Germ(small, self.error)


def length() -> int:
    """Coefficients that a series needs, for germs as long as the workspace wants."""
    return workspace().terms + 2


def series(taylor: Sequence[Coefficient], small: Germ) -> Germ:
    """Sum of taylor[j] small^j, for a germ that tends to 0."""
    if small.leading is None:
        return Germ.constant(taylor[0])
    result = Germ.constant(taylor[-1]) + Germ((), small.leading)
    for c in reversed(taylor[:-1]):
        result = result * small + Germ.constant(c)
    return result


def inverse(a: Germ) -> Germ:
    """1 / a."""
    return power(a, Fraction(-1))


def power(a: Germ, p: Coefficient) -> Germ:
    """a^p for a number p."""
    if co.whole(p) and 0 <= p <= 4:
        if p == 2 and len(a.terms) == 1 and a.sign is None:
            return _square_of_range(a)
        factors = [a] * int(p)
        return functools.reduce(lambda product, f: product * f, factors, Germ.constant(Fraction(1)))
    if p > 0 and a.leading is None:
        return Germ()
    if p > 0 and a.sign is None and a.leading is not None:
        return Germ((), a.leading.to(p))
    c, m, small = a.factored()
    if co.sign(c) is None:
        msg = "the base of a power oscillates"
        raise UndecidedError(msg)
    if a.sign == -1 and not co.whole(p):
        raise NoValueError
    binomial = [Fraction(1)]
    for j in range(length() - 1):
        factor = co.times(co.plus(p, Fraction(-j)), Fraction(1, j + 1))
        binomial.append(co.times(binomial[-1], factor))
    return series(binomial, small).scaled(co.power(c, p), m.to(p))


def _square_of_range(a: Germ) -> Germ:
    (m, c), square = a.terms[0], a.terms[0].monomial.to(Fraction(2))
    error = None if a.error is None else m.times(a.error)
    return Germ.of([Term(square, Range(mp().mpf(0), co.largest(c) ** 2))], error)


def exp(a: Germ) -> Germ:
    """exp(a). Where a oscillates without bound, only an upper bound is known."""
    growing, c, small = a.split()
    if small.error is not None and compare(small.error, ONE) > 0:
        msg = "an exponent is not known well enough"
        raise UndecidedError(msg)
    oscillates = any(isinstance(t.coefficient, Range) for t in growing)
    tops = [Term(m, v.high if isinstance(v, Range) else v) for m, v in growing]
    powers = {LOG: Fraction(0), LOGLOG: Fraction(0)}
    exponent = []
    for term in tops:
        twin = next((m for m in powers if compare(m, term.monomial) == 0), None)
        if twin is not None:
            powers[twin] = term.coefficient
        elif term.coefficient != 0:
            exponent.append(term)
    m = Monomial(tuple(exponent), powers[LOG], powers[LOGLOG])
    if (small.error is not None and compare(small.error, ONE) == 0) or co.largest(c) > 10**9:
        return Germ((), m)
    value = co.exp(c)
    if oscillates:
        value = Range(mp().mpf(0), co.ends(value).high)
    taylor = [Fraction(1)]
    for j in range(1, length()):
        taylor.append(taylor[-1] / j)
    return series(taylor, small).scaled(value, m)


def log(a: Germ) -> Germ:
    """log(a)."""
    c, m, small = a.factored()
    if co.sign(c) is None or m.loglog != 0:
        msg = "the logarithm of what oscillates" if co.sign(c) is None else "logarithms too deep"
        raise UndecidedError(msg + " is not looked into")
    if a.sign == -1:
        raise NoValueError
    taylor = [Fraction(0), *(Fraction((-1) ** (j + 1), j) for j in range(1, length()))]
    large = [*m.exponent, Term(LOG, m.power), Term(LOGLOG, m.log), Term(ONE, co.log(c))]
    return series(taylor, small) + Germ.of(large)
