"""Lesson 2: the length process."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.exercises.functions import (
    Sampler,
    Samples,
    called,
    counting_rng,
    require_no_matrix,
    require_samples,
)
from lengthlab.exercises.kinds import (
    Choice,
    Find,
    Number,
    Refusal,
    Solution,
    Words,
    Wrong,
    described,
)
from lengthlab.exercises.predictions import CORRELATION, Prediction
from lengthlab.gaussian import critical_variance, expectation
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

NET = Network("tanh", sigma_w=1.5, sigma_b=0.3)


def first_two_moments(net: Network, width: int) -> tuple[float, float, float]:
    """Covariance of (q_1, q_2) and the two variances at any width, without sampling.

    Notes
    -----
    With H ~ Normal(0, v_1): Cov(q_1, q_2) = gain Cov(H^2, phi(H)^2) / N. Our remark; its proof is
    exercise 2.5. q_2 = v_2 chi2_N / N adds the fresh part to Var(v_2).
    """
    phi, v_1 = net.activation, net.first_variance
    breaks = (*phi.kinks, *(pole.location for pole in phi.poles))

    def mean(f: Callable[[Any], Any]) -> float:
        return expectation(f, v_1, breakpoints=breaks).value

    if v_1 >= critical_variance(phi, 4):
        msg = f"with {phi.name} the second moment of v_2 is infinite: there is no correlation."
        raise Refusal(msg)
    m_2, m_4 = mean(lambda h: phi(h) ** 2), mean(lambda h: phi(h) ** 4)
    mixed = mean(lambda h: h**2 * phi(h) ** 2)
    v_2, var_v_2 = net.gain * m_2 + net.sigma_b**2, net.gain**2 * (m_4 - m_2**2) / width
    covariance = net.gain * (mixed - v_1 * m_2) / width
    return covariance, 2 * v_1**2 / width, var_v_2 * (1 + 2 / width) + 2 * v_2**2 / width


def correlation(net: Network, width: int) -> float:
    """Correlation of q_1 and q_2 at any width."""
    covariance, var_1, var_2 = first_two_moments(net, width)
    return covariance / math.sqrt(var_1 * var_2)


def _chain(
    phi: Callable[[Any], Any],
    sigma_w: float,
    sigma_b: float,
    width: int,
    depth: int,
    trials: int,
    rng: np.random.Generator,
    *,
    first: float | None = None,
    spread: Callable[[Any], Any] = np.sqrt,
    mean_of: Callable[[Any], Any] = np.square,
    mean_over: int | None = 1,
    bias: float = 2.0,
    fresh: bool = True,
    after: bool = False,
) -> Samples:
    """Run the chain, or one of the mistakes that are made in writing it."""
    v = np.full(trials, sigma_w**2 + sigma_b**2 if first is None else first)
    q, z = np.empty((trials, depth)), rng.standard_normal((trials, width))
    for layer in range(depth):
        if layer and fresh:
            z = rng.standard_normal((trials, width))
        h = spread(v)[:, None] * z
        x = phi(h)
        q[:, layer] = np.mean((x if after else h) ** 2, axis=1)
        v = np.abs(sigma_w**2 * np.mean(mean_of(x), axis=mean_over) + sigma_b**bias)
        v = np.broadcast_to(v, trials)
    return q


def _mistake(**changes: Any) -> Callable[..., Samples]:
    return partial(_chain, **changes)


def _right(
    phi: Any, sigma_w: float, sigma_b: float, width: int, depth: int, trials: int, rng: Any
) -> Samples:
    """Draw from the package itself: another code, another way of using the generator."""
    known = phi if isinstance(phi, Activation) else Activation(phi, name="phi")
    net = Network(known, sigma_w=sigma_w, sigma_b=sigma_b)
    return np.asarray(sample_lengths(net, width=width, depth=depth, trials=trials, rng=rng))


def _draw(function: Any, seed: int) -> Samples:
    """Lengths with tanh, and with the identity the ratios q_{l+1} / v_{l+1}, known exactly.

    For the identity v_{l+1} = sigma_w^2 q_l + sigma_b^2 is visible from outside, so that a chain
    which does not carry it from layer to layer is seen at once.
    """
    width, trials, depth = 8, 20_000, 3
    said = "of shape (trials, depth)"
    columns: list[Samples] = []
    for name, sigma_w, sigma_b in (("tanh", 1.5, 0.3), ("identity", 1.0, 0.5)):
        rng = counting_rng(seed, len(columns))
        phi = activation(name)
        values = called(function, phi, sigma_w, sigma_b, width, depth, trials, rng)
        q = require_samples(values, (trials, depth), said)
        require_no_matrix(rng, width=width, layers=depth * trials)
        columns.append(q)
        if name == "identity":
            columns.append(q[:, 1:] / (sigma_w**2 * np.abs(q[:, :-1]) + sigma_b**2))
    return np.concatenate(columns, axis=1)


def _name(answer: Any) -> None:
    if not isinstance(answer, str):
        msg = f"a name from the catalogue is wanted here, in quotes, not {described(answer)}."
        raise Refusal(msg)
    if answer not in catalogue():
        msg = f"{answer!r} is not in the catalogue; ll.catalogue() lists the names."
        raise Refusal(msg)


def _correlated(name: Any) -> str | None:
    try:
        rho = correlation(Network(name, sigma_w=1.5, sigma_b=0.3), 64)
    except ValueError:
        return f"with {name} the means are out of reach of this check; choose a tamer one."
    if abs(rho) < 1e-6:
        return None
    return f"with {name} the correlation is {rho:.4g} at width 64."


ENTRIES = (
    Number(
        id="2.a",
        title="v_2 when |x_1|^2 / N = 0.5 (sigma_w = 1.5, sigma_b = 0.3)",
        target=lambda: 1.5**2 * 0.5 + 0.3**2,
        wrong=(
            Wrong(1.5**2 + 0.3**2, "that is v_1, where |x_0|^2 / N = 1. Here it is 0.5."),
            Wrong(1.5 * 0.5 + 0.3, "sigma_w and sigma_b are standard deviations: square them."),
            Wrong(1.5**2 * 0.5, "the bias adds its variance sigma_b^2 too."),
            Wrong(math.sqrt(1.5**2 * 0.5 + 0.3**2), "that is the sd of a node; v_2 is a variance."),
        ),
        hints=("Lesson 1: only the length of the input counts.", "sigma_w^2 * 0.5 + sigma_b^2."),
        solution=Solution(
            "answer = 1.5**2 * 0.5 + 0.3**2",
            "A layer does not know whether its input is data or the output of another layer.",
        ),
        then="How would you find |x_1|^2 / N if only h_1 is given?",
    ),
    Number(
        id="2.b",
        title="Factor of width that halves the sd of q_1",
        target=lambda: 4.0,
        tolerance=1e-6,
        wrong=(
            Wrong(2, "the variance falls like 1/N, so the sd falls like 1/sqrt(N)."),
            Wrong(0.25, "this way round the layer becomes narrower. By what factor must N grow?"),
            Wrong(
                math.sqrt(2),
                "it is the other way round: the sd changes by the root of the factor of N.",
            ),
        ),
        hints=("sd(q_1) = v_1 sqrt(2 / N).",),
        solution=Solution("answer = 2**2", "sqrt(2 / (4 N)) is half of sqrt(2 / N)."),
        then="What does a tenfold sharper picture cost?",
    ),
    Prediction(
        id="2.1",
        title="correlation of q_1 and q_2 (tanh, 1.5, 0.3, width 64)",
        quantity=CORRELATION,
    ),
    Choice(
        id="2.2",
        title="The correlation at width one million",
        right="b",
        wrong=(
            Wrong(
                "a",
                "the lengths stop varying, and their dependence does not fade: covariance and "
                "variances all shrink like 1/N, so their ratio stays.",
            ),
            Wrong(
                "c",
                "you scaled the correlation like an sd. Covariance and variances both shrink like "
                "1/N; in a correlation that cancels.",
            ),
            Wrong(
                "d",
                "q_2 inherits something from layer 1, and z_2 brings fresh chance of the same "
                "order 1/sqrt(N) at every width.",
            ),
        ),
        hints=(
            "Which powers of N do Cov(q_1, q_2), Var(q_1) and Var(q_2) carry?",
            "Each of them is a constant over N, to first order.",
        ),
        solution=Solution(
            'answer = "b"',
            "Cov(q_1, q_2) = sigma_w^2 Cov(H^2, phi(H)^2) / N, and both variances are of order "
            "1/N as well. In the correlation the N cancels: "
            f"{correlation(NET, 64):.4f} at width 64, {correlation(NET, 10**9):.4f} in the limit.",
        ),
        then="What becomes of the two standard deviations themselves?",
    ),
    Sampler(
        id="2.3",
        title="Write the chain",
        draw=_draw,
        reference=_right,
        wrong=(
            Wrong(
                _mistake(spread=lambda v: v),
                "v is a variance: a node is sqrt(v) times a standard normal variable.",
            ),
            Wrong(
                _mistake(mean_of=lambda x: x),
                "v_2 needs the mean of phi(h)^2; the square is missing.",
            ),
            Wrong(
                _mistake(mean_of=np.abs),
                "v_2 needs the mean of phi(h)^2, not of |phi(h)|.",
            ),
            Wrong(
                _mistake(mean_over=None),
                "the mean runs over the nodes of one network. Yours runs over all networks at "
                "once, so they share one v: take axis=1.",
            ),
            Wrong(
                _mistake(fresh=False),
                "every layer needs fresh normal variables: W_2 is independent of W_1.",
            ),
            Wrong(
                _mistake(after=True),
                "these are the lengths after phi, r_l. Asked for are those before it, q_l.",
            ),
            Wrong(_mistake(bias=1.0), "the bias enters with its variance sigma_b^2, not sigma_b."),
            Wrong(_mistake(first=1.0), "layer 1 starts at v_1 = sigma_w^2 + sigma_b^2, not at 1."),
            Wrong(
                lambda phi, sigma_w, sigma_b, width, depth, trials, rng: _chain(
                    phi, sigma_w, 0.0, width, depth, trials, rng
                ),
                "the bias is missing: v = sigma_w^2 mean(phi(h)^2) + sigma_b^2.",
            ),
        ),
        hints=(
            "Keep one number v for every network: v = np.full(trials, sigma_w**2 + sigma_b**2).",
            "In a layer: h = np.sqrt(v)[:, None] * rng.standard_normal((trials, width)).",
            "Store (h**2).mean(axis=1), then v = sigma_w**2 * (phi(h)**2).mean(axis=1) "
            "+ sigma_b**2.",
        ),
        solution=Solution(
            "import numpy as np\n\n"
            "def answer(phi, sigma_w, sigma_b, width, depth, trials, rng):\n"
            "    v = np.full(trials, sigma_w**2 + sigma_b**2)\n"
            "    q = np.empty((trials, depth))\n"
            "    for layer in range(depth):\n"
            "        h = np.sqrt(v)[:, None] * rng.standard_normal((trials, width))\n"
            "        q[:, layer] = (h**2).mean(axis=1)\n"
            "        v = sigma_w**2 * (phi(h) ** 2).mean(axis=1) + sigma_b**2\n"
            "    return q",
            "Given v_l the nodes of layer l are independent Normal(0, v_l), and v_(l+1) is a "
            "function of them. No weight matrix appears: N numbers a layer instead of N^2.",
        ),
        then="At width 1000, how many normal numbers did you save in each layer?",
    ),
    Number(
        id="2.4",
        title="Correlation of q_1 and q_2 for tanh, sigma_w = 1, sigma_b = 0, width 64",
        target=lambda: correlation(Network("tanh", sigma_w=1.0), 64),
        tolerance=0.05,
        wrong=(
            Wrong(correlation(NET, 64), "that is the value at sigma_w = 1.5, sigma_b = 0.3."),
            Wrong(
                first_two_moments(Network("tanh", sigma_w=1.0), 64)[0],
                "that is the covariance. Divide by both standard deviations.",
            ),
            Wrong(
                correlation(Network("tanh", sigma_w=1.0), 64) ** 2,
                "that is the squared correlation.",
            ),
        ),
        hints=(
            'Simulate: q = ll.sample_lengths(ll.Network("tanh"), width=64, depth=2, ...).',
            "With 100,000 networks np.corrcoef is right to about 0.003: enough here.",
        ),
        solution=Solution(
            "import lengthlab as ll\nimport numpy as np\n\n"
            'net = ll.Network("tanh", sigma_w=1.0, sigma_b=0.0)\n'
            "q = ll.sample_lengths(net, width=64, depth=2, trials=100_000, rng=4)\n"
            "answer = np.corrcoef(q[:, 0], q[:, 1])[0, 1]",
            "About 0.40. Without a bias, and on the steeper part of tanh, v_2 follows q_1 more "
            "closely than at sigma_w = 1.5, where many nodes are saturated.",
        ),
        then="What happens to it when sigma_w becomes very large?",
    ),
    Words(
        id="2.5",
        title="Proof step: where the correlation comes from",
        points=(
            "q_2 = v_2 times the mean of z_2^2, and z_2 is independent of layer 1 and has "
            "E z^2 = 1: so Cov(q_1, q_2) = Cov(q_1, v_2)",
            "v_2 = sigma_w^2 mean(phi(h_1)^2) + sigma_b^2: the constant sigma_b^2 drops out",
            "the covariance of two means over the same N independent nodes is 1/N times the "
            "covariance within one node; different nodes contribute 0",
            "result: Cov(q_1, q_2) = sigma_w^2 Cov(H^2, phi(H)^2) / N with H ~ Normal(0, v_1)",
            "both variances are of order 1/N too, so N cancels in the limit; what is left is not "
            "0, because tanh(h)^2 grows with |h| as h^2 does",
        ),
        hints=(
            "First take the mean over z_2, with layer 1 held fixed.",
            "Then both factors are means over the nodes of layer 1.",
        ),
        solution=Solution(
            'answer = "Cov(q_1, v_2) = sigma_w^2 Cov(H^2, phi(H)^2) / N"',
            "E[q_2 | layer 1] = v_2, so Cov(q_1, q_2) = Cov(q_1, v_2). Both are means over the "
            "nodes of layer 1, up to constants, and different nodes are independent: N terms "
            "of Cov(H^2, phi(H)^2), over N^2.",
        ),
        then="For which phi is Cov(H^2, phi(H)^2) negative, and what does that say of layer 2?",
    ),
    Find(
        id="2.6",
        title="An activation for which q_1 and q_2 are uncorrelated",
        form=_name,
        missing=_correlated,
        plain=str,
        wrong=(
            Wrong(
                "tanh",
                f"this is the lesson's example: its correlation is {correlation(NET, 64):.4f}.",
            ),
            Wrong(
                "identity",
                "this is the other extreme: with phi(x) = x, v_2 is a function of q_1 alone.",
            ),
            Wrong(
                "sin",
                "an odd phi is not enough: phi(h)^2 must be uncorrelated with h^2.",
            ),
        ),
        hints=(
            "When does the length of h_1 say nothing about the length of phi(h_1)?",
            "Try a phi that keeps only the sign of its argument.",
        ),
        solution=Solution(
            'answer = "sign"',
            "For the sign phi(h)^2 = 1, so v_2 is a constant and q_1, q_2 are independent. "
            '"heaviside" works as well: it counts positive nodes, and signs are independent of '
            "absolute values.",
        ),
        then="Is there a phi in the catalogue with a negative correlation?",
    ),
    Words(
        id="2.7",
        title="Open: do the lengths alone form a Markov chain?",
        points=(
            "v_1, v_2, ... is a Markov chain: given v_l, everything later is independent of "
            "everything earlier",
            "v_(l+1) is not a function of q_l: it depends on h_l through all its nodes",
            "h_l = sqrt(N q_l) u_l with u_l uniform on the unit sphere, independent of |z_l| and "
            "of all earlier layers",
            "so v_(l+1) is a function of q_l and the fresh u_l: q_1, q_2, ... is a Markov chain "
            "too",
        ),
        hints=(
            "Write z_l as its length times its direction.",
            "Length and direction of a standard normal vector are independent.",
        ),
        solution=Solution(
            'answer = "Yes: h_l is sqrt(N q_l) times a fresh direction."',
            "The direction u_l of a standard normal vector is independent of its length, and both "
            "of the past. Hence q_(l+1) is made of q_l, of u_l and of |z_(l+1)|, of which the last "
            "two are fresh: (q_l) is a Markov chain. It is tempting to say no, because q_l does "
            "not determine v_(l+1); a Markov chain need not be deterministic.",
        ),
        then="What would you plot to see it? Try corr(q_1, q_3) against the product of the two "
        "neighbouring correlations, and ask why they agree only nearly.",
    ),
)
