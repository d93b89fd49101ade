"""The parameters of a random network, frozen."""

from dataclasses import dataclass

from lengthlab.activations import Activation, activation
from lengthlab.checks import check_real


@dataclass(frozen=True, init=False)
class Network:
    """A random, fully connected network: activation and scales, of any width and depth.

    ``h_l = W_l x_{l-1} + b_l`` and ``x_l = phi(h_l)`` with ``W_l[i, j] ~ Normal(0, sigma_w^2 / N)``
    and ``b_l[i] ~ Normal(0, sigma_b^2)``, for l = 1, ..., depth and width N.

    Parameters
    ----------
    activation : str or Activation
        A name from `catalogue`, or an `Activation`.
    sigma_w : float
        Standard deviation of the weights times sqrt(N), ``> 0``.
    sigma_b : float
        Standard deviation of the biases, ``>= 0``.
    keep_probability : float
        Inverted dropout on x_1, x_2, ...: a unit is kept with this probability (``0 < p <= 1``) and
        then divided by it. The input is never masked.
    input_length : float
        ``|x_0|^2 / N > 0``; 1 for an input in {-1, 1}^N.

    Raises
    ------
    ValueError, TypeError
        If an argument breaks its rule.

    Notes
    -----
    Source: Long & Sedghi (2019), section 2; dropout as in Schoenholz et al. (2017), section 5.

    Examples
    --------
    >>> net = Network("tanh", sigma_w=1.5, sigma_b=0.3)
    >>> net.first_variance
    2.34
    """

    activation: Activation
    sigma_w: float
    sigma_b: float
    keep_probability: float
    input_length: float

    def __init__(
        self,
        activation: str | Activation,  # the field of the same name
        *,
        sigma_w: float = 1.0,
        sigma_b: float = 0.0,
        keep_probability: float = 1.0,
        input_length: float = 1.0,
    ) -> None:
        set_field = object.__setattr__  # the way to fill a frozen dataclass
        set_field(self, "activation", _as_activation(activation))
        set_field(self, "sigma_w", check_real("sigma_w", sigma_w, above=0))
        set_field(self, "sigma_b", check_real("sigma_b", sigma_b, at_least=0))
        keep = check_real("keep_probability", keep_probability, above=0, at_most=1)
        set_field(self, "keep_probability", keep)
        set_field(self, "input_length", check_real("input_length", input_length, above=0))

    @property
    def first_variance(self) -> float:
        """``v_1 = qt_1 = sigma_w^2 |x_0|^2 / N + sigma_b^2``: layer 1 at every width."""
        return self.sigma_w * self.sigma_w * self.input_length + self.sigma_b * self.sigma_b

    @property
    def gain(self) -> float:
        """Factor of ``mean(phi^2)`` from layer 2 on: ``sigma_w^2 / keep_probability``."""
        return self.sigma_w * self.sigma_w / self.keep_probability


def _as_activation(value: str | Activation) -> Activation:
    return value if isinstance(value, Activation) else activation(value)


def check_network(net: Network) -> Network:
    """Return `net`, or say how to make a Network.

    Examples
    --------
    >>> check_network("tanh")
    Traceback (most recent call last):
        ...
    TypeError: net must be a Network, got 'tanh'; write Network('tanh')
    """
    if not isinstance(net, Network):
        msg = f"net must be a Network, got {net!r}"
        if isinstance(net, (str, Activation)):
            msg += f"; write Network({net!r})" if isinstance(net, str) else "; write Network(net)"
        raise TypeError(msg)
    return net
