"""The scales of the weights in common use, and what each does to the length map."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lengthlab.activations import Activation
from lengthlab.gaussian import mean_square
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.phase_diagram import phase_diagram
from lengthlab.unit_scale import unit_scale

LAYERS = (2, 10, 50)
"""Layers whose lengths a Gain shows."""

_LECUN = "LeCun et al. (1998), Efficient BackProp: variance 1 / fan-in"
_GLOROT = "Glorot & Bengio (2010): variance 2 / (fan-in + fan-out), here of square layers"
_HE = "He et al. (2015): variance 2 / fan-in"
_TORCH = "PyTorch, torch.nn.init.calculate_gain"
_SELU = "Klambauer et al. (2017): variance 1 / fan-in, the scale that SELU was made for"
_UNIT = "E phi(Z)^2, computed: V(1) = 1"


@dataclass(frozen=True)
class Gain:
    """One scale of the weights, without biases, for one phi.

    Attributes
    ----------
    name, source : str
        What it is called, and where it comes from.
    sigma_w : float
        Standard deviation of the weights times sqrt(fan-in).
    image : float
        ``V(1) = sigma_w^2 E phi(Z)^2``: what a length of 1 becomes in the next layer.
    lengths : tuple of float
        Length map at the layers of `LAYERS` for an input in {-1, 1}^N, which enters at sigma_w^2.
    limit : float
        What the lengths tend to, as `phase_diagram` tells it: 0, a fixed point, or inf.
    """

    name: str
    sigma_w: float
    source: str
    image: float
    lengths: tuple[float, ...]
    limit: float


def gains(activation: str | Activation) -> tuple[Gain, ...]:
    """Scales in common use for an activation, beside the one that keeps a length of 1.

    Parameters
    ----------
    activation : str or Activation
        A name from `catalogue`, or an `Activation`.

    Returns
    -------
    tuple of Gain
        "unit scale" first, where there is one; then "LeCun", "Glorot" and "He", which do not look
        at phi; then PyTorch's, if it has one for a phi of this name.

    Raises
    ------
    TypeError, ValueError
        If `activation` is neither, or its name is unknown, or phi gives nan.

    Notes
    -----
    PyTorch's 5/3 for tanh takes a length of 1 to 1.0953, and on to 1.1785; its 3/4 for SELU takes
    it to 0.5625, and on to 0.023. He's scale is the unit scale of ReLU alone.

    Examples
    --------
    >>> for gain in gains("tanh"):
    ...     print(f"{gain.name:10} {gain.sigma_w:.4f} {gain.image:.4f} {gain.limit:.4f}")
    unit scale 1.5925 1.0000 1.0000
    LeCun      1.0000 0.3943 0.0000
    Glorot     1.0000 0.3943 0.0000
    He         1.4142 0.7886 0.6180
    PyTorch    1.6667 1.0953 1.1785
    """
    phi = Network(activation).activation
    rows = list(_rows(phi))
    # One diagram for all: its table of phi is what costs.
    limits = phase_diagram(phi, sigma_w=[sigma_w for _, sigma_w, _ in rows], sigma_b=[0.0]).q_star
    return tuple(_gain(phi, *row, float(q)) for row, q in zip(rows, limits[0], strict=True))


def _rows(phi: Activation) -> Iterator[tuple[str, float, str]]:
    """Name, sigma_w and source of each scale."""
    if 0 < mean_square(phi, 1.0).estimate.value < math.inf:
        yield "unit scale", unit_scale(phi), _UNIT
    yield "LeCun", 1.0, _SELU if phi.name == "selu" else _LECUN
    yield "Glorot", 1.0, _GLOROT
    yield "He", math.sqrt(2), _HE
    if phi.name == "leaky_relu" and phi.homogeneous is not None:
        yield "PyTorch", math.sqrt(2 / (1 + phi.homogeneous.left**2)), _TORCH
    elif phi.name in _TORCH_GAINS:
        yield "PyTorch", _TORCH_GAINS[phi.name], _TORCH


_TORCH_GAINS = {
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def _gain(phi: Activation, name: str, sigma_w: float, source: str, limit: float) -> Gain:
    net = Network(phi, sigma_w=sigma_w)
    lengths = length_map(net, depth=max(LAYERS)).values
    image = net.gain * mean_square(phi, 1.0).estimate.value
    shown = tuple(float(lengths[layer - 1]) for layer in LAYERS)
    return Gain(name, sigma_w, source, image, shown, limit)
