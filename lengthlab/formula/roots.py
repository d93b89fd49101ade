"""Zeros of a tree: exactly for polynomials, else by a scan of the line.

A scan sees changes of sign, and places where the absolute value dips without one. It may miss
zeros that are close together and far from 0; nothing is concluded from a zero that is not found.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.formula.polynomials import polynomial, real_roots
from lengthlab.formula.tree import Node, constant
from lengthlab.formula.values import Values

MOST = 64
"""Zeros of one function that are kept: a sine has more."""

_HALF = np.concatenate(
    [np.geomspace(1e-9, 1 / 64, 120), np.arange(2, 1025) / 64, np.geomspace(16.1, 1e7, 700)]
)
_GRID = np.concatenate([-_HALF[::-1], [0.0], _HALF])


@dataclass(frozen=True)
class Root:
    """A zero: a float, the function it is a zero of, and its exact value if it is rational."""

    location: float
    of: Node
    exact: Fraction | None = None


def zeros(tree: Node) -> list[Root]:
    """Find zeros of the tree, of a product those of its factors, of a power those of its base."""
    match tree.op:
        case "x":
            return [Root(0.0, tree, Fraction(0))]
        case "neg" | "abs" | "sqrt" | "cbrt" | "sinh" | "arcsinh" | "tanh" | "arctan" | "erf":
            return zeros(tree.args[0])
        case "arcsin" | "arctanh" | "expm1" | "log1p" | "sign":
            return zeros(tree.args[0])
        case "**" | "/":
            return zeros(tree.args[0])
        case "*":
            return [root for arg in tree.args for root in zeros(arg)]
        case "log":
            return zeros(Node("-", (tree.args[0], constant(1))))
        case "exp" | "number" | "pi" | "e" | "normcdf" | "erfc" | "cosh":
            return []
    coefficients = polynomial(tree)
    if coefficients is not None:
        return [Root(x, tree, exact) for x, exact in real_roots(coefficients)]
    return [Root(float(x), tree) for x in _scan(Values(tree))] if varies(tree) else []


def remoteness(x: Any) -> Any:
    """How far a number is from 1 in size; 0 comes first."""
    size = np.maximum(np.abs(x), 1e-300)
    return np.where(np.equal(x, 0), 0.0, np.maximum(size, 0.1 / size))


def varies(tree: Node) -> bool:
    """Whether x occurs in the tree."""
    return tree.op == "x" or any(map(varies, tree.args))


def jumps(tree: Node) -> list[Root]:
    """Find where a piecewise constant tree jumps."""
    values = Values(tree)
    f = values.or_nan(_GRID)
    change = np.flatnonzero(f[:-1] != f[1:])
    change = _nearest(change)[:MOST]
    low, high = _GRID[change], _GRID[change + 1]
    at_low = f[change]
    for _ in range(64):
        middle = (low + high) / 2
        left = values.or_nan(middle) == at_low
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    rounder = [
        min(pair, key=lambda x: len(repr(x)))
        for pair in zip(low.tolist(), high.tolist(), strict=True)
    ]
    return [Root(x, tree, Fraction(x)) for x in rounder]


def _scan(values: Values) -> Array:
    """Zeros that a grid shows, nearest to 1 in size first: the others may be without end."""
    with np.errstate(all="ignore"):
        f = values.or_nan(_GRID)
    size = np.abs(f)
    alone = (np.roll(f, 1) != 0) & (np.roll(f, -1) != 0)
    at_zero = np.flatnonzero((f == 0) & (alone | (_GRID == 0)))  # 1 - exp(-x^2) is 0 around 0
    change = np.flatnonzero(np.sign(f[:-1]) * np.sign(f[1:]) < 0)
    dip = (size[1:-1] < size[:-2]) & (size[1:-1] < size[2:]) & (np.sign(f[:-2]) == np.sign(f[2:]))
    dips = np.flatnonzero(dip & (size[1:-1] > 0)) + 1
    change = _nearest(change)[: 2 * MOST]
    dips = dips[np.argsort(remoteness(_GRID[dips]))[:MOST]]
    found = np.concatenate(
        [
            _GRID[at_zero],
            _bisect(values, _GRID[change], _GRID[change + 1]),
            _descend(values, _GRID[dips - 1], _GRID[dips + 1]),
        ]
    )
    return found[np.argsort(remoteness(found))][:MOST]


def _nearest(panels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Panels of the grid, given by their left ends, by the nearer end."""
    ends = np.minimum(remoteness(_GRID[panels]), remoteness(_GRID[panels + 1]))
    return panels[np.argsort(ends, kind="stable")]


def _bisect(values: Values, low: Array, high: Array) -> Array:
    """Where the sign changes between `low` and `high`, but not through infinity."""
    at_low, at_high = values.or_nan(low), values.or_nan(high)
    before = np.maximum(np.abs(at_low), np.abs(at_high))
    for _ in range(64):
        middle = (low + high) / 2
        at_middle = values.or_nan(middle)
        left = np.sign(at_middle) == np.sign(at_low)
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    after = np.minimum(np.abs(values.or_nan(low)), np.abs(values.or_nan(high)))
    with np.errstate(invalid="ignore"):
        return high[after <= before]


def _descend(values: Values, low: Array, high: Array) -> Array:
    """Where the absolute value dips to nothing between `low` and `high` (golden section)."""
    ratio = (5**0.5 - 1) / 2
    before = np.minimum(np.abs(values.or_nan(low)), np.abs(values.or_nan(high)))
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        less = np.abs(values.or_nan(left)) < np.abs(values.or_nan(right))
        low, high = np.where(less, low, left), np.where(less, right, high)
    with np.errstate(invalid="ignore"):
        return low[np.abs(values.or_nan(low)) < 1e-10 * before]
