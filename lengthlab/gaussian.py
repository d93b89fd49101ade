"""Means over a Gaussian: finiteness first, then the value with its error.

The integrand is looked at before it is integrated: is it integrable, and where does its mass lie?
Only then comes a rule (`quadrature`), split where phi breaks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lengthlab.activations import Activation, Array
from lengthlab.checks import check_real, check_sequence
from lengthlab.quadrature import MOST_PANELS, integrate

_EPS = float(np.finfo(float).eps)
_TINY = float(np.finfo(float).tiny)  # what underflow may take away
_LOG_MAX = math.log(np.finfo(float).max)
_LOG_DENSITY = -math.log(2 * math.pi) / 2
_DEPTH = 80.0  # the window ends where the integrand is exp(-80) of its peak
_BULK = 9.0  # it never ends before this: what probes do not meet may stand between them
_DISTANCES = (0.7, 1.4, 2.1, 2.8, 3.6, 4.8, 6.2, *(2.0**k for k in range(3, 40)))
_STEPS = (0.0, *(side * z for z in _DISTANCES for side in (-1, 1)))
_PHI_SCALE = (-32.0, -4.0, -1.5, -0.5, 0.0, 0.5, 1.5, 4.0, 32.0)
_PROBES = 2.0 ** np.arange(-10, 34, 0.25)


@dataclass(frozen=True)
class Estimate:
    """A value with a bound on its error.

    Attributes
    ----------
    value, error : float
        The mean, and a bound on its absolute error; both inf where the mean is infinite.
    certain : bool
        False where finiteness rests on probing a plain Python function.
    overflow : bool
        An infinite `value` stands for a finite number that no float can hold.
    """

    value: float
    error: float
    certain: bool = True
    overflow: bool = False


@dataclass(frozen=True)
class MeanSquare:
    """m(q) = E phi(sqrt(q) Z)^2, and dm/dq, which carries the error of q along."""

    estimate: Estimate
    slope: float


_OVERFLOW = MeanSquare(Estimate(math.inf, math.inf, overflow=True), math.inf)


def expectation(
    f: Callable[[Array], Any],
    variance: float,
    *,
    breakpoints: tuple[float, ...] = (),
    rtol: float = 1e-10,
) -> Estimate:
    """Mean of ``f(U)`` for a centred Gaussian ``U``.

    Parameters
    ----------
    f : callable, shape (...) -> shape (...)
        Elementwise; finite except possibly at `breakpoints`.
    variance : float
        Variance of ``U`` (a squared length per unit), ``>= 0``.
    breakpoints : tuple of float
        Where `f` or its slope jumps, or `f` has a pole; the integral is split there.
    rtol : float
        Requested error relative to the mean of ``|f(U)|``, from 1e-14 to 1.

    Returns
    -------
    Estimate
        `value`, and `error`, an absolute bound from the quadrature rule. Both are inf where the
        mean of ``|f(U)|`` is infinite. `certain` is False: whether a mean is finite rests on
        probing `f`.

    Raises
    ------
    ValueError
        If `variance` is negative or not finite, or `f` gives nan, another shape, or numbers beyond
        the floats before the Gaussian weight has made them small.

    Notes
    -----
    Source: definition. A kink costs a Gauss rule its order, hence the split.

    Examples
    --------
    >>> half = expectation(lambda u: np.maximum(u, 0.0) ** 2, 2.0, breakpoints=(0.0,))
    >>> abs(half.value - 1.0) <= half.error
    True
    >>> expectation(lambda u: np.exp(u**2), 1.0).value
    inf
    """
    variance = check_real("variance", variance, at_least=0)
    rtol = check_real("rtol", rtol, at_least=1e-14, at_most=1)
    points = check_sequence("breakpoints", breakpoints)
    if not callable(f):
        msg = f"f must be callable on an array, got {f!r}"
        raise TypeError(msg)
    kinks = tuple(check_real("breakpoints", point) for point in points)
    phi = Activation(f, name=getattr(f, "__name__", "f"), kinks=kinks)
    if variance == 0:
        return replace(_at_zero(phi, 1), certain=False)
    return _moment(phi, variance, power=1, rtol=rtol).estimate


def mean_square(phi: Activation, q: float, *, budget: int = MOST_PANELS) -> MeanSquare:
    """m(q) = E phi(sqrt(q) Z)^2, from the closed form where there is one, else within 1e-12.

    Parameters
    ----------
    phi : Activation
    q : float
        Squared length per unit, ``>= 0``.
    budget : int
        Of `integrate`.

    Returns
    -------
    MeanSquare

    Raises
    ------
    ValueError
        As `expectation`.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> mean_square(activation("tan"), 1.0).estimate.value
    inf
    """
    if q == 0:
        return MeanSquare(_at_zero(phi, 2), 0.0)
    if q >= critical_variance(phi, 2):
        return MeanSquare(Estimate(math.inf, math.inf), math.inf)
    if phi.mean_square is None:
        return _moment(phi, q, power=2, rtol=1e-12, budget=budget)
    if math.isinf(value := phi.mean_square(q)):
        return _OVERFLOW
    slope = _slope(phi.mean_square, q, value, critical_variance(phi, 2) - q)
    # A closed form is as good as its argument: rounding q moves it by about q m'(q) eps.
    return MeanSquare(Estimate(value, 8 * _EPS * (abs(value) + abs(q * slope)) + _TINY), slope)


def _slope(m: Callable[[float], float], q: float, value: float, room: float) -> float:
    """m'(q) from differences that stay in (0, q + room); m(q) = value."""
    step = 1e-4 * min(q, room)
    if q < 1e-300:  # no room for small differences
        return (m(2 * q) - value) / q
    if room < 1e-9 * q:  # nor here: m goes like (its critical variance - q)^(-1/2)
        return value / (2 * room)
    near, far = m(q + step) - m(q - step), m(q + 2 * step) - m(q - 2 * step)
    slope = (8 * near - far) / (12 * step)
    if math.isfinite(slope):
        return slope
    step = 1e-6 * q  # m leaves the floats just beyond q
    return (value - m(q - step)) / step


