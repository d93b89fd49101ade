"""What becomes of a network's lengths as its width grows: convergence, and within reach or not."""

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.polynomial.legendre import leggauss

from lengthlab.activations import Activation, Array
from lengthlab.assumptions import Assessment, assess
from lengthlab.checks import check_count
from lengthlab.gaussian import mean_fourth, mean_square, window
from lengthlab.length_map import LengthMap, length_map
from lengthlab.network import Network, check_network

DEEPEST = 10**6
"""Largest depth that is looked into."""
REACH = 1e9
"""Largest width that counts as within reach."""
TOLERANCE = 0.1
"""Relative distance of a median from the length map that counts as there."""

_LOG_DENSITY = -math.log(2 * math.pi) / 2
_LOG_OFF = 300.0  # log of a part of the mean that is off by any measure
_WIDEST = 300.0  # log10 of the largest width that is tried
_NODES, _WEIGHTS = leggauss(15)


@dataclass(frozen=True)
class Outcome:
    """What becomes of the lengths of a network as its width grows.

    Attributes
    ----------
    kind : str
        "converges": every q_l tends to the length map in probability. "out of reach": it does, but
        the median of some q_l is within 10 % of the map only at widths above 10^9. "fails": some
        layer's length does not converge. "undecided": none of these was shown.
    layer : int or None
        The layer that decides, counted from 1: that fails, that is out of reach, or that is
        undecided.
    reason : str
        Sentences for a reader.
    width : float or None
        Estimate of the smallest width at which the median of every q_l is within 10 % of the map,
        inf beyond 10^300; None where the lengths do not converge, or that is undecided.
    certain : bool
        False where the kind rests on probing a plain Python phi.
    """

    kind: str
    layer: int | None
    reason: str
    width: float | None = None
    certain: bool = True


def outcome(net: Network, *, depth: int = 10) -> Outcome:
    """Whether the lengths of a network converge to its length map, and at widths within reach.

    Parameters
    ----------
    net : Network
        Activation and scales.
    depth : int
        Number of layers, ``1 <= depth <= 10^6``.

    Returns
    -------
    Outcome
        Of the network, not of phi: the same phi may converge, fail or be out of reach.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or phi gives nan.

    Notes
    -----
    Layer l + 1 converges if E phi(sqrt(q) Z)^2 is finite for q in a neighbourhood of qt_l: v_l is
    near qt_l, and the law of large numbers holds for terms whose laws are that near. Where the mean
    is infinite, averages of N such terms tend to infinity. Long & Sedghi's assumptions (2019) make
    it finite at every q; they are sufficient, not necessary.

    The width is an estimate, not a bound. To first order in 1/N the median of log q_l is off by a
    constant over N. Where the mean is carried by rare units that is much too careful, or infinite;
    then the median is what is left under the largest of N terms when that is at its own median.
    Where both matter, in deep networks, expect an order of magnitude.

    Examples
    --------
    >>> outcome(Network("exp_square", sigma_w=0.8)).kind
    'converges'
    >>> outcome(Network("exp_square", sigma_w=1.0), depth=14).layer
    13
    >>> from lengthlab.activations import activation
    >>> far = outcome(Network(activation("exp_power", c=0.5), sigma_w=1.5), depth=2)
    >>> far.kind, far.layer
    ('out of reach', 2)
    """
    check_network(net)
    depth = check_count("depth", depth, maximum=DEEPEST)
    prediction = length_map(net, depth=depth)
    if depth == 1:
        reason = "q_1 is v_1 times a chi-square with N degrees over N, whatever phi is."
        return Outcome("converges", None, reason, _first_order(net, prediction, 1)[0])
    known = assess(net.activation)
    certain = known.certain or prediction.certain
    return replace(_with(net, prediction, known), certain=certain)


def _with(net: Network, prediction: LengthMap, known: Assessment) -> Outcome:
    """`outcome`, with what is known of phi."""
    depth = len(prediction.values)
    failure = _failure(prediction, known)
    if failure is not None:
        return failure
    finite = int(np.isfinite(prediction.values).sum())
    if finite == 0:
        return Outcome("undecided", 1, "The length of layer 1 is beyond every float.")
    width, layer = _width(net, prediction, finite, known)
    if width > REACH:
        return Outcome("out of reach", layer, _why_far(width, layer), width)
    if finite < depth:
        reason = (
            f"The length of layer {finite + 1} is finite, but beyond every float: whether a width "
            "within reach comes near it is not known."
        )
        return Outcome("undecided", finite + 1, reason)
    return Outcome("converges", None, _why(prediction, known), width)


# --- does it converge? ----------------------------------------------------------------------------


