"""Polynomials with rational coefficients: exact arithmetic, and real roots."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from lengthlab.formula.tree import Node

HIGHEST = 20
"""Degree up to which a tree is taken for a polynomial."""

Coefficients: TypeAlias = list[Fraction]
"""Of 1, x, x^2, ...; the last one is not 0, unless it is alone."""


def polynomial(tree: Node) -> Coefficients | None:
    """Coefficients of 1, x, x^2, ... if the tree is such a polynomial, else None.

    Examples
    --------
    >>> from lengthlab.formula.tree import parse
    >>> [str(c) for c in polynomial(parse("(x - 1)^2 - x/4"))]
    ['1', '-9/4', '1']
    """
    if tree.op == "number":
        return [tree.value or Fraction(0)]
    if tree.op == "x":
        return [Fraction(0), Fraction(1)]
    if tree.op not in ("neg", "+", "-", "*", "/", "**"):
        return None
    parts = [polynomial(arg) for arg in tree.args]
    known = [part for part in parts if part is not None]
    return _combine(tree.op, *known) if len(known) == len(parts) else None


def _combine(op: str, p: Coefficients, q: Coefficients | None = None) -> Coefficients | None:
    if q is None:
        return [-c for c in p]
    if op in "+-":
        return _sum(p, q if op == "+" else [-c for c in q])
    if op == "*":
        return _product(p, q) if len(p) + len(q) <= HIGHEST + 2 else None
    if len(q) > 1 or (op == "/" and q[0] == 0):
        return None
    if op == "/":
        return [c / q[0] for c in p]
    exponent = q[0]
    if exponent.denominator != 1 or not 0 <= exponent * max(len(p) - 1, 1) <= HIGHEST:
        return None
    power = [Fraction(1)]
    for _ in range(int(exponent)):
        power = _product(power, p)
    return power


def _trimmed(p: Coefficients) -> Coefficients:
    while len(p) > 1 and p[-1] == 0:
        p = p[:-1]
    return p


def _sum(p: Coefficients, q: Coefficients) -> Coefficients:
    length = max(len(p), len(q))
    p, q = (c + [Fraction(0)] * (length - len(c)) for c in (p, q))
    return _trimmed([a + b for a, b in zip(p, q, strict=True)])


def _product(p: Coefficients, q: Coefficients) -> Coefficients:
    product = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            product[i + j] += a * b
    return _trimmed(product)


def _divide(p: Coefficients, q: Coefficients) -> tuple[Coefficients, Coefficients]:
    """Quotient and remainder."""
    quotient = [Fraction(0)] * max(1, len(p) - len(q) + 1)
    rest = list(p)
    for shift in range(len(p) - len(q), -1, -1):
        factor = rest[shift + len(q) - 1] / q[-1]
        quotient[shift] = factor
        for i, c in enumerate(q):
            rest[shift + i] -= factor * c
    return _trimmed(quotient), _trimmed(rest[: max(1, len(q) - 1)])


def _simplified(p: Coefficients) -> Coefficients:
    """Polynomial with the same zeros, all simple: p / gcd(p, p').

    Euclid's algorithm, on integers without a common factor: as fractions the coefficients of a
    high degree would grow out of hand.
    """
    a, b = _integers(p), _integers([k * c for k, c in enumerate(p)][1:])
    while any(b):
        while len(a) >= len(b):
            shift, first, last = len(a) - len(b), b[-1], a[-1]
            a = [first * c for c in a]
            for i, c in enumerate(b):
                a[shift + i] -= last * c
            a.pop()  # which is 0 now
        a, b = b, _integers([Fraction(c) for c in a])
    return _divide(p, [Fraction(c) for c in a])[0]


def _integers(p: Coefficients) -> list[int]:
    """Multiple of a polynomial with the smallest integers; the last one is not 0."""
    p = _trimmed(p)
    denominator = math.lcm(*(c.denominator for c in p))
    whole = [int(c * denominator) for c in p]
    shared = math.gcd(*whole) or 1
    return [c // shared for c in whole]


def real_roots(p: Coefficients) -> Iterator[tuple[float, Fraction | None]]:
    """Real roots of a polynomial, with the exact value of the rational ones.

    Examples
    --------
    >>> from lengthlab.formula.tree import parse
    >>> sorted(real_roots(polynomial(parse("(x^2 + 2)*(x - 2)^2*(x - 1/3)"))))
    [(0.3333333333333333, Fraction(1, 3)), (2.0, Fraction(2, 1))]
    """
    if len(p) == 1:
        return
    p = _simplified(p)
    if len(p) == 2:
        exact = -p[0] / p[1]
        yield float(exact), exact
        return
    largest = max(map(abs, p))
    for root in np.roots([float(c / largest) for c in reversed(p)]):
        if abs(root.imag) < 1e-9 * abs(root):
            near = Fraction(float(root.real)).limit_denominator(10**4)
            rational = sum(c * near**k for k, c in enumerate(p)) == 0
            yield (float(near), near) if rational else (float(root.real), None)
        elif root == 0:
            yield 0.0, Fraction(0)
