"""The whole law of every layer's length at width N, without sampling."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from lengthlab.activations import Array, Homogeneous
from lengthlab.checks import check_count, check_width
from lengthlab.finite_width.chain import TRIM, Chain, Law
from lengthlab.finite_width.conditional import Atoms, Steps, conditional
from lengthlab.finite_width.kernel import (
    COARSE,
    COARSE_MOMENTS,
    FINE,
    HIGHEST,
    LOWEST,
    MOMENTS,
    Kernel,
)
from lengthlab.finite_width.lengths import TABLE_ERROR, ChiSquare, Distribution, Table
from lengthlab.finite_width.units import UnresolvedError
from lengthlab.gaussian import critical_variance
from lengthlab.network import Network, check_network

_SAFETY = 2.0  # a difference of two computations is no bound: seen, at most 1.43 times too small
_MOST_LAYERS = 10**4  # each keeps about 0.1 MB
_WORST = 0.01  # a law that is known no better is refused
_WORST_OF_V = 0.03  # nothing smooths v: at width 2 its density jumps
_MOMENT = 0.01  # relatively: as above
_LARGE = 1e100  # its square is a float
_REACH = 30.0  # times the mean: the tail beyond a table's end then carries nothing


@dataclass(frozen=True, eq=False)
class LengthLaw:
    """Laws of q_1, ..., q_depth, and of the conditional variances v_1, ..., v_depth.

    Layers are counted from 1. Arrays may have any shape; the result has the same.

    Attributes
    ----------
    net : Network
    width, depth : int
    error : ndarray, shape (depth,)
        Bound on the largest error of the cdf of q_l, for q from 1e-250 to 1e250: smaller lengths
        may count as 0, larger ones as infinite.
    """

    net: Network
    width: int
    depth: int
    error: Array
    _chain: Chain = field(repr=False)
    _laws: list[Law] = field(repr=False)
    _lengths: list[Distribution] = field(repr=False)
    _variances: dict[int, Steps | Atoms] = field(repr=False, default_factory=dict)

    def cdf(self, q: ArrayLike, *, layer: int, of: str = "q") -> Array:
        """P(q_layer <= q), or with ``of="v"`` that of the conditional variance.

        Parameters
        ----------
        q : array_like
            Squared lengths per unit; inf is allowed.
        layer : int
            From 1 to depth.
        of : {"q", "v"}
            The length, or v, given which the units are independent Normal(0, v).

        Returns
        -------
        ndarray

        Raises
        ------
        UnresolvedError
            For v, where atoms make `conditional_error` larger than 0.03.
        """
        points, law = _numbers("q", q), self._law(layer, of)
        return np.asarray(np.where(points >= 0, law.cdf(np.maximum(points, 0.0)), 0.0))

    def pdf(self, q: ArrayLike, *, layer: int, of: str = "q") -> Array:
        """Density; 0 for q <= 0, whatever mass lies at 0 itself."""
        points, law = _numbers("q", q), self._law(layer, of)
        inside = (points > 0) & (points < math.inf)
        return np.asarray(np.where(inside, law.pdf(np.where(inside, points, 1.0)), 0.0))

    def quantile(self, p: ArrayLike, *, layer: int, of: str = "q") -> Array:
        """Smallest length whose cdf is at least p; inf where lengths leave the floats."""
        levels, law = _numbers("p", p), self._law(layer, of)
        if not ((levels >= 0) & (levels <= 1)).all():
            wrong = float(levels[(levels < 0) | (levels > 1)].flat[0])
            msg = f"p must be probabilities from 0 to 1, got {wrong!r}"
            raise ValueError(msg)
        return np.asarray(law.quantile(levels))

    def conditional_error(self, *, layer: int) -> float:
        """Estimate of the largest error of the cdf of v_layer, which nothing smooths.

        Where phi^2 takes two values it is exact, at widths up to 10^4. Otherwise log v is resolved
        to 1 / 18 of sqrt(2 / N), and an atom or a jump of the density is blurred by so much.
        """
        law = self._conditional(check_count("layer", layer, maximum=self.depth))
        return law.error + float(self.error[max(layer - 2, 0)])

    @property
    def mean(self) -> Array:
        """E q_l = E v_l, shape (depth,).

        Exact where |phi| is proportional to |h| on either side, as for ReLU; within `error` times
        the largest likely length where those carry it; where rarer ones do, within about 1 %.

        Raises
        ------
        UnresolvedError
            If a mean or variance is infinite, or lengths that are too rare or too large carry it.
        """
        return self._mean.copy()

    @property
    def variance(self) -> Array:
        """Var q_l = (1 + 2 / N) E v_l^2 - (E v_l)^2, shape (depth,); raises as the mean does."""
        return self._variance.copy()

    @cached_property
    def _mean(self) -> Array:
        return self._raised(1) if self._exact is None else self._exact[0]

    @cached_property
    def _variance(self) -> Array:
        mean = self._mean
        if self._exact is None:
            return (1 + 2 / self.width) * self._raised(2) - mean * mean
        return (1 + 2 / self.width) * self._exact[1] + 2 / self.width * mean * mean

    @cached_property
    def _exact(self) -> tuple[Array, Array] | None:
        """E v_l and Var v_l where the laws' far tails do not carry them, or have a closed form."""
        phi = self.net.activation
        if phi.homogeneous is not None and phi.homogeneous.degree == 1:
            return self._homogeneous_moments(phi.homogeneous)
        mean, spread = self._chain.spread(self._laws)
        highest = np.array([law.highest(self._chain.kernel) for law in self._laws])
        inside = (mean < _LARGE) & (highest < _REACH * mean)
        return (mean, spread) if phi.degree == 0 or inside.all() else None

    def _homogeneous_moments(self, phi: Homogeneous) -> tuple[Array, Array]:
        """E v_l and Var v_l, exactly: E X = a v and E X^2 = b v^2."""
        net = self.net
        a = (phi.right**2 + phi.left**2) / 2
        b = 1.5 * (phi.right**4 + phi.left**4) / net.keep_probability
        mean, spread = np.full(self.depth, net.first_variance), np.zeros(self.depth)
        for k in range(1, self.depth):
            noise = (b - a * a) / self.width * (spread[k - 1] + mean[k - 1] ** 2)
            mean[k] = net.gain * a * mean[k - 1] + net.sigma_b**2
            spread[k] = net.gain**2 * (noise + a * a * spread[k - 1])
        return mean, spread

    def _raised(self, power: int) -> Array:
        """E v^power where the far tail carries it; it must not depend on the resolution."""
        kernels = (Kernel(self.net, self.width, r) for r in (MOMENTS, COARSE_MOMENTS))
        fine, coarse = (Chain(kernel).moments(self.depth, power) for kernel in kernels)
        known = np.abs(fine - coarse) <= _MOMENT * fine
        if not known.all():
            layer = int(np.argmin(known))
            what = "mean" if power == 1 else "variance"
            reason = f"the {what} of layer {layer + 1} is carried by lengths too rare to tabulate"
            raise UnresolvedError(reason, layer)
        return fine

    def _law(self, layer: int, of: str) -> Distribution:
        layer = check_count("layer", layer, maximum=self.depth)
        if of not in ("q", "v"):
            msg = f"of must be 'q', the length, or 'v', the conditional variance, got {of!r}"
            raise ValueError(msg)
        if of == "q":
            return self._lengths[layer - 1]
        error = self.conditional_error(layer=layer)
        if error > _WORST_OF_V:
            reason = f"v_{layer} has atoms or jumps: its cdf is known within {error:.1g} only"
            raise UnresolvedError(reason, 0)
        return self._conditional(layer)

    def _conditional(self, layer: int) -> Steps | Atoms:
        if layer not in self._variances:
            before = self._laws[layer - 2] if layer > 1 else None
            self._variances[layer] = conditional(self._chain.kernel, before, self._laws[layer - 1])
        return self._variances[layer]


