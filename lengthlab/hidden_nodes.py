"""The hidden nodes themselves: the exact sampler of the pre-activations h_1, ..., h_depth."""

import math

import numpy as np

from lengthlab.activations import Array
from lengthlab.blocks import Steps, allowed_threads, draw
from lengthlab.checks import check_count, check_size, check_width
from lengthlab.network import Network, check_network
from lengthlab.rng import RandomState

_BLOCK = 65536  # numbers a block at least: choosing a stream costs 10 us


def sample_hidden_nodes(
    net: Network,
    *,
    width: int,
    depth: int,
    trials: int,
    rng: RandomState = None,
    threads: int | None = None,
) -> Array:
    """Pre-activations of independent random networks, all units of all layers.

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
        The n-th network of a seed is the same for every `trials` and every number of threads; it is
        not the n-th of `sample_lengths`.
    threads : int, optional
        Threads to use; by default one a core, and one alone for a Python function of the caller's.

    Returns
    -------
    numpy.ndarray, shape (trials, depth, width)
        ``h_l``, layer 1 first; ``inf`` or ``-inf`` from the layer on where ``v_l`` leaves the
        floats, never nan.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, the answer needs more than 256 MB, or the activation returns
        nan.

    Notes
    -----
    The exact joint law, without weight matrices: ``h_l = sqrt(v_l) z_l`` with fresh normals z_l.
    The units of a layer share v_l: they are exchangeable and uncorrelated, but at finite width
    neither independent, ``Cov(h_i^2, h_j^2) = Var(v_l)``, nor Gaussian: their kurtosis is
    ``3 (1 + Var(v_l) / E[v_l]^2)``. Source: Long & Sedghi (2019), section 2.

    Examples
    --------
    >>> h = sample_hidden_nodes(Network("relu"), width=5, depth=3, trials=1000, rng=0)
    >>> h.shape
    (1000, 3, 5)
    """
    check_network(net)
    width, depth = check_width(width), check_count("depth", depth, maximum=10**7)
    trials = check_count("trials", trials, maximum=10**12)
    way_out = "ask for fewer trials, or use sample_lengths, which keeps one number a layer"
    check_size((trials, depth, width), f"{trials} trials of {depth} x {width} units", way_out)
    law = _HiddenNodes(net, width, depth)
    allowed = allowed_threads(threads, safe=net.activation.into is not None)
    h = draw(law, trials, rng=rng, threads=allowed)
    return h.reshape(trials, depth, width)


class _HiddenNodes:
    """The law of (h_1, ..., h_depth): a row holds them one after the other."""

    def __init__(self, net: Network, width: int, layers: int) -> None:
        self.net, self.width, self.layers = net, width, layers
        self.depth = layers * width
        self.trials = max(1, _BLOCK // self.depth)
        self._scale = net.gain / net.keep_probability

    def buffers(self) -> Array:
        """Nothing is kept between two steps."""
        return np.empty(0)

    def block(self, rng: np.random.Generator, out: Array) -> Steps:
        """Fill `out`, shape (trials, layers * width), a layer a step."""
        nodes = out.reshape(len(out), self.layers, self.width)
        v = np.full((len(out), 1), self.net.first_variance)
        for layer in range(self.layers):
            yield
            z = rng.standard_normal((len(out), self.width))
            h = np.where(v < math.inf, np.sqrt(v) * z, np.copysign(math.inf, z))
            nodes[:, layer] = h
            if layer + 1 < self.layers:
                v = self._next(rng, h, v)

    def _next(self, rng: np.random.Generator, h: Array, v: Array) -> Array:
        """``v_{l+1}`` from ``h_l``, shape (trials, 1); where v is inf it stays so."""
        keep, seen = self.net.keep_probability, v[:, 0] < math.inf
        images = np.full_like(h, math.inf)
        images[seen] = self.net.activation(h[seen])
        self.net.activation.refuse_nan(h, images)
        if keep < 1:
            # Each unit has its own mask: unlike the lengths, h tells one unit from another.
            images[seen] = np.where(rng.random(h.shape) < keep, images, 0.0)[seen]
        r = np.mean(images * images, axis=1, keepdims=True)
        noise = self.net.sigma_b * self.net.sigma_b
        return np.where(r > 0, self._scale * r, 0.0) + noise  # inf * 0 is no number
