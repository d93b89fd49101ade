"""P(all layers near the map) and N_0: closed forms, scipy's rectangle, the sampler, error rates."""

import itertools
import math
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import erf
from scipy.stats import binom, kstest, multivariate_normal, norm

from lengthlab.activations import activation
from lengthlab.convergence import convergence_probability, first_order, required_width
from lengthlab.convergence.first_order import Deviations, box_probability, deviations
from lengthlab.convergence.probability import clopper_pearson
from lengthlab.convergence.required_width import (
    _BATCH,
    _first_enough,
    _smallest_width,
    log_evidence,
)
from lengthlab.convergence.required_width import ERROR_RATE as VERDICT_ERROR_RATE
from lengthlab.finite_width import InfiniteSpreadError, length_variance
from lengthlab.gaussian import mean_fourth, mean_square
from lengthlab.length_map import length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network

pytestmark = pytest.mark.filterwarnings("error")

ERROR_RATE = 1e-9  # of each sampled test that is right

TANH = Network("tanh", sigma_w=1.5, sigma_b=0.3)
HE = Network("relu", sigma_w=math.sqrt(2))
NETWORKS = [
    TANH,
    HE,
    Network("relu", sigma_w=1.4, sigma_b=0.2, keep_probability=0.7),
    Network("sin", sigma_w=2.0),
    Network("abs", sigma_w=1.0, sigma_b=0.5),
    Network(activation("power", exponent=-0.2), sigma_b=0.5),
]


def radius(trials):
    """DKW: an empirical distribution function is nearer to the true one than this."""
    return math.sqrt(math.log(2 / ERROR_RATE) / (2 * trials))


# --- the Gaussian chain ---------------------------------------------------------------------------


def joint_covariance(net, depth):
    """From the chain of (delta v, delta q) with its correlated noise, layer by layer."""
    prediction = length_map(net, depth=depth).values
    state = np.zeros((depth + 1, depth + 1))  # delta v_l, then delta q_1, ..., delta q_depth
    for k, q in enumerate(prediction.tolist()):
        v = state[0].copy()
        v[0] = state[0, 0]
        row = v.copy()
        row[k + 1] = v[0] + 2 * q * q
        state[k + 1, :], state[:, k + 1] = row, row
        m = mean_square(net.activation, q)
        s = mean_fourth(net.activation, q).value / net.keep_probability - m.estimate.value**2
        slope, both = net.gain * m.slope, net.gain * 2 * q * m.slope * q
        following = slope * state[0]
        following[k + 1] += both
        following[0] = slope * slope * state[0, 0] + net.gain**2 * s
        state[0, :], state[:, 0] = following, following
    return state[1:, 1:]


@pytest.mark.parametrize("net", NETWORKS, ids=lambda net: net.activation.name)
def test_the_chain_of_lengths_has_the_covariance_of_the_chain_of_pairs(net):
    law = deviations(net, depth=5)
    np.testing.assert_allclose(law.covariance(), joint_covariance(net, 5), rtol=1e-8)
    np.testing.assert_allclose(law.variance, length_variance(net, depth=5))
    lengths = length_map(net, depth=5).values
    assert (law.noise >= 2 * lengths**2 * (1 - 1e-9)).all()  # q_l given v_l is chi-square


def test_layers_without_a_slope_are_independent():
    """sign: every layer is chi-square on its own; the box is a product."""
    law = deviations(Network("sign", sigma_w=1.5, sigma_b=0.5), depth=4)
    one = erf(2.0 / math.sqrt(2 * 2 * 2.5**2))
    assert box_probability(law, 2.0) == pytest.approx(one**4, rel=1e-12)


@pytest.mark.parametrize("reach", [1e-3, 0.1, 1.0, 3.0, 30.0, 1e9])
def test_one_layer_is_an_error_function(reach):
    found = box_probability(Deviations(np.array([2.0]), np.empty(0)), reach)
    assert found == pytest.approx(erf(reach / 2.0), rel=1e-12)