def _failure(prediction: LengthMap, known: Assessment) -> Outcome | None:
    """Return what stands against convergence, None if nothing does."""
    critical = known.critical_variance
    for k, q in enumerate(prediction.values[:-1].tolist()):
        if critical is None or math.isinf(q) or math.isinf(critical):
            break
        error = float(prediction.errors[k]) if k else 0.0  # layer 1 is as it was asked for
        if q > 0 and q - error >= critical:
            return Outcome("fails", k + 2, _why_not(k + 2, q, known))
        if critical > 0 and q + error >= critical:
            reason = (
                f"The length of layer {k + 1} is {q:.10g}, too near {critical:.10g}, from which on "
                "E phi^2 is infinite, to tell on which side it is."
            )
            return Outcome("undecided", k + 2, reason)
    layer = prediction.first_infinite
    if layer is not None:
        return Outcome("fails", layer, _why_not(layer, float(prediction.values[layer - 2]), known))
    if critical is None and not prediction.certain:
        reason = (
            "Whether E phi(sqrt(q) Z)^2 is finite was not decided; as far as phi was computed, it "
            f"is at every layer. {known.bounded.reason} {known.growth.reason}"
        )
        return Outcome("undecided", None, reason)
    return None


def _why_not(layer: int, q: float, known: Assessment) -> str:
    what = known.growth.reason if known.growth.holds is False else known.bounded.reason
    return (
        f"At layer {layer - 1} the length tends to {q:.6g}, where E phi(sqrt(q) Z)^2 is infinite: "
        f"averages of phi^2 over N units tend to no number, and neither does layer {layer}. {what}"
    )


def _why(prediction: LengthMap, known: Assessment) -> str:
    if known.permissible and not known.certain:
        return (
            "As far as phi was probed it is permissible, and then the lengths converge by the "
            "theorem of Long & Sedghi (2019)."
        )
    if known.permissible:
        return "phi is permissible: the lengths converge by the theorem of Long & Sedghi (2019)."
    critical = known.critical_variance
    largest = float(prediction.values[:-1].max())
    if critical is not None and math.isfinite(critical):
        return (
            f"phi is not permissible, but E phi(sqrt(q) Z)^2 is finite for q < {critical:.6g}, and "
            f"no length that feeds a layer is above {largest:.6g}: averages of phi^2 converge."
        )
    return (
        f"phi is {'not' if known.permissible is False else 'not known to be'} permissible, but "
        "E phi(sqrt(q) Z)^2 is finite for every q: averages of phi^2 converge. The assumptions are "
        "sufficient, not necessary."
    )


# --- at which width? ------------------------------------------------------------------------------


def _why_far(width: float, layer: int) -> str:
    size = f"about {width:.1g}" if width < math.inf else "more than 1e300"
    return (
        f"The lengths converge, but rare units carry the mean of phi^2 at layer {layer - 1}: the "
        f"median of layer {layer} is estimated to come within 10 % of the length map at a width of "
        f"{size}. The estimate rests on the largest of N terms being at its median."
    )


def _width(
    net: Network, prediction: LengthMap, finite: int, known: Assessment
) -> tuple[float, int]:
    """Smallest width with all medians within 10 % of the map, and the layer that needs it."""
    smooth = _first_order(net, prediction, finite)
    if smooth[0] <= 1e5:  # moderate tails: the expansion holds where it is used
        return smooth
    chain = _Chain(net, prediction.values[:finite], [pole.location for pole in known.poles])
    rare = chain.width()
    return min(smooth, rare)


def _first_order(net: Network, prediction: LengthMap, finite: int) -> tuple[float, int]:
    """Width from the first-order bias of the median of log q_l, which is (B_l - 2/3) / N."""
    bias, spread, noise, worst = 0.0, 0.0, 0.0, (2 / 3 / TOLERANCE, 1)
    layer = cache(lambda q: _Layer.at(net, q))  # deep down the lengths stand still
    for k in range(finite - 1):
        q, image = float(prediction.values[k]), float(prediction.values[k + 1])
        if q == 0 or image == 0:
            continue
        here = layer(q)
        if here.m == 0:  # phi is 0 almost everywhere, whatever floats say
            noise = 0.0
        elif here.m * here.m > 0:  # else it underflows: the noise is taken from the layer before
            relative = here.fourth / (here.m * here.m) / net.keep_probability - 1
            noise = (net.gain * here.m / image) ** 2 * max(relative, 0.0)
        bias = here.slope * bias + here.bend * spread / 2 - noise / 2
        spread = here.slope**2 * spread + noise
        if not math.isfinite(bias + spread):
            return math.inf, k + 2
        worst = max(worst, (abs(bias - 2 / 3) / TOLERANCE, k + 2))
    return math.ceil(worst[0]), worst[1]


