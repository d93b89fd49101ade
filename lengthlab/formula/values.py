"""Values of a tree: a flat list of numpy operations, in which equal subtrees are computed once.

Floats leave out what is below 1e-308 or above 1e308, and a formula may pass through either on its
way to an ordinary number: ``exp(x)/(1 + exp(x))`` at 800. Points where an operation leaves the
floats or has no value are noticed, and computed again with logarithms beside the numbers
(`careful`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lengthlab.activations import Array
from lengthlab.formula import careful
from lengthlab.formula.tree import Node

_MAY_LEAVE = {
    "*", "/", "**", "sqrt", "exp", "expm1", "log", "log1p", "sinh", "cosh",
    "arcsin", "arccos", "arccosh", "arctanh",
}  # fmt: skip
"""Operations on floats whose result may be inf or nan; a sum is so only of huge terms."""
_MAY_VANISH = {"exp", "erfc", "normcdf", "**"}
"""Operations whose result may be too small for the floats."""


def _as_number(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """1.0 and 0.0 for True and False, which numpy would not subtract."""
    return lambda a, b: np.asarray(compare(a, b), dtype=np.float64)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "neg": np.negative,
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "<": _as_number(np.less),
    "<=": _as_number(np.less_equal),
    ">": _as_number(np.greater),
    ">=": _as_number(np.greater_equal),
    "==": _as_number(np.equal),
    "!=": _as_number(np.not_equal),
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
    "where": lambda condition, a, b: np.where(condition != 0, a, b),
    "step": lambda a: np.where(a > 0, 1.0, 0.0),
}
_CONSTANTS = {"pi": np.pi, "e": np.e}


class Step(NamedTuple):
    """One operation: the places of its arguments, and those not needed after it."""

    node: Node
    args: tuple[int, ...]
    done: tuple[int, ...]


def steps(tree: Node) -> list[Step]:
    """Operations of a tree in an order in which they can be done, equal subtrees once.

    Examples
    --------
    >>> from lengthlab.formula.tree import parse
    >>> [str(step.node) for step in steps(parse("exp(x)/(1 + exp(x))"))]
    ['x', 'exp(x)', '1', '1 + exp(x)', 'exp(x)/(1 + exp(x))']
    """
    places: dict[Node, int] = {}

    def visit(node: Node) -> None:
        if node not in places:
            for arg in node.args:
                visit(arg)
            places[node] = len(places)

    visit(tree)
    last = {places[arg]: k for k, node in enumerate(places) for arg in node.args}
    return [
        Step(
            node,
            tuple(places[arg] for arg in node.args),
            tuple(place for place, step in last.items() if step == k),
        )
        for k, node in enumerate(places)
    ]


def _function(op: str) -> Callable[..., Any]:
    """Elementwise function of an operation with arguments."""
    if op in ("erf", "erfc", "normcdf"):
        from scipy.special import erf, erfc, ndtr

        special: dict[str, Callable[..., Any]] = {"erf": erf, "erfc": erfc, "normcdf": ndtr}
        return special[op]
    if op in _FUNCTIONS:
        return _FUNCTIONS[op]
    ufunc: np.ufunc = getattr(np, op)
    return ufunc


class Values:
    """phi of a tree, elementwise: 0 where the formula has no value; never nan, never a warning.

    Examples
    --------
    >>> from lengthlab.formula.tree import parse
    >>> Values(parse("exp(x)/(1 + exp(x))"))(np.array([0.0, 800.0]))
    array([0.5, 1. ])
    >>> Values(parse("log(x)"))(np.array([1.0, 0.0, -1.0]))
    array([0., 0., 0.])
    """

    def __init__(self, tree: Node) -> None:
        self.steps = steps(tree)
        functions = [_function(s.node.op) if s.args else None for s in self.steps]
        self._plain = functions
        self._careful = [
            careful.lift(s.node.op, f) if f else None
            for s, f in zip(self.steps, functions, strict=True)
        ]

    def __call__(self, x: Array) -> Array:
        """phi at the array `x`; nan at nan only."""
        values = self.or_nan(x)
        none = np.isnan(values)
        if none.any():
            values[none & ~np.isnan(x)] = 0.0
        return values

    def or_nan(self, x: Array) -> Array:
        """Evaluate the formula at the array `x`: nan where it has no value."""
        flat = x.ravel()
        values: Array
        with np.errstate(all="ignore"):
            values, left = self._floats(flat)
            if np.shape(values) != flat.shape or values is flat:  # a constant, or x itself
                values = np.array(np.broadcast_to(values, flat.shape))
            if left is not None:
                again = np.broadcast_to(left, flat.shape)
                values[again] = self._numbers(flat[again]).value
        return values.reshape(x.shape)

    def log_abs(self, x: Array) -> Array:
        """``log|phi|``, also where phi leaves the floats; -inf where phi is 0."""
        flat = x.ravel()
        with np.errstate(all="ignore"):
            logs = np.array(np.broadcast_to(self._numbers(flat).log, flat.shape))
        logs[np.isnan(logs)] = -np.inf
        return logs.reshape(x.shape)

    def _floats(self, x: Array) -> tuple[Any, Any]:
        """Values by numpy's functions, and where they may not be trusted (None: nowhere)."""
        left: Any = None if np.isfinite(x).all() else ~np.isfinite(x)
        results: list[Any] = [None] * len(self.steps)
        for k, (step, function) in enumerate(zip(self.steps, self._plain, strict=True)):
            op = step.node.op
            if function is None:
                results[k] = x if op == "x" else self._constant(step.node)
                continue
            result = function(*(results[arg] for arg in step.args))
            if op in _MAY_LEAVE and not np.isfinite(result).all():
                left = _also(left, ~np.isfinite(result))
            if op in _MAY_VANISH and not np.all(result):
                left = _also(left, result == 0)
            results[k] = result
            for place in step.done:
                results[place] = None
        return results[-1], left

    def _numbers(self, x: Array) -> careful.Big:
        """Values with their logarithms."""
        results: list[Any] = [None] * len(self.steps)
        for k, (step, operation) in enumerate(zip(self.steps, self._careful, strict=True)):
            if operation is None:
                leaf = x if step.node.op == "x" else self._constant(step.node)
                results[k] = careful.big(leaf)
            else:
                results[k] = operation(*(results[arg] for arg in step.args))
            for place in step.done:
                results[place] = None
        result: careful.Big = results[-1]
        return result

    @staticmethod
    def _constant(node: Node) -> Any:
        return np.float64(_CONSTANTS[node.op] if node.value is None else float(node.value))


def _also(mask: Any, more: Any) -> Any:
    return more if mask is None else mask | more
