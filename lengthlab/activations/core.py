"""What an activation is: phi, and what is known of it."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lengthlab.checks import check_real, check_sequence

Array: TypeAlias = NDArray[np.float64]


class Pole(NamedTuple):
    """``|phi(x)|`` grows like ``|x - location|^(-order)``; order 0 stands for a logarithm."""

    location: float
    order: float


class Homogeneous(NamedTuple):
    """``|phi(x)| = right x^degree`` for x > 0 and ``left |x|^degree`` for x < 0."""

    degree: int
    right: float
    left: float

    def mean_fourth(self, q: float) -> float | None:
        """E phi(sqrt(q) Z)^4; None where that is infinite, or no float holds it to all digits."""
        if self.degree < 0:
            return None
        moment = math.prod(range(1, 4 * self.degree, 2))  # E Z^(4 degree)
        sides = [size * size * size * size for size in (self.right, self.left)]
        value = sum(sides) / 2 * moment * math.prod([q] * (2 * self.degree))
        return value if 1e-290 < value < math.inf else None


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation phi and what is known of it; called like a function.

    Parameters
    ----------
    function : callable, shape (...) -> shape (...)
        phi, elementwise on float64 arrays.
    name : str
        Shown in pictures and messages.
    kinks : tuple of float
        Where phi or its slope jumps: integrals are split there.
    poles : tuple of Pole or of float
        Where phi is unbounded; a bare number is a pole of unknown order, which becomes nan.
    formula : str
        phi in plain text, for captions; the expression if there is one and no other text is given.
    growth : float, optional
        ``limsup log|phi(x)| / x^2`` at infinity; None (not known) for a plain Python function,
        which is then probed.
    degree : float, optional
        If ``|phi(x)| <= C (1 + |x|^degree)`` is known, that degree.
    homogeneous : Homogeneous, optional
        If |phi| is positively homogeneous of degree 0 or 1: lengths then need no vectors at all.
    mean_square : callable, optional
        Closed form of ``q -> E phi(sqrt(q) Z)^2`` for q > 0 where it is finite.
    mean_fourth : callable, optional
        The same of ``E phi(sqrt(q) Z)^4``, within a few roundings.
    log_abs : callable, optional
        ``log|phi|`` where phi itself leaves the floats.
    into : callable, optional
        ``into(x, out)`` writes phi(x) to `out`, a buffer other than `x`, without allocation.
    parameters : tuple of (str, float)
        What tells it from others of its name; see `label`.
    expression : str
        What may be typed into `formula` for the same phi, so that phi can be analysed by its text.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind.

    Notes
    -----
    At 0, phi is 0 where its formula has no value. Two activations are equal if they are the same
    object: functions cannot be compared.

    Examples
    --------
    >>> swish = Activation(lambda x: x / (1 + np.exp(-x)), name="swish")
    >>> float(swish(0.0))
    0.0
    >>> swish([-1.0, 0.0]).round(4)
    array([-0.2689,  0.    ])
    """

    function: Callable[[Array], ArrayLike]
    name: str = "phi"
    kinks: tuple[float, ...] = ()
    poles: tuple[Pole, ...] = ()
    formula: str = ""
    growth: float | None = None
    degree: float | None = None
    homogeneous: Homogeneous | None = None
    mean_square: Callable[[float], float] | None = None
    mean_fourth: Callable[[float], float] | None = None
    log_abs: Callable[[Array], Array] | None = None
    into: Callable[[Array, Array], object] | None = None
    parameters: tuple[tuple[str, float], ...] = ()
    expression: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            msg = f"function must be callable on an array, got {self.function!r}"
            raise TypeError(msg)
        if not isinstance(self.name, str) or not self.name:
            msg = f"name must be a non-empty string, got {self.name!r}"
            raise TypeError(msg)
        kinks = sorted(check_real("kinks", kink) for kink in check_sequence("kinks", self.kinks))
        poles = sorted(_pole(pole) for pole in check_sequence("poles", self.poles))
        if self.growth is not None and self.growth not in (math.inf, -math.inf):
            check_real("growth", self.growth)
        if self.degree is not None:
            check_real("degree", self.degree, at_least=0)
        for name in ("mean_square", "mean_fourth", "log_abs", "into"):
            if not (getattr(self, name) is None or callable(getattr(self, name))):
                msg = f"{name} must be callable or None, got {getattr(self, name)!r}"
                raise TypeError(msg)
        if not isinstance(self.expression, str):
            msg = f"expression must be a string like 'x*exp(-x^2)', got {self.expression!r}"
            raise TypeError(msg)
        object.__setattr__(self, "formula", self.formula or self.expression)
        object.__setattr__(self, "kinks", tuple(kinks))
        object.__setattr__(self, "poles", tuple(poles))

    def __call__(self, x: ArrayLike) -> Array:
        """phi at `x`, a float or an array of any shape; the result has the shape of `x`."""
        x = np.asarray(x, dtype=np.float64)
        return self.evaluate(x, np.empty_like(x))

    def evaluate(self, x: Array, out: Array) -> Array:
        """Write phi(x) to `out`, an array like `x` but not `x` itself, and return it.

        Overflow gives inf and an undefined value nan, never a warning.

        Raises
        ------
        ValueError
            If the function does not return an array of the shape of `x`.
        """
        with np.errstate(all="ignore"):
            if self.into is not None:
                self.into(x, out)
                return out
            values = np.asarray(self.function(x))
        if values.shape not in (x.shape, ()) or not np.can_cast(values.dtype, np.float64):
            msg = (
                f"activation {self.name!r} must return a real array of the shape of its argument "
                f"{x.shape}, got shape {values.shape} of {values.dtype}; write it with numpy's "
                "elementwise functions"
            )
            raise ValueError(msg)
        out[...] = values
        return out

    def refuse_nan(self, x: Array, values: Array) -> None:
        """Raise ValueError if ``values = phi(x)`` has a nan, and say where.

        Examples
        --------
        >>> root = Activation(np.sqrt, name="root")
        >>> root.refuse_nan(np.array([-4.0]), root(np.array([-4.0])))
        Traceback (most recent call last):
            ...
        ValueError: activation 'root' must return a number or inf, got nan at x = -4.0; give it a
        value there, for example with np.where
        """
        where = np.isnan(values)
        if where.any():
            msg = (
                f"activation {self.name!r} must return a number or inf, got nan at "
                f"x = {float(x[where][0])!r}; give it a value there, for example with np.where"
            )
            raise ValueError(msg)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle an entry of the catalogue by its name: its functions are closures."""
        from lengthlab.activations import activation, catalogue

        if self.name in catalogue():
            build = functools.partial(activation, self.name, **dict(self.parameters))
            if self._looks_like(build()):
                return build, ()
        return super().__reduce_ex__(protocol)

    def _looks_like(self, other: "Activation") -> bool:
        """Whether all that can be compared is equal: the data, and the code of the functions."""
        for item in fields(self):
            mine, others = getattr(self, item.name), getattr(other, item.name)
            same_code = getattr(mine, "__code__", None) is getattr(others, "__code__", mine)
            if mine != others and not same_code:
                return False
        return True

    @property
    def label(self) -> str:
        """The name, with its parameters: ``leaky_relu(slope=0.2)``."""
        inside = ", ".join(f"{name}={value:g}" for name, value in self.parameters)
        return f"{self.name}({inside})" if inside else self.name

    def __repr__(self) -> str:
        return f"<Activation {self.label}>"


def _pole(value: Any) -> Pole:
    if isinstance(value, tuple):
        if len(value) != 2:
            msg = f"poles must hold numbers and pairs (location, order), got {value!r}"
            raise ValueError(msg)
        location, order = value
        if isinstance(order, float) and math.isnan(order):
            return Pole(check_real("poles", location), order)
        return Pole(check_real("poles", location), check_real("pole order", order, at_least=0))
    return Pole(check_real("poles", value), math.nan)
