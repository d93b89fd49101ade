"""Values of a tree to thousands of digits, for the few points where the floats cannot tell.

Close to a zero of a denominator a formula cancels: ``(sin(x) - x)/x^3`` in floats is noise at 1e-6,
and grows like a pole. Here it is computed with `mpmath`, at a distance of 2^-256.
"""

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from lengthlab.formula.tree import Node
from lengthlab.formula.values import steps

BITS = 2000
BUDGET = 10_000
_COSTS = {
    **dict.fromkeys(("**", "exp", "expm1", "log", "log1p", "sin", "cos", "tan"), 12),
    **dict.fromkeys(("sinh", "cosh", "tanh", "arctan", "arcsinh", "arccosh", "arctanh"), 12),
    **dict.fromkeys(("arcsin", "arccos"), 20),
    **dict.fromkeys(("erf", "erfc", "normcdf"), 100),
}
_HUGE = 3000
"""Powers of 2 beyond which a number is out of reach even here."""


class OutOfReachError(ArithmeticError):
    """The value cannot be had: too large a number on the way, or too much work."""


class Precise:
    """A tree at points of any precision.

    Attributes
    ----------
    budget : int
        Work that is left, in units of about 10 microseconds: what is typed on a public page must
        not take long.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        import mpmath

        self.context: Any = mpmath.MPContext()
        self.context.prec = BITS
        self.budget = budget
        self._steps = functools.cache(steps)

    def number(self, value: Fraction | float) -> Any:
        """Convert a fraction or a float exactly, but for the last bit."""
        exact = Fraction(value)
        return self.context.mpf(exact.numerator) / exact.denominator

    def value(self, tree: Node, x: Any) -> Any:
        """Value of the tree at `x`, or None where it has none.

        Raises
        ------
        OutOfReachError
            If a number on the way is too large, or the budget is spent.
        """
        results: list[Any] = []
        for node, args, _ in self._steps(tree):
            self.budget -= _COSTS.get(node.op, 1)
            if self.budget < 0:
                raise OutOfReachError
            given = [results[arg] for arg in args]
            if node.op == "where":
                condition, then, otherwise = given
                chosen = None if condition is None else then if condition != 0 else otherwise
                results.append(chosen)
            elif any(arg is None for arg in given):
                results.append(None)
            else:
                results.append(self._apply(node, given, x))
        return results[-1]

    def _apply(self, node: Node, given: list[Any], x: Any) -> Any:
        ctx = self.context
        match node.op:
            case "x":
                return x
            case "number":
                return self.number(node.value or 0)
            case "pi" | "e":
                return +getattr(ctx, node.op)
        largest = max(ctx.mag(arg) for arg in given)
        if largest > _HUGE and node.op not in _ANY_SIZE:
            raise OutOfReachError
        rule = _RULES.get(node.op)
        return rule(ctx, *given) if rule else getattr(ctx, node.op)(*given)

    def root(self, tree: Node, near: float) -> Any:
        """Zero of the tree, of any order, beside the float `near`; None if there is none.

        Notes
        -----
        Newton's method for f / f', which has simple zeros only. The derivatives are differences
        with a step of 2^(-BITS/3), whose error is the square of that.
        """
        ctx, x = self.context, self.number(near)
        h = ctx.ldexp(1, -BITS // 3)
        for _ in range(14):
            f = self.value(tree, x)
            if f == 0:
                return x
            above, below = self.value(tree, x + h), self.value(tree, x - h)
            if f is None or above is None or below is None:
                return None
            first, second = (above - below) / (2 * h), (above - 2 * f + below) / (h * h)
            denominator = first * first - f * second
            if denominator == 0:
                return None
            step = f * first / denominator
            x -= step
            if abs(x - near) > 1e-4 * (1 + abs(near)):
                return None
            if abs(step) < ctx.ldexp(1, -BITS // 6):
                return x
        return None


def _power(ctx: Any, a: Any, b: Any) -> Any:
    if a == 0:
        return None if b < 0 else ctx.mpf(1 if b == 0 else 0)
    whole = ctx.isint(b)
    if a < 0 and not whole:
        return None
    size = _exp(ctx, b * ctx.log(abs(a)))
    return -size if a < 0 and ctx.mag(b) < BITS and int(b) % 2 else size


def _exp(ctx: Any, a: Any) -> Any:
    if ctx.mag(a) > _HUGE:
        raise OutOfReachError
    return ctx.exp(a)


def _inside(function: str, low: int, high: int, *, closed: bool) -> Callable[..., Any]:
    """Apply a function that has a value between `low` and `high` only."""

    def apply(ctx: Any, a: Any) -> Any:
        inside = low <= a <= high if closed else low < a < high
        return getattr(ctx, function)(a) if inside else None

    return apply


def _erf(ctx: Any, a: Any) -> Any:
    return ctx.sign(a) if _is_saturated(a) else ctx.erf(a)


def _erfc(ctx: Any, a: Any) -> Any:
    if not _is_saturated(a):
        return ctx.erfc(a)
    if a > 0:  # too small to tell from 0 by its digits
        raise OutOfReachError
    return ctx.mpf(2)


def _is_saturated(a: Any) -> bool:
    """Whether erf is 1 or -1 to all digits; between here and there it takes a second to compute."""
    if 8 < abs(a) < 60:
        raise OutOfReachError
    return bool(abs(a) >= 60)


def _toward_zero(ctx: Any, a: Any) -> Any:
    return ctx.floor(a) if a > 0 else ctx.ceil(a)


def _number(holds: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    return lambda ctx, a, b: ctx.mpf(1 if holds(a, b) else 0)


_ANY_SIZE = {
    "neg", "+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!=", "abs", "max", "min",
    "sign", "step", "sqrt", "cbrt", "log", "log1p", "exp", "tanh", "arctan",
    "erf", "erfc", "normcdf",
}  # fmt: skip
"""Operations that are quick whatever the size of their arguments."""

_RULES: dict[str, Callable[..., Any]] = {
    "neg": lambda ctx, a: -a,
    "+": lambda ctx, a, b: a + b,
    "-": lambda ctx, a, b: a - b,
    "*": lambda ctx, a, b: a * b,
    "/": lambda ctx, a, b: None if b == 0 else a / b,
    "**": _power,
    "<": _number(lambda a, b: a < b),
    "<=": _number(lambda a, b: a <= b),
    ">": _number(lambda a, b: a > b),
    ">=": _number(lambda a, b: a >= b),
    "==": _number(lambda a, b: a == b),
    "!=": _number(lambda a, b: a != b),
    "abs": lambda ctx, a: abs(a),
    "max": lambda ctx, a, b: max(a, b),
    "min": lambda ctx, a, b: min(a, b),
    "step": lambda ctx, a: ctx.mpf(1 if a > 0 else 0),
    "trunc": _toward_zero,
    "rint": lambda ctx, a: ctx.nint(a),
    "sqrt": lambda ctx, a: None if a < 0 else ctx.sqrt(a),
    "cbrt": lambda ctx, a: ctx.sign(a) * ctx.cbrt(abs(a)),
    "exp": _exp,
    "log": lambda ctx, a: None if a <= 0 else ctx.log(a),
    "log1p": lambda ctx, a: None if a <= -1 else ctx.log1p(a),
    "tanh": lambda ctx, a: ctx.tanh(a) if ctx.mag(a) < 30 else ctx.sign(a),
    "erf": _erf,
    "erfc": _erfc,
    "normcdf": lambda ctx, a: _erfc(ctx, -a / ctx.sqrt(2)) / 2,
    "arcsin": _inside("asin", -1, 1, closed=True),
    "arccos": _inside("acos", -1, 1, closed=True),
    "arctanh": _inside("atanh", -1, 1, closed=False),
    "arccosh": lambda ctx, a: None if a < 1 else ctx.acosh(a),
    "arctan": lambda ctx, a: ctx.atan(a),
    "arcsinh": lambda ctx, a: ctx.asinh(a),
}
