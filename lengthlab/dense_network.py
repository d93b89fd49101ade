"""The network with its weight matrices, to compare the sampler with."""

import math
import time
from collections.abc import Iterator

import numpy as np

from lengthlab.activations import Array
from lengthlab.checks import MOST_BYTES, check_count
from lengthlab.network import Network, check_network
from lengthlab.rng import RandomState, block_generator, seed_sequence


def sample_lengths_dense(
    net: Network, *, width: int, depth: int, trials: int, rng: RandomState = None
) -> Array:
    """Draw what `sample_lengths` draws, with real weight matrices, biases and dropout masks.

    Parameters
    ----------
    net : Network
        Activation and scales.
    width : int
        Units N a layer, ``>= 1``.
    depth : int
        Layers, ``>= 1``.
    trials : int
        Independent networks, ``>= 1``.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        The same seed gives the same networks (their lengths to rounding: the products are BLAS's),
        but not those of `sample_lengths`.

    Returns
    -------
    numpy.ndarray, shape (trials, depth)
        ``q_l = |h_l|^2 / N``, layer 1 first; ``inf`` from the layer on where a trial leaves the
        floats.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, a weight matrix needs more than 256 MB, or the activation
        returns nan.

    Notes
    -----
    Some N times slower than `sample_lengths`, and the same law. Source: Long & Sedghi (2019),
    section 2; the input is a random point of {-1, 1}^N times ``sqrt(input_length)``.

    Examples
    --------
    >>> sample_lengths_dense(Network("tanh"), width=50, depth=3, trials=2, rng=0).shape
    (2, 3)
    """
    check_network(net)
    width, depth = check_count("width", width), check_count("depth", depth)
    trials = check_count("trials", trials)
    process = DenseProcess(net, width=width, depth=depth, rng=rng)
    return process.advance(math.inf, trials=trials)


class DenseProcess:
    """The networks of `sample_lengths_dense`, one layer after the other, in pieces of time.

    Parameters
    ----------
    net, width, depth, rng
        As in `sample_lengths_dense`.
    """

    def __init__(self, net: Network, *, width: int, depth: int, rng: RandomState = None) -> None:
        size = 8 * width * width
        if size > MOST_BYTES:
            way_out = "use sample_lengths, which has the same law and needs none"
            msg = f"width {width} needs {size / 1e6:.0f} MB of weights; {way_out}"
            raise ValueError(msg)
        self.net, self.depth = net, depth
        self._weights = np.empty((width, width))
        self._seed = seed_sequence(rng)
        self._begun = 0
        self._begin()

    def _begin(self) -> None:
        self._lengths = np.full(self.depth, math.inf)
        rng = block_generator(self._seed, self._begun)
        self._layers = _forward(self.net, rng, self._weights, self._lengths)
        self._begun += 1

    def advance(self, seconds: float, *, trials: int) -> Array:
        """Draw for about `seconds`, a layer at least, and return the networks finished by then.

        Parameters
        ----------
        seconds : float
            Time to spend; overrun by a layer.
        trials : int
            At most so many networks.

        Returns
        -------
        numpy.ndarray, shape (k, depth)
            The ``k >= 0`` next ones, the same however the calls are cut.
        """
        deadline = time.perf_counter() + seconds
        finished: list[Array] = []
        while len(finished) < trials:
            with np.errstate(all="ignore"):
                done = next(self._layers, True)
            if done:
                finished.append(self._lengths)
                self._begin()
            if time.perf_counter() > deadline:
                break
        return np.array(finished).reshape(len(finished), self.depth)


def _forward(
    net: Network, rng: np.random.Generator, weights: Array, lengths: Array
) -> Iterator[bool]:
    """One network: fill `lengths`, a layer a step, until they leave the floats."""
    width, keep = len(weights), net.keep_probability
    x = math.sqrt(net.input_length) * rng.choice((-1.0, 1.0), size=width)
    for layer in range(len(lengths)):
        rng.standard_normal(out=weights)
        b = net.sigma_b * rng.standard_normal(width)
        h = net.sigma_w / math.sqrt(width) * (weights @ x) + b
        length = np.mean(h**2)
        if not np.isfinite(length):
            return
        lengths[layer] = length
        x = net.activation(h)
        net.activation.refuse_nan(h, x)
        if keep < 1:
            x = np.where(rng.random(width) < keep, x / keep, 0.0)
        yield False
