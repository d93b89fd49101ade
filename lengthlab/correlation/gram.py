"""Several inputs at finite width: the exact sampler of their Gram matrices."""

import math
from typing import Any

import numpy as np

from lengthlab.activations import Array
from lengthlab.blocks import Steps, allowed_threads, draw
from lengthlab.checks import check_count, check_size, check_width
from lengthlab.network import Network, check_network
from lengthlab.rng import RandomState

_CHUNK = 25_000  # doubles a step at most
_BLOCK = 65536  # normals a block at least
_SLACK = 1e-10  # of the largest entry: what rounding may do to a Gram matrix


def sample_gram(
    net: Network,
    inputs_gram: Any,
    *,
    width: int,
    depth: int,
    trials: int,
    rng: RandomState = None,
    threads: int | None = None,
) -> Array:
    """Gram matrices of the pre-activations of k inputs in independent random networks.

    Parameters
    ----------
    net : Network
        Activation and scales. Its `input_length` is not used: the diagonal of `inputs_gram` is.
    inputs_gram : array_like, shape (k, k)
        ``X X^T / N`` for the k inputs as rows of X: symmetric, positive semidefinite.
    width, depth : int
        Units N a layer, from 1 to 10^12, and layers, ``>= 1``.
    trials : int
        Independent networks, ``>= 1``; each sees all k inputs.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        The n-th network of a seed is the same for every `trials` and every number of threads.
    threads : int, optional
        Threads to use; by default one a core, and one alone for a Python function of the caller's.

    Returns
    -------
    numpy.ndarray, shape (trials, depth, k, k)
        ``h_l(a) . h_l(b) / N``, layer 1 first: the diagonal holds the q_l of each input. All
        ``inf`` from the layer on where a network leaves the floats with any input; never nan.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, the answer needs more than 256 MB, or the activation returns
        nan.

    Notes
    -----
    Exact at every width: given the layer before, the rows of ``(h_l(1), ..., h_l(k))`` are
    independent ``Normal(0, sigma_w^2 X X^T / N + sigma_b^2)`` for the k vectors X that enter. With
    dropout each input has masks of its own, so that 1/p multiplies the mean of the diagonal only.
    One input has the law of `sample_lengths`. Source: Long & Sedghi (2019), section 2, for k
    inputs; masks as in Schoenholz et al. (2017).

    Examples
    --------
    >>> gram = sample_gram(
    ...     Network("tanh"), [[1.0, 0.5], [0.5, 1.0]], width=100, depth=3, trials=10, rng=0
    ... )
    >>> gram.shape
    (10, 3, 2, 2)
    """
    check_network(net)
    inputs = check_gram("inputs_gram", inputs_gram)
    width, depth = check_width(width), check_count("depth", depth, maximum=10**7)
    trials, k = check_count("trials", trials, maximum=10**12), len(inputs)
    what = f"{trials} trials of {depth} matrices {k} x {k}"
    check_size((trials, depth, k, k), what, "ask for fewer trials")
    law = Grams(net, inputs, width, depth)
    allowed = allowed_threads(threads, safe=net.activation.into is not None)
    flat = draw(law, trials, rng=rng, threads=allowed)
    return flat.reshape(trials, depth, k, k)