@pytest.mark.parametrize(("eps", "stated"), [(0.05, 0.0055), (0.1, 0.1316), (0.2, 0.7015)])
def test_against_scipys_rectangle(eps, stated):
    law, reach = deviations(TANH, depth=6), eps * math.sqrt(400)
    ends = np.full(6, reach)
    scipys = multivariate_normal(cov=law.covariance(), maxpts=10**6, abseps=1e-7, seed=1)
    found = box_probability(law, reach)
    assert found == pytest.approx(scipys.cdf(ends, lower_limit=-ends), abs=1e-6)
    assert found == pytest.approx(stated, abs=6e-5)


@pytest.mark.parametrize(
    "law",
    [
        Deviations(np.array([1.0, 26.0, 700.0]), np.array([5.0, -5.0])),
        Deviations(np.array([1.0, 1e-4, 1e4]), np.array([-1e-3, 1e3])),
        Deviations(np.array([4.0, 4.000001, 4.000002]), np.array([1.0, 1.0])),
        Deviations(np.array([1.0, 2.0, 0.5]), np.array([0.0, 0.0])),
    ],
)
def test_steep_and_flat_chains(law):
    for reach in (0.01, 0.5, 2.0, 40.0):
        ends = np.full(3, reach)
        scipys = multivariate_normal(cov=law.covariance(), maxpts=10**6, abseps=1e-9, seed=1)
        expected = scipys.cdf(ends, lower_limit=-ends)
        assert box_probability(law, reach) == pytest.approx(expected, abs=3e-6)


@pytest.mark.parametrize("share", [0.3, 1.0, 2.0])
def test_layers_that_cannot_leave_the_box_are_passed_over(monkeypatch, share):
    """GELU's lengths explode: of 50 layers, whose noise is computed one by one, few are felt."""
    law = deviations(Network("gelu", sigma_w=1.5, sigma_b=0.3), depth=50)
    reach = share * math.sqrt(law.variance[-1])
    found = box_probability(law, reach)
    assert len(first_order._felt(law, reach).variance) < 30
    monkeypatch.setattr(first_order, "_felt", lambda law, reach: law)
    assert found == pytest.approx(box_probability(law, reach), abs=1e-12)


def test_a_length_of_0_starts_anew():
    law = Deviations(np.array([1.0, 0.0, 4.0]), np.array([0.0, 0.0]))
    expected = erf(1 / math.sqrt(2)) * erf(1 / math.sqrt(8))
    assert box_probability(law, 1.0) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    noise=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=5),
    slope=st.floats(-3.0, 3.0),
    reach=st.floats(0.01, 20.0),
)
def test_a_box_is_a_probability_and_bounded_by_its_layers(noise, slope, reach):
    variance = list(itertools.accumulate(noise, lambda carried, new: slope**2 * carried + new))
    law = Deviations(np.array(variance), np.full(len(noise) - 1, slope))
    layers = erf(reach / np.sqrt(2 * law.variance))
    found = box_probability(law, reach)
    assert np.prod(layers) * (1 - 1e-11) <= found <= layers.min() + 1e-11  # Sidak's inequality
    assert found <= box_probability(law, 1.01 * reach) + 1e-11
    shallower = Deviations(law.variance[:-1], law.slope[:-1])
    if len(noise) > 1:
        assert found <= box_probability(shallower, reach) + 1e-11


@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_sampled_deviations_are_the_chain(keep):
    """ReLU at width 10^10: whitened by the covariance, the layers are independent normals."""
    width, depth, trials = 10**10, 5, 20_000
    net = Network("relu", sigma_w=1.3, sigma_b=0.4, keep_probability=keep)
    q = sample_lengths(net, width=width, depth=depth, trials=trials, rng=1)
    x = (q - length_map(net, depth=depth).values) * math.sqrt(width)

    def white(covariance):
        z = np.linalg.solve(np.linalg.cholesky(covariance), x.T)
        sums = [(a + b) / math.sqrt(2) for a, b in itertools.combinations(z, 2)]
        return all(kstest(v, "norm").statistic < radius(trials) for v in [*z, *sums])

    law = deviations(net, depth=depth)
    assert white(law.covariance())
    assert not white(np.diag(law.variance))
    steeper = Deviations(law.variance, 1.1 * law.slope)
    assert not white(steeper.covariance())