@dataclass(frozen=True)
class _Layer:
    """What the first order takes of a layer: moments of phi, slope and bend of log V in log q."""

    m: float
    fourth: float
    slope: float
    bend: float

    @classmethod
    def at(cls, net: Network, q: float) -> "_Layer":
        """Compute them at a length q."""
        m = mean_square(net.activation, q).estimate.value
        below, here, above = (_log_slope(net, q * math.exp(h)) for h in (-1e-3, 0.0, 1e-3))
        return cls(m, mean_fourth(net.activation, q).value, here, (above - below) / 2e-3)


def _log_slope(net: Network, q: float) -> float:
    """Slope of log V in log q."""
    m = mean_square(net.activation, q)
    bias = net.sigma_b * net.sigma_b
    return net.gain * m.slope * q / (net.gain * m.estimate.value + bias)


class _Chain:
    """Medians of the lengths at a given width, layer by layer, where rare units carry the mean."""

    def __init__(self, net: Network, limits: Array, poles: list[float]) -> None:
        self.net, self.limits, self.poles = net, limits, poles
        self.first = _Shares(net.activation, float(limits[0]), poles)

    def width(self) -> tuple[float, int]:
        """Width from which on no median is off by more than the tolerance, and its last layer."""
        low, high, layer = 0.0, _WIDEST, self.off(_WIDEST)
        if layer:
            return math.inf, layer
        while high - low > 0.01:
            middle = (low + high) / 2
            found = self.off(middle)
            if found:
                low, layer = middle, found
            else:
                high = middle
        return 10.0**high, layer or 1

    def off(self, log_width: float) -> int:
        """First layer whose median is too far from the map; 0 if there is none."""
        width = 10.0**log_width
        half = (1 - 2 / (9 * width)) ** 3  # median of chi-square over N
        v, bias = float(self.limits[0]), self.net.sigma_b**2
        for k, limit in enumerate(self.limits.tolist()):
            if limit > 0 and not 1 - TOLERANCE <= v * half / limit <= 1 + TOLERANCE:
                return k + 1
            if k + 1 == len(self.limits) or v == 0:
                break
            shares = self.first if k == 0 else _Shares(self.net.activation, v, self.poles)
            m = mean_square(self.net.activation, v).estimate.value
            part = shares.median(width * self.net.keep_probability)
            v = self.net.gain * m * part + bias
        return 0


class _Shares:
    """How much of E phi(sqrt(v) Z)^2 the largest values hold, by their probability."""

    def __init__(self, phi: Activation, v: float, poles: list[float]) -> None:
        found = window(phi, v)
        assert found is not None  # v is no more than a length whose image is finite
        scale = math.sqrt(v)
        rungs = 2.0 ** -np.arange(1.0, 160.0)
        near = [p / scale + side * rungs for p in poles for side in (-1, 1)]
        edges = np.unique(np.concatenate([found[0], *near]))
        edges = np.unique(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
        half = np.diff(edges)[:, None] / 2
        z = (edges[:-1, None] + half * (1 + _NODES)).ravel()
        log_p = np.log((half * _WEIGHTS).ravel()) + _LOG_DENSITY - z * z / 2
        with np.errstate(all="ignore"):
            log_phi = phi.log_abs(scale * z) if phi.log_abs else np.log(np.abs(phi(scale * z)))
        log_x = 2 * np.asarray(log_phi)
        order = np.argsort(-log_x)
        order = order[np.isfinite(log_x[order])]
        self.log_x, log_p = log_x[order], log_p[order]
        if not len(order):  # phi vanishes in floats on this scale: nothing to tell apart
            order, self.log_x, log_p = np.zeros(1, dtype=int), np.zeros(1), np.zeros(1)
        self.log_probability = np.logaddexp.accumulate(log_p)
        log_mass = np.logaddexp.accumulate(log_p + self.log_x)
        self.log_mean = float(log_mass[-1])
        self.share = np.exp(log_mass - self.log_mean)

    def median(self, width: float) -> float:
        """Median of the mean of `width` terms, as a part of its expectation.

        The largest term is at its median t, which is exceeded with probability log(2) / width; the
        others are below it.
        """
        log_probability = math.log(math.log(2) / width)
        log_t = float(np.interp(log_probability, self.log_probability, self.log_x))
        largest = math.exp(min(log_t - self.log_mean - math.log(width), _LOG_OFF))
        if log_probability < self.log_probability[0]:  # beyond the largest node
            above = math.log(2) * largest
        else:
            above = float(np.interp(log_probability, self.log_probability, self.share))
        return 1 - above + largest