def mean_fourth(phi: Activation, q: float) -> Estimate:
    """E phi(sqrt(q) Z)^4; with the mean square it gives the variance of phi^2.

    Examples
    --------
    >>> round(mean_fourth(Activation(abs), 2.0).value, 9)
    12.0
    """
    if q == 0 or q >= critical_variance(phi, 4):
        return _at_zero(phi, 4) if q == 0 else Estimate(math.inf, math.inf)
    closed = phi.mean_fourth or (phi.homogeneous and phi.homogeneous.mean_fourth)
    if closed is None or (value := closed(q)) is None:
        return _moment(phi, q, power=4, rtol=1e-10).estimate
    return Estimate(value, 64 * _EPS * abs(value) + _TINY)


def critical_variance(phi: Activation, power: int) -> float:
    """Sup of the q with E |phi(sqrt(q) Z)|^power finite, from declared poles and growth.

    inf if nothing declared stands against it. At the critical value itself the mean is infinite:
    for exp(c x^2) the Gaussian factor is cancelled exactly.

    Examples
    --------
    >>> from lengthlab.activations import activation
    >>> critical_variance(activation("exp_square", c=0.1), 2)
    2.5
    """
    if any(pole.order * power >= 1 for pole in phi.poles):
        return 0.0
    if phi.growth is None or phi.growth <= 0:
        return math.inf
    return 1 / (2 * power * phi.growth)


def _at_zero(phi: Activation, power: int) -> Estimate:
    origin = np.zeros(1)
    value = phi(origin)
    phi.refuse_nan(origin, value)
    with np.errstate(over="ignore"):
        moment = float(value[0] ** power)
    overflow = math.isinf(moment) and math.isfinite(value[0])
    return Estimate(moment, power * _EPS * abs(moment), overflow=overflow)


# --- one integral ---------------------------------------------------------------------------------


