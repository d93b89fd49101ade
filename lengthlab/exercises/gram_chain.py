"""Exercise 12.4: the chain of Gram matrices, right, and with the mistakes that are made in it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lengthlab.activations import Activation, activation
from lengthlab.correlation import sample_gram
from lengthlab.exercises.functions import Samples, called, counting_rng, require_samples
from lengthlab.exercises.kinds import Refusal
from lengthlab.network import Network


def chain(phi: Any, sigma_w: float, sigma_b: float, *drawn: Any, but: str = "") -> Samples:
    """Run the chain of Gram matrices, `but` with a mistake that is made in writing it."""
    gram, width, depth, trials, rng = drawn
    k = len(gram)
    x_gram = np.broadcast_to(np.asarray(gram, dtype=float), (trials, k, k))
    out = np.empty((trials, depth, k, k))
    z = rng.standard_normal((trials, width, k))
    for layer in range(depth):
        if layer and but != "stale":
            z = rng.standard_normal((trials, width, k))
        bias = {"own bias": np.eye(k), "no bias": np.zeros((k, k))}.get(but, np.ones((k, k)))
        covariance = sigma_w**2 * x_gram + sigma_b**2 * bias
        if but == "apart":
            covariance = covariance * np.eye(k)
        factor = covariance if but == "no root" else np.linalg.cholesky(covariance)
        h = z @ (factor if but == "turned" else np.swapaxes(factor, 1, 2))
        x = phi(h)
        x_gram = np.swapaxes(x, 1, 2) @ x / width
        out[:, layer] = x_gram if but == "after" else np.swapaxes(h, 1, 2) @ h / width
        if but == "pooled":
            x_gram = np.broadcast_to(x_gram.mean(axis=0), (trials, k, k))
    if but == "cosine":
        lengths = np.sqrt(np.diagonal(out, axis1=2, axis2=3))
        return np.asarray(out / lengths[..., :, None] / lengths[..., None, :])
    return out


def mistake(name: str) -> Callable[..., Samples]:
    """Return the chain with a mistake."""
    return partial(chain, but=name)


def right(phi: Any, sigma_w: float, sigma_b: float, *drawn: Any) -> Samples:
    """Draw from the package itself: another code, another root of the covariance."""
    known = phi if isinstance(phi, Activation) else Activation(phi, name="phi")
    net = Network(known, sigma_w=sigma_w, sigma_b=sigma_b)
    gram, width, depth, trials, rng = drawn
    return np.asarray(sample_gram(net, gram, width=width, depth=depth, trials=trials, rng=rng))


def draw(function: Any, seed: int) -> Samples:
    """Entries of the Gram matrices with tanh and with the identity, a column each.

    For the identity the next covariance is visible from outside: a chain that does not carry it
    from layer to layer is seen in the ratios of the last columns.
    """
    width, trials, depth = 10, 3000, 3
    columns: list[Samples] = []
    for name, sigma_w, sigma_b in (("tanh", 1.5, 0.6), ("identity", 1.0, 0.5)):
        rng = counting_rng(seed, len(columns))
        gram = np.array([[1.0, 0.2], [0.2, 0.7]])
        phi = activation(name)
        values = called(function, phi, sigma_w, sigma_b, gram, width, depth, trials, rng)
        found = require_samples(values, (trials, depth, 2, 2), "of shape (trials, depth, k, k)")
        drawn = 4 * int(rng.bit_generator.state["state"]["counter"][0]) / (trials * depth)
        if drawn > 4 * 2 * width:
            msg = (
                f"your function drew about {round(drawn, -1):.0f} random numbers for each layer of "
                f"width {width}: that is a weight matrix. {width} numbers for each of the 2 inputs "
                "are enough."
            )
            raise Refusal(msg)
        columns += [found[:, :, a, b] for a, b in ((0, 0), (1, 0), (1, 1))]
        if name == "identity":
            before, q = found[:, :-1, 0, 0], found[:, 1:, 0, 0]
            columns.append(q / (sigma_w**2 * np.abs(before) + sigma_b**2))
    return np.concatenate(columns, axis=1)
