"""The scale of the weights at which a length of 1 is kept."""

import math

from lengthlab.activations import Activation
from lengthlab.gaussian import mean_square
from lengthlab.network import Network


def unit_scale(activation: str | Activation, sigma_b: float = 0.0) -> float:
    """Scale sigma_w at which the length map keeps a length of 1: V(1) = 1.

    Parameters
    ----------
    activation : str or Activation
        A name from `catalogue`, or an `Activation`.
    sigma_b : float
        Standard deviation of the biases, ``0 <= sigma_b < 1``: their share of the length is
        sigma_b^2.

    Returns
    -------
    float
        ``sigma_w = sqrt((1 - sigma_b^2) / E phi(Z)^2)``, within about 1e-12 of it.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or E phi(Z)^2 is 0, infinite or beyond every float.

    Notes
    -----
    For ReLU it is the scale of He et al. (2015), for the identity that of LeCun et al. (1998). An
    input in {-1, 1}^N enters at the length sigma_w^2 + sigma_b^2; give the network
    ``input_length=(1 - sigma_b**2) / sigma_w**2`` and it enters at 1.

    Examples
    --------
    >>> round(unit_scale("tanh"), 4)
    1.5925
    >>> round(unit_scale("relu", sigma_b=0.6) ** 2, 12)  # 2 (1 - 0.36)
    1.28
    """
    net = Network(activation, sigma_b=sigma_b)
    phi = net.activation
    if net.sigma_b >= 1:
        msg = (
            f"sigma_b must be a finite number >= 0 and < 1, got {sigma_b!r}; "
            "biases alone make a length of sigma_b^2, and no sigma_w > 0 takes any of it away"
        )
        raise ValueError(msg)
    moment = mean_square(phi, 1.0).estimate
    if not 0 < moment.value < math.inf:
        size = "beyond every float" if moment.overflow else f"{moment.value:g}"
        way_out = f"scale it: Activation(lambda x: {phi.name}(x / 10))"
        if moment.value == 0:
            way_out = "0 on almost every x, it gives every network the length sigma_b^2"
        elif not moment.overflow:
            way_out = "no sigma_w keeps a length of 1; see lengthlab.outcome"
        got = f"{phi.name!r} with {size}"
        msg = f"activation must have a finite E phi(Z)^2 > 0, got {got}; {way_out}"
        raise ValueError(msg)
    return math.sqrt((1 - net.sigma_b) * (1 + net.sigma_b) / moment.value)