def check_gram(name: str, value: Any) -> Array:
    """Return `value` as a symmetric matrix without negative eigenvalues, or say what is wrong.

    Examples
    --------
    >>> check_gram("inputs_gram", [[1.0, 2.0], [2.0, 1.0]])
    Traceback (most recent call last):
        ...
    ValueError: inputs_gram must have no negative eigenvalue, got -1 among them; compute it as
    X @ X.T / N from the inputs X
    """
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        msg = f"{name} must be a square matrix of numbers, got {value!r}"
        raise TypeError(msg) from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        way_out = "; write [[1.0]] for one input of length 1" if matrix.ndim == 0 else ""
        msg = f"{name} must be a square matrix of numbers, got shape {matrix.shape}{way_out}"
        raise ValueError(msg)
    if not np.isfinite(matrix).all():
        msg = f"{name} must be finite, got {float(matrix[~np.isfinite(matrix)][0])!r} in it"
        raise ValueError(msg)
    way_out = "compute it as X @ X.T / N from the inputs X"
    size = np.abs(matrix).max()
    a, b = np.unravel_index(np.abs(matrix - matrix.T).argmax(), matrix.shape)
    if abs(matrix[a, b] - matrix[b, a]) > _SLACK * size:
        msg = f"{name} must be symmetric, got {matrix[a, b]:g} and {matrix[b, a]:g}; {way_out}"
        raise ValueError(msg)
    matrix = (matrix + matrix.T) / 2
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -_SLACK * len(matrix) * size:
        msg = f"{name} must have no negative eigenvalue, got {smallest:.4g} among them; {way_out}"
        raise ValueError(msg)
    return matrix


class Grams:
    """The chain from one covariance of the k inputs to the next; a row holds `layers` matrices."""

    def __init__(self, net: Network, inputs: Array, width: int, layers: int) -> None:
        self.net, self.inputs, self.width, self.layers = net, inputs, width, layers
        self.k = len(inputs)
        self.depth = layers * self.k * self.k
        self.together = max(1, _CHUNK // (width * self.k))
        cost = self.together * width * self.k * layers
        self.trials = self.together * max(1, round(_BLOCK / cost))

    def buffers(self) -> Array:
        """Nothing is kept between two steps."""
        return np.empty(0)

    def block(self, rng: np.random.Generator, out: Array) -> Steps:
        """Fill `out`, shape (trials, layers * k * k)."""
        out.fill(math.inf)
        grams = out.reshape(len(out), self.layers, self.k, self.k)
        for top in range(0, len(out), self.together):
            yield from self._chain(rng, grams[top : top + self.together])

    def _chain(self, rng: np.random.Generator, out: Array) -> Steps:
        covariance = self._following(np.broadcast_to(self.inputs, (len(out), *self.inputs.shape)))
        for layer in range(self.layers):
            alive = np.asarray(np.isfinite(covariance).all(axis=(1, 2)))
            root = _root(np.where(alive[:, None, None], covariance, 0.0))
            h_gram, x_gram = np.zeros((2, len(out), self.k, self.k))
            for start in range(0, self.width, max(1, _CHUNK // (len(out) * self.k))):
                yield
                units = min(max(1, _CHUNK // (len(out) * self.k)), self.width - start)
                h = rng.standard_normal((len(out), units, self.k)) @ root
                h_gram += h.transpose(0, 2, 1) @ h
                if layer + 1 < self.layers:
                    x = self._images(rng, h)
                    x_gram += x.transpose(0, 2, 1) @ x
            h_gram[~alive] = math.inf
            lost = ~np.isfinite(h_gram).all(axis=(1, 2))
            h_gram[lost] = math.inf
            out[:, layer] = h_gram / self.width
            x_gram[lost] = math.inf
            covariance = self._following(x_gram / self.width)

    def _images(self, rng: np.random.Generator, h: Array) -> Array:
        """phi(h), masked: each unit of each input by a mask of its own."""
        x, keep = self.net.activation(h), self.net.keep_probability
        self.net.activation.refuse_nan(h, x)
        return x if keep == 1 else np.where(rng.random(x.shape) < keep, x / keep, 0.0)

    def _following(self, gram: Array) -> Array:
        """Covariance of a row of h, given the Gram matrix / N of what enters."""
        net = self.net
        return np.asarray(net.sigma_w * net.sigma_w * gram + net.sigma_b * net.sigma_b)


def _root(covariance: Array) -> Array:
    """Matrices R with ``R^T R = covariance``, shape (..., k, k), for singular ones as well."""
    values, vectors = np.linalg.eigh(covariance)
    roots = np.sqrt(np.maximum(values, 0.0))
    return np.asarray(roots[..., :, None] * np.swapaxes(vectors, -1, -2))