# --- sampled probabilities ------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_the_interval_covers_by_enumeration(confidence):
    trials = 25
    ends = [clopper_pearson(k, trials, confidence) for k in range(trials + 1)]
    for p in np.linspace(0.001, 0.999, 97):
        weights = binom(trials, p).pmf(np.arange(trials + 1))
        covered = sum(w for w, (a, b) in zip(weights, ends, strict=True) if a <= p <= b)
        assert covered >= confidence
    tail = (1 - confidence) / 2
    for k, (lower, upper) in enumerate(ends):  # each end is where its tail begins
        assert (lower == 0.0) if k == 0 else binom(trials, lower).sf(k - 1) == pytest.approx(tail)
        assert (upper == 1.0) if k == trials else binom(trials, upper).cdf(k) == pytest.approx(tail)


@pytest.mark.parametrize("net", [HE, Network("leaky_relu", sigma_w=1.2, sigma_b=0.3)])
def test_theory_and_sample_meet_at_large_widths(net):
    width, depth, trials = 10**9, 6, 100_000
    eps = math.sqrt(length_variance(net, depth=depth).max() / width)
    answer = convergence_probability(net, width=width, depth=depth, eps=eps, trials=trials, rng=2)
    lower, upper = clopper_pearson(round(answer.value * trials), trials, 1 - ERROR_RATE)
    assert lower < answer.theory < upper
    for neighbour in (0.97, 1.03):
        other = box_probability(deviations(net, depth=depth), neighbour * eps * math.sqrt(width))
        assert not lower < other < upper
    product = np.prod(erf(eps * math.sqrt(width) / np.sqrt(2 * length_variance(net, depth=depth))))
    assert not lower < product < upper  # as if layers were independent
    assert (answer.trials, answer.reason) == (trials, "")
    interval = clopper_pearson(round(answer.value * trials), trials, 0.95)
    assert (answer.lower, answer.upper) == interval


def test_it_counts_the_networks_of_sample_lengths(monkeypatch):
    shape = {"width": 100, "depth": 4, "trials": 3000, "rng": 3}
    q = sample_lengths(TANH, **shape)
    near = (np.abs(q - length_map(TANH, depth=4).values) <= 0.3).all(axis=1)
    answer = convergence_probability(TANH, eps=0.3, **shape)
    assert answer.value == near.mean()
    assert 0 < answer.lower < answer.value < answer.upper < 1
    monkeypatch.setattr("lengthlab.convergence.probability._MOST_LENGTHS", 28)
    assert convergence_probability(TANH, eps=0.3, **shape) == answer


@pytest.mark.parametrize(
    ("net", "depth", "value", "reason"),
    [
        (Network("reciprocal"), 3, 0.0, "phi^2 has infinite variance at layer 1"),
        (Network("exp_square"), 14, 0.0, "phi^2 has infinite variance at layer 2"),
        (Network("relu", sigma_w=1e200), 2, 0.0, "the length map is beyond every float at layer 1"),
        (Network(activation("power", exponent=-0.3)), 2, None, "phi^2 has infinite variance at"),
    ],
)
def test_without_a_theory_there_is_a_reason(net, depth, value, reason):
    shape = {"depth": depth, "eps": 1.0, "rng": 4}
    answer = convergence_probability(net, width=50, trials=200, **shape)
    assert answer.theory is None
    assert answer.reason.startswith(reason)
    assert answer.value > 0 if value is None else answer.value == value
    assert 0 <= answer.lower <= answer.value <= answer.upper <= 1
    required = required_width(net, delta=0.1, **shape)
    assert (required.theory, required.confirmed, required.networks) == (None, None, 0)
    assert required.reason == answer.reason


# --- the required width ---------------------------------------------------------------------------


