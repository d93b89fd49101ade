"""Kinks and poles of a formula: where an integral over it is split, and where it is infinite.

The tree shows the candidates: zeros of what is in ``abs``, ``max``, a comparison, a denominator, a
logarithm, ... Around those where phi might be unbounded its size is followed down to a distance of
2^-256, in digits enough. A pole is declared with an order only if |phi| was seen to grow there like
a power or a logarithm of the distance; a wrong one would make a finite integral infinite. All other
candidates are kinks, which do no harm where phi is smooth.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

from lengthlab.activations import Pole
from lengthlab.formula.precise import BITS, OutOfReachError, Precise
from lengthlab.formula.roots import MOST, Root, jumps, remoteness, varies, zeros
from lengthlab.formula.tree import Node, constant

MOST_ORDERS = 8
"""Holes that are looked into, nearest to 1 in size first."""

MOST_WORK = 400
"""Operations of all functions that are scanned for zeros."""

_PIECES = {"abs", "max", "min", "where", "step", "sign", "floor", "ceil", "trunc", "rint"}
_DISTANCES = (32, 64, 128, 256)  # powers of 1/2
_STRETCHES = (Fraction(1), Fraction(6, 5), Fraction(3, 2), Fraction(9, 5))
_LEAST = 0.25  # bits that a logarithm, or its fourth root, gains from one distance to the next


def breaks(tree: Node) -> tuple[tuple[float, ...], tuple[Pole, ...]]:
    """Kinks and poles of phi.

    Parameters
    ----------
    tree : Node

    Returns
    -------
    tuple of float, tuple of Pole
        The 64 kinks and 8 poles that are nearest to 1 in size, where there are more (``tan``). The
        order of a pole is nan where it is not a power of the distance, or could not be told.

    Examples
    --------
    >>> from lengthlab.formula.tree import parse
    >>> breaks(parse("abs(x - 1)/(x + 2)^0.3"))
    ((1.0,), (Pole(location=-2.0, order=0.3),))
    >>> breaks(parse("(1 - cos(x))/x^2"))
    ((0.0,), ())
    """
    bends: list[Root] = []
    holes: list[Root] = []
    work, pieces = 0, False
    for switch, kind in dict.fromkeys(_switches(tree)):
        work += _size(switch)
        if work > MOST_WORK:
            break
        found = jumps(switch) if kind == "jump" else zeros(switch)
        if kind == "hole":
            holes += found
            pieces = pieces or _has_pieces(switch)
        else:
            bends += found
    if pieces:  # a denominator like max(x, 0) is 0 beside a bend
        holes += bends
    poles: dict[float, Pole] = {}
    precise, holes = Precise(), _merged(holes)
    for root in holes[:MOST_ORDERS]:
        pole = _pole(precise, tree, root)
        if pole is not None:
            poles[root.location] = pole
    kinks = {root.location for root in (*bends, *holes)}
    nearest = sorted(kinks - set(poles), key=remoteness)[:MOST]
    return tuple(sorted(nearest)), tuple(sorted(poles.values()))


def _has_pieces(tree: Node) -> bool:
    return tree.op in _PIECES or any(map(_has_pieces, tree.args))


def _size(tree: Node) -> int:
    return 1 + sum(map(_size, tree.args))


def _switches(tree: Node) -> Iterator[tuple[Node, str]]:
    """Functions at whose zeros phi bends, or has a hole with maybe a pole; or which jump."""
    if not varies(tree):
        return
    for arg in tree.args:
        yield from _switches(arg)
    op, args = tree.op, tree.args
    if op in ("abs", "sign", "step", "sqrt", "cbrt"):
        yield args[0], "bend"
    elif op in ("max", "min", "<", "<=", ">", ">=", "==", "!="):
        yield Node("-", args), "bend"
    elif op in ("floor", "ceil", "trunc", "rint"):
        yield tree, "jump"
    elif op in ("arcsin", "arccos"):
        yield Node("-", (constant(1), Node("abs", args))), "bend"
    elif op == "arccosh":
        yield Node("-", (args[0], constant(1))), "bend"
    elif op == "tan":
        yield Node("cos", args), "hole"
    elif op == "log":
        yield args[0], "hole"
    elif op == "log1p":
        yield Node("+", (args[0], constant(1))), "hole"
    elif op == "arctanh":
        yield Node("-", (constant(1), Node("abs", args))), "hole"
    elif op == "/":
        yield args[1], "hole"
    elif op == "**" and not _is_whole(args[1]):
        yield args[0], "bend" if _is_positive(args[1]) else "hole"


def _is_whole(exponent: Node) -> bool:
    return exponent.value is not None and exponent.value.denominator == 1


def _is_positive(exponent: Node) -> bool:
    """Whether an exponent is a number or a fraction, with no minus sign."""
    return exponent.op == "number" or (
        exponent.op == "/" and all(arg.op == "number" for arg in exponent.args)
    )


def _merged(roots: list[Root]) -> list[Root]:
    """Each zero once, exact ones first, nearest to 1 in size first."""
    kept: dict[str, Root] = {}
    for root in sorted(roots, key=lambda root: root.exact is None):
        kept.setdefault(f"{root.location:.12g}", root)
    return sorted(kept.values(), key=lambda root: remoteness(root.location))[:MOST]


# --- the order of a pole --------------------------------------------------------------------------


def _pole(precise: Precise, tree: Node, root: Root) -> Pole | None:
    """Pole at a root; None if phi is not seen to grow there."""
    try:
        if root.exact is not None:
            location = precise.number(root.exact)
        else:
            location = precise.root(root.of, root.location)
        if location is None:
            return None
        sides = [_order(precise, tree, location, side) for side in (-1, 1)]
    except OutOfReachError:
        return None
    orders = [order for order in sides if order is not None]
    known = [order for order in orders if not math.isnan(order)]
    if not orders:
        return None
    # An order of 1/2 on one side says enough; below that, the other side must be known as well.
    tells = len(known) == len(orders) or max(known, default=0.0) >= 0.5
    return Pole(float(location), max(known) if tells else math.nan)


def _order(precise: Precise, tree: Node, location: Any, side: int) -> float | None:
    """How |phi| grows beside a point: order of the power, 0 for a logarithm, nan for neither."""
    sizes = [_log2(precise, tree, location, side, k) for k in _DISTANCES]
    if not all(map(math.isfinite, sizes)):
        return None
    gains = [far - near for near, far in pairwise(sizes)]
    order = gains[-1] / (_DISTANCES[-1] - _DISTANCES[-2])
    before = gains[-2] / (_DISTANCES[-2] - _DISTANCES[-3])
    if order > 1e-3 and math.isclose(order, before, rel_tol=1e-9):
        return _simple(order) if _is_exact(precise, tree, location, side) else None
    # What oscillates is seen at several points.
    sizes = [
        max(_log2(precise, tree, location, side * stretch, k) for stretch in _STRETCHES)
        for k in _DISTANCES
    ]
    gains = [far - near for near, far in pairwise(sizes)]
    if gains[-1] < _LEAST or not _is_exact(precise, tree, location, side):
        return None
    # The m-th power of log(1/distance) gains m bits when the exponent doubles; with a constant
    # added it does so in the limit, and what is missing halves. With a power it would double.
    first, second = (abs(later - earlier) for earlier, later in pairwise(gains))
    return 0.0 if second < 0.8 * first + 1e-9 else math.nan


def _is_exact(precise: Precise, tree: Node, location: Any, side: int) -> bool:
    """Whether the value nearest to a point stays the same when computed to more digits."""
    size = _log2(precise, tree, location, side, _DISTANCES[-1])
    with precise.context.workprec(2 * BITS):
        again = _log2(precise, tree, location, side, _DISTANCES[-1])
    return abs(size - again) < 1e-6


def _log2(precise: Precise, tree: Node, location: Any, side: int | Fraction, k: int) -> float:
    """Logarithm to base 2 of |phi| at a distance of 2^-k; -inf where phi is 0 or has no value."""
    x = location + precise.number(side) * precise.context.ldexp(1, -k)
    value = precise.value(tree, x)
    if value is None or value == 0:
        return -math.inf
    return float(precise.context.log(abs(value), 2))


def _simple(order: float) -> float:
    """Float of a simple fraction from which an order differs by its rounding only."""
    fraction = Fraction(order).limit_denominator(1000)
    return float(fraction) if abs(order - fraction) < 1e-12 else order