def length_law(net: Network, *, width: int, depth: int) -> LengthLaw:
    """Law of the length of every layer at width N, without sampling.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width, depth : int
        Units a layer, from 1 to 10^12, and number of layers, from 1 to 10^4.

    Returns
    -------
    LengthLaw

    Raises
    ------
    UnresolvedError
        If a law cannot be computed: phi^2 has infinite variance, or the error is above 0.01.
    TypeError, ValueError
        If an argument breaks its rule.

    Notes
    -----
    Given v_l, the units are independent Normal(0, v_l), so that v_{l+1} depends on v_l alone: its
    law is that of a mean of N independent terms. Every mean over a layer is a smooth function of
    log v_l on the scale sqrt(2 / N), whatever phi is, so that weights at nodes hold a law. The
    error is twice the distance to the same computation with every parameter coarser, and twice the
    probability that the layers lose.

    Examples
    --------
    >>> law = length_law(Network("relu", sigma_w=2**0.5), width=20, depth=10)
    >>> law.mean.round(6)[[0, 9]], law.quantile([0.05, 0.5, 0.95], layer=10).round(2)
    (array([2., 2.]), array([0.03, 0.59, 8.05]))
    """
    check_network(net)
    width, depth = check_width(width), check_count("depth", depth, maximum=_MOST_LAYERS)
    _refuse_out_of_reach(net, depth)
    chains = [Chain(Kernel(net, width, resolution)) for resolution in (FINE, COARSE)]
    try:
        return _computed(net, depth, *chains)
    except UnresolvedError as refusal:
        reason, resolved = refusal.reason, refusal.resolved
    while resolved > 1:  # the other chain may not reach as far
        try:
            _computed(net, resolved, *chains)
            break
        except UnresolvedError as refusal:
            resolved = min(refusal.resolved, resolved - 1)
    raise UnresolvedError(reason, resolved)