@pytest.mark.parametrize(("eps", "delta"), [(0.1, 0.05), (0.5, 0.3), (0.01, 1e-6)])
def test_one_layer_in_closed_form(eps, delta):
    """N_0 = 2 qt_1^2 z^2 / eps^2, rounded up."""
    found = required_width(TANH, depth=1, eps=eps, delta=delta, budget=0)
    exact = 2 * 2.34**2 * norm.isf(delta / 2) ** 2 / eps**2
    assert found.theory == math.ceil(exact)
    assert (found.confirmed, found.networks) == (None, 0)


@settings(max_examples=25, deadline=None)
@given(
    net=st.sampled_from(NETWORKS),
    depth=st.integers(1, 5),
    eps=st.floats(1e-4, 2.0),
    delta=st.floats(1e-6, 0.9),
)
def test_it_is_the_smallest_and_monotone(net, depth, eps, delta):
    def required(**changes):
        arguments = {"depth": depth, "eps": eps, "delta": delta} | changes
        return required_width(net, **arguments, budget=0).theory

    law, found = deviations(net, depth=depth), required()
    assert box_probability(law, eps * math.sqrt(found)) >= 1 - delta - 1e-11
    assert found == 1 or box_probability(law, eps * math.sqrt(found - 1)) < 1 - delta + 1e-11
    assert required(eps=eps / 2) >= found
    assert required(delta=delta / 2) >= found
    # One layer more can only ask for more; the two probabilities are rounded each for itself.
    assert required(depth=depth + 1) >= required(delta=delta + 1e-11)


@pytest.mark.parametrize("net", [TANH, HE], ids=lambda net: net.activation.name)
def test_sampling_confirms_the_theory_where_it_holds(net):
    found = required_width(net, depth=5, eps=0.4, delta=0.05, rng=5)
    assert found.confirmed is True
    assert found.reason == ""
    assert found.networks % _BATCH == 0
    assert found == required_width(net, depth=5, eps=0.4, delta=0.05, rng=5)


@pytest.mark.parametrize(
    ("eps", "delta", "reason"),
    [(1.9, 0.05, "1.1 N_0 = 249 is not enough"), (2.5, 0.5, "0.9 N_0 = 26 is enough")],
)
def test_sampling_refutes_the_theory_where_it_does_not_hold(eps, delta, reason):
    """At lengths of order 1 the law is skewed, whatever the first order says."""
    found = required_width(HE, depth=10, eps=eps, delta=delta, rng=6)
    assert found.confirmed is False
    assert found.reason == reason
    width = int(reason.split()[3])
    sampled = convergence_probability(
        HE, width=width, depth=10, eps=eps, trials=200_000, rng=7
    )  # another 200,000 networks agree
    assert (sampled.lower > 1 - delta) if reason.startswith("0.9") else (sampled.upper < 1 - delta)


def test_the_budget_is_kept():
    for budget in (0, 1, 499, 500, 700):
        found = required_width(TANH, depth=3, eps=0.5, delta=0.05, budget=budget, rng=8)
        assert (found.confirmed, found.networks) == (None, budget)
        assert found.reason == f"the budget of {budget} networks ended first, at 1.1 N_0"


def test_without_a_budget_the_hidden_nodes_are_bounded():
    wide = required_width(TANH, depth=3, eps=1e-5, delta=0.05, rng=8)
    assert 3 * wide.theory > 2 * 10**9
    assert (wide.confirmed, wide.networks) == (None, 0)
    assert wide.reason == "the budget of 0 networks ended first, at 1.1 N_0"
    he = required_width(HE, depth=3, eps=1e-4, delta=0.05, rng=8)  # a layer costs one node
    assert (he.theory > 10**9, he.confirmed) == (True, True)