def _moment(
    phi: Activation, q: float, *, power: int, rtol: float, budget: int = MOST_PANELS
) -> MeanSquare:
    """E phi(sqrt(q) Z)^power and its derivative in q, by quadrature."""
    certain = phi.growth is not None
    infinite = MeanSquare(Estimate(math.inf, math.inf, certain=certain), math.inf)
    overflow = replace(_OVERFLOW, estimate=replace(_OVERFLOW.estimate, certain=certain))
    scale = math.sqrt(q)
    integrand = _Integrand(phi, scale, power)
    look = _look(integrand)
    if look is None:
        return infinite
    if look.height > _LOG_MAX + _DEPTH / 2:
        return overflow
    if integrand.logarithmic or look.height > _LOG_MAX / 4:
        integrand.shift = look.height
    pieces = integrate(integrand, look.edges(integrand), rtol, budget=budget)
    if pieces is None:  # a power without poles has a mean, if no float for it
        return infinite if phi.degree is None or phi.poles else overflow
    slope = pieces.weighted(lambda z: z * z - 1) / (2 * q)
    # The nodes are rounded, which moves phi's argument as a rounding of q would.
    error = pieces.error + 8 * _EPS * (pieces.size + q * abs(slope)) + _TINY
    if integrand.shift + math.log(max(pieces.size, _TINY)) > _LOG_MAX:
        return overflow
    unit = math.exp(integrand.shift)
    return MeanSquare(Estimate(pieces.value * unit, error * unit, certain), slope * unit)


class _Integrand:
    """phi(scale z)^power times the normal density, divided by exp(shift)."""

    def __init__(self, phi: Activation, scale: float, power: int) -> None:
        self.phi, self.scale, self.power = phi, scale, power
        self.logarithmic = phi.log_abs is not None
        self.shift = 0.0

    def __call__(self, z: Array) -> Array:
        if self.logarithmic:
            return np.asarray(np.exp(self.log_abs(z) - self.shift))
        values = self._phi(z)
        # The root of the density first: the power must not overflow where the product does not.
        values *= np.exp((_LOG_DENSITY - self.shift - z * z / 2) / self.power)
        return values if self.power == 1 else values**self.power

    def log_abs(self, z: Array) -> Array:
        """Logarithm of the absolute integrand, -inf at its zeros."""
        with np.errstate(all="ignore"):
            if self.phi.log_abs is not None:
                log_phi = self.phi.log_abs(self.scale * z)
            else:
                log_phi = np.log(np.abs(self._phi(z)))
            return np.asarray(self.power * log_phi + (_LOG_DENSITY - z * z / 2))

    def _phi(self, z: Array) -> Array:
        x = self.scale * z
        values = self.phi(x)
        self.phi.refuse_nan(x, values)
        return values


# --- where the mass lies --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    """The window that holds the integrand's mass, its peaks, and the logarithm of the highest."""

    low: float
    high: float
    peaks: tuple[float, ...]
    height: float = 0.0

    def edges(self, integrand: _Integrand) -> list[float]:
        """Where to split: around the peaks, at phi's breaks, and on phi's own scale near 0."""
        phi, scale = integrand.phi, integrand.scale
        steps = _STEPS[: 11 + 2 * math.ceil(math.log2(self.high - self.low))]
        inner = {peak + step for peak in self.peaks for step in steps}
        breaks = [*phi.kinks, *(pole.location for pole in phi.poles)]
        inner.update(x / scale for x in (*breaks, *_PHI_SCALE))
        # With a logarithm given, phi is of the exp(|x|^p) kind, which at 0 is as rough as |x|^p.
        rough = phi.kinks if integrand.logarithmic else ()
        rungs = [side * 4.0**-k for k in range(1, 9) for side in (-1, 1)]
        inner.update(x / scale + rung for x in rough for rung in rungs)
        return [self.low, *sorted(z for z in inner if self.low < z < self.high), self.high]


def window(phi: Activation, q: float) -> tuple[list[float], float] | None:
    """Edges in z that hold the mass of phi(sqrt(q) z)^2, and its log-peak; None if it diverges."""
    look = _look(integrand := _Integrand(phi, math.sqrt(q), 2))
    return None if look is None else (look.edges(integrand), look.height)


def _tame(integrand: _Integrand, degree: float) -> _Look:
    """Take the window of a function within C (1 + |z|^degree): only its size may need a probe."""
    reach = 10.0 + math.sqrt(2 * degree * integrand.power)
    height = 0.0
    if integrand.power * degree * math.log(integrand.scale) > _LOG_MAX / 4:
        log = integrand.log_abs(np.linspace(-reach, reach, 65))
        height = float(log.max(initial=0.0, where=~np.isnan(log)))
    return _Look(-reach, reach, (0.0,), height)


