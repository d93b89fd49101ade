"""The catalogue of activations: names, and how an entry is made. The entries stand elsewhere."""

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from lengthlab.activations.core import Activation, Array

Builder: TypeAlias = Callable[..., Activation]
_CATALOGUE: dict[str, Builder] = {}


def catalogue() -> tuple[str, ...]:
    """Names that `activation` knows, in the order of the documentation.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> "gelu" in catalogue()
    True
    """
    return tuple(_CATALOGUE)


def activation(name: str, **parameters: float) -> Activation:
    """Build an activation of the catalogue.

    Parameters
    ----------
    name : str
        One of `catalogue`.
    **parameters : float
        Of the activation: ``slope`` of leaky_relu, ``exponent`` of power, ``c`` of exp_square,
        ``p`` and ``c`` of exp_power.

    Returns
    -------
    Activation

    Raises
    ------
    TypeError
        If `name` is not a string, or the activation has no such parameter.
    ValueError
        If `name` is unknown, or a parameter out of range.

    Examples
    --------
    >>> activation("leaky_relu", slope=0.2)(-1.0)
    array(-0.2)
    """
    if not isinstance(name, str):
        msg = f"activation must be a name or an Activation, got {name!r}"
        raise TypeError(msg)
    if name not in _CATALOGUE:
        msg = f"activation must be one of {', '.join(_CATALOGUE)}; got {name!r}"
        raise ValueError(msg)
    build = _CATALOGUE[name]
    known = list(inspect.signature(build).parameters)
    for unknown in set(parameters) - set(known):
        takes = f"takes {', '.join(known)}" if known else "takes no parameter"
        msg = f"activation {name!r} {takes}, got {unknown}={parameters[unknown]!r}"
        raise TypeError(msg)
    defaults = {key: p.default for key, p in inspect.signature(build).parameters.items()}
    special = tuple((k, v) for k, v in sorted(parameters.items()) if v != defaults[k])
    return replace(build(**parameters), parameters=special)


def entry(build: Builder) -> Builder:
    """Add an entry to the catalogue under the function's name."""
    _CATALOGUE[build.__name__.removesuffix("_")] = build
    return build


def known(
    name: str,
    expression: str,
    into: Callable[[Array, Array], object],
    *,
    growth: float = 0.0,
    **more: Any,
) -> Activation:
    """Make an activation of the catalogue: its growth is known, and its expression is phi."""

    def function(x: Array) -> Array:
        out = np.empty_like(x)
        into(x, out)
        return out

    more |= {"expression": expression, "into": into, "growth": growth}
    return Activation(function, name, **more)


def typed(template: str, *numbers: float) -> str:
    """Expression with its numbers written in full; empty if one is too large or small to type."""
    if not all(number == 0 or 1e-300 <= abs(number) <= 1e300 for number in numbers):
        return ""
    return template.format(*(repr(number).removesuffix(".0") for number in numbers))


def where_nonzero(ufunc: Callable[..., object]) -> Callable[[Array, Array], object]:
    """Apply `ufunc` away from 0 and give 0 at 0, where the formula has no value."""

    def into(x: Array, out: Array) -> None:
        ufunc(x, out=out)
        np.copyto(out, 0.0, where=x == 0)

    return into


def exp_or_inf(x: float) -> float:
    """exp with overflow to inf."""
    return math.exp(x) if x < 709.78 else math.inf