def test_widths_at_the_ends():
    wide = required_width(HE, depth=2, eps=1e-6, delta=0.05, rng=9)
    assert wide.theory > 10**12
    assert (wide.confirmed, wide.networks) == (None, 0)
    assert wide.reason == f"width {-(-11 * wide.theory // 10)} is too large to be sampled"
    narrow = required_width(HE, depth=1, eps=50.0, delta=0.05, rng=9)
    assert (narrow.theory, narrow.confirmed) == (1, True)  # no network is narrower
    with pytest.raises(ValueError, match=r"eps must be large enough .* got 1e-200; ask for a"):
        required_width(HE, depth=1, eps=1e-200, delta=0.05)


@pytest.mark.parametrize("p", [0.01, 0.3])
def test_evidence_is_the_mean_likelihood_ratio(p):
    for successes, trials in [(0, 10), (3, 10), (10, 10), (0, 0), (40, 200)]:

        def ratio(other, k=successes, n=trials):
            return (other / p) ** k * ((1 - other) / (1 - p)) ** (n - k)

        below, above = log_evidence(successes, trials, p)
        peak = [successes / trials] if trials else []
        inside = [[x for x in peak if a < x < b] or None for a, b in [(0, p), (p, 1)]]
        assert math.exp(below) == pytest.approx(quad(ratio, 0, p, points=inside[0])[0] / p)
        assert math.exp(above) == pytest.approx(quad(ratio, p, 1, points=inside[1])[0] / (1 - p))


@pytest.mark.parametrize("p", [0.05, 0.4])
def test_evidence_is_a_fair_game(p):
    """Its mean is 1 at `p` and smaller on the other side, by enumeration."""
    trials = 60
    evidence = np.array([log_evidence(k, trials, p) for k in range(trials + 1)])

    def means(truth):
        return binom(trials, truth).pmf(np.arange(trials + 1)) @ np.exp(evidence)

    np.testing.assert_allclose(means(p), 1.0, rtol=1e-10)
    assert means(p * 1.2)[0] < 1 < means(p * 0.8)[0]
    assert means(p * 0.8)[1] < 1 < means(p * 1.2)[1]


def test_the_error_rate_of_the_verdict_exactly():
    """At the border itself, every look at batches of networks counted, by convolution."""
    delta, looks = 0.05, 40
    alive = np.ones(1)
    wrong = {"below": 0.0, "above": 0.0}
    batch = binom(_BATCH, delta).pmf(np.arange(_BATCH + 1))
    for look in range(1, looks + 1):
        alive = np.convolve(alive, batch)
        near = np.flatnonzero(alive > 1e-18)
        for far in near.tolist():
            below, above = log_evidence(far, look * _BATCH, delta)
            if max(below, above) > -math.log(VERDICT_ERROR_RATE):
                wrong["below" if below > above else "above"] += alive[far]
                alive[far] = 0.0
    assert 0 < wrong["below"] < VERDICT_ERROR_RATE
    assert 0 < wrong["above"] < VERDICT_ERROR_RATE


# --- arguments ------------------------------------------------------------------------------------


def test_frozen():
    answer = convergence_probability(TANH, width=5, depth=1, eps=1.0, trials=1, rng=0)
    with pytest.raises(AttributeError):
        answer.value = 1.0
    with pytest.raises(AttributeError):
        required_width(TANH, depth=1, eps=1.0, delta=0.5, budget=0).theory = 1


def test_deviations_name_the_layer_that_has_no_spread():
    with pytest.raises(InfiniteSpreadError) as refusal:
        deviations(Network("exp_square"), depth=5)
    assert refusal.value.layer == 3