def _look(integrand: _Integrand) -> _Look | None:
    """Probe the integrand on both sides, far out; None if it does not decay."""
    if integrand.phi.degree is not None:
        return _tame(integrand, integrand.phi.degree)
    logs = [integrand.log_abs(side * _PROBES) for side in (-1.0, 1.0)]
    finite = [log[np.isfinite(log)] for log in logs]
    if not any(len(log) for log in finite):
        return _Look(-10.0, 10.0, (0.0,))
    peaks = [
        _climb(integrand, side, log) for side, log in zip((-1.0, 1.0), logs, strict=True)
    ]  # (location, height) a side
    height = max(high for _, high in peaks)
    ends = []
    for side, log, (peak, high) in zip((-1.0, 1.0), logs, peaks, strict=True):
        reach = abs(peak) if high > height - _DEPTH else 0.0
        end = _end(integrand, side, log, height, reach)
        if end is None:
            return None
        ends.append(side * end)
    near = tuple(z for z, high in peaks if high > height - _DEPTH)
    return _Look(min(ends[0], -_BULK), max(ends[1], _BULK), near, height)


def _climb(integrand: _Integrand, side: float, log: Array) -> tuple[float, float]:
    """Peak of the integrand on one side: zoom in on the largest probe that is finite."""
    seen = np.where(np.isfinite(log), log, -np.inf)
    k = int(seen.argmax())
    low, high = _PROBES[max(k - 1, 0)], _PROBES[min(k + 1, len(_PROBES) - 1)]
    best, height = float(_PROBES[k]), float(seen[k])
    while high - low > 0.25 * min(1.0, low):
        z = np.linspace(low, high, 33)
        values = integrand.log_abs(side * z)
        values = np.where(np.isfinite(values), values, -np.inf)
        k = int(values.argmax())
        best, height = float(z[k]), max(height, float(values[k]))
        low, high = z[max(k - 1, 0)], z[min(k + 1, 32)]
    return side * best, height


def _end(
    integrand: _Integrand, side: float, log: Array, height: float, reach: float
) -> float | None:
    """Where one side of the window ends, beyond `reach`; None if the integrand does not decay."""
    below = np.flatnonzero(log < np.inf)  # a lone +inf is a pole, a tail of them an overflow
    last = int(below[-1]) + 1 if len(below) else 0
    seen = np.where(log[:last] < np.inf, log[:last], -np.inf)
    mass = np.flatnonzero(seen > height - _DEPTH)
    k = int(mass[-1]) if len(mass) else 0
    if last < len(log) and (last == 0 or last - 1 in (k, int(seen.argmax()))):
        _refuse_unless_divergent(integrand, side, last)
        return None
    low = max(float(_PROBES[k]), reach)  # a peak may stand between two probes
    high = float(_PROBES[min(int(_PROBES.searchsorted(low, side="right")), len(_PROBES) - 1)])
    while high - low > 1.0:
        middle = (low + high) / 2
        inside = integrand.log_abs(np.array([side * middle]))[0] > height - _DEPTH
        low, high = (middle, high) if inside else (low, middle)
    return high


def _refuse_unless_divergent(integrand: _Integrand, side: float, last: int) -> None:
    """Look at an integrand that leaves the floats before it has decayed.

    Its logarithm, without the density, grows like c z^p: it is not integrable if p > 2, or if p = 2
    and c >= 1/2. Otherwise its mean is out of reach, and that is an error.
    """
    z = _PROBES[max(last - 9, 0) : last]
    growth = integrand.log_abs(side * z) - (_LOG_DENSITY - z * z / 2)
    if len(growth) and growth[0] > 0:
        p = math.log(growth[-1] / growth[0]) / math.log(z[-1] / z[0])
        if p > 2.05 or (p > 1.95 and growth[-1] / z[-1] ** 2 >= 0.5 - 1e-9):
            return
    x = side * integrand.scale * float(_PROBES[min(last, len(_PROBES) - 1)])
    msg = (
        f"{integrand.phi.name!r} leaves the floats at x = {x:.6g}, before the Gaussian weight has "
        "made it small; give its logarithm: Activation(..., log_abs=...)"
    )
    raise ValueError(msg)