def _computed(net: Network, depth: int, fine: Chain, coarse: Chain) -> LengthLaw:
    width = fine.kernel.width
    laws, others = fine.laws(depth), coarse.laws(depth)
    first = ChiSquare(width, net.first_variance)
    lengths: list[Distribution] = [first]
    error = np.full(depth, 1e-12)
    # A layer's loss of mass is not made good by the next one's gain, nor by its own elsewhere.
    lost = np.cumsum(np.abs(np.diff([law.missing for law in laws], prepend=0.0)) + 2 * TRIM)
    for k in range(1, depth):
        table = Table(laws[k], fine.kernel)
        other = Table(others[k], coarse.kernel)
        points = table.points()
        distance = float(np.abs(table.cdf(points) - other.cdf(points)).max(initial=0.0))
        error[k] = _SAFETY * (distance + lost[k]) + TABLE_ERROR
        if not error[k] <= _WORST:
            raise UnresolvedError(
                f"the law of layer {k + 1} is known within {error[k]:.1g} only", k
            )
        lengths.append(table)
    return LengthLaw(net, width, depth, error, fine, laws, lengths)


def _refuse_out_of_reach(net: Network, depth: int) -> None:
    v = net.first_variance
    if not (v > 0 and LOWEST < math.log(v) < HIGHEST):
        msg = f"first_variance must be between e^{LOWEST:.0f} and e^{HIGHEST:.0f}, got {v!r}"
        raise UnresolvedError(msg, 0)
    critical = critical_variance(net.activation, 4)
    if depth > 1 and critical < math.inf:
        where = "at every length" if critical == 0 else f"at lengths from {critical:.4g} on"
        msg = f"phi^2 of activation {net.activation.name!r} has infinite variance {where}"
        raise UnresolvedError(msg, 1)


def _numbers(name: str, value: ArrayLike) -> Array:
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        msg = f"{name} must be a number or an array of numbers, got {value!r}"
        raise TypeError(msg) from None
    if np.isnan(numbers).any():
        msg = f"{name} must be a number or an array of numbers, got {value!r}"
        raise ValueError(msg)
    return numbers