COMMON = [
    ({"net": "tanh"}, TypeError, r"net must be a Network, got 'tanh'; write Network\('tanh'\)"),
    ({"depth": 0}, ValueError, "depth must be an integer >= 1, got 0"),
    ({"depth": 2.0}, TypeError, r"depth must be an integer >= 1, got 2\.0; write 2"),
    ({"eps": 0}, ValueError, "eps must be a finite number > 0, got 0"),
    ({"eps": -0.1}, ValueError, r"eps must be a finite number > 0, got -0\.1"),
    ({"eps": math.nan}, ValueError, "eps must be a finite number > 0, got nan"),
    ({"eps": math.inf}, ValueError, "eps must be a finite number > 0, got inf"),
    ({"eps": "0.1"}, TypeError, "eps must be a finite number > 0, got '0.1'"),
    ({"rng": -1}, ValueError, "rng must be an integer >= 0.*, got -1"),
    ({"rng": "seed"}, TypeError, "rng must be an integer >= 0.*, got 'seed'"),
]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        *COMMON,
        ({"width": 0}, ValueError, "width must be an integer >= 1 and <= 1000000000000, got 0"),
        ({"width": 10**13}, ValueError, "width must be .*, got 10000000000000"),
        ({"width": None}, TypeError, "width must be an integer .*, got None"),
        ({"trials": 0}, ValueError, "trials must be an integer >= 1 .*, got 0"),
        ({"trials": 10**13}, ValueError, "trials must be .* <= 1000000000000, got 10000000000000"),
        ({"trials": 10.5}, TypeError, r"trials must be an integer >= 1 .*, got 10\.5"),
    ],
)
def test_bad_arguments_of_convergence_probability(arguments, error, message):
    call = {"net": TANH, "width": 3, "depth": 2, "eps": 0.1, "trials": 1} | arguments
    with pytest.raises(error, match=message):
        convergence_probability(call.pop("net"), **call)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        *COMMON,
        ({"delta": 0}, ValueError, "delta must be a finite number >= 1e-09 and < 1, got 0"),
        ({"delta": 1}, ValueError, "delta must be a finite number >= 1e-09 and < 1, got 1"),
        ({"delta": 1e-12}, ValueError, "delta must be .*, got 1e-12"),
        ({"delta": None}, TypeError, "delta must be .*, got None"),
        ({"budget": -1}, ValueError, "budget must be an integer >= 0, got -1"),
        ({"budget": 1e5}, TypeError, r"budget must be .*, got 100000\.0; write 100000"),
    ],
)
def test_bad_arguments_of_required_width(arguments, error, message):
    call = {"net": TANH, "depth": 2, "eps": 0.5, "delta": 0.1} | arguments
    with pytest.raises(error, match=message):
        required_width(call.pop("net"), **call)


def test_positions():
    """What theory says at N_0 is what it says when asked."""
    required = required_width(TANH, depth=4, eps=0.3, delta=0.1, budget=0).theory
    theories = [
        convergence_probability(TANH, width=w, depth=4, eps=0.3, trials=1, rng=0).theory
        for w in (required - 1, required)
    ]
    assert theories[0] < 0.9 <= theories[1]
    assert all(a < b for a, b in pairwise(theories))


@settings(max_examples=60, deadline=None)
@given(
    root=st.floats(1e-3, 1e12),
    power=st.floats(0.1, 6.0),
    below=st.floats(1.01, 1e3),
    above=st.floats(1.01, 1e3),
)
def test_the_first_width_that_is_enough_is_found_in_few_steps(root, power, below, above):
    asked = []

    def excess(width):
        asked.append(width)
        return width**power - root**power

    low, high = math.floor(root / below), math.ceil(root * above)
    low = low if excess(low) < 0 else low - 1
    found = _first_enough(excess, low, high)
    assert excess(found) >= 0 > excess(found - 1)
    assert len(asked) <= 30


def test_few_probabilities_are_needed_for_a_width(monkeypatch):
    """Lengths that explode, where a bisection would go through 40 of them."""
    law = deviations(Network("gelu", sigma_w=1.5, sigma_b=0.3), depth=50)
    asked = []

    def counted(law, reach):
        asked.append(reach)
        return box_probability(law, reach)

    module = sys.modules["lengthlab.convergence.required_width"]
    monkeypatch.setattr(module, "box_probability", counted)
    width = _smallest_width(law, 0.01, 0.5)
    assert box_probability(law, 0.01 * math.sqrt(width)) >= 0.5
    assert box_probability(law, 0.01 * math.sqrt(width - 1)) < 0.5
    assert len(asked) <= 20
