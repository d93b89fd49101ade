"""Convergence, failure and reach, each against networks that are sampled."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.formula import formula
from lengthlab.length_map import length_map
from lengthlab.length_process import sample_lengths
from lengthlab.network import Network
from lengthlab.outcome import Outcome, outcome

pytestmark = pytest.mark.filterwarnings("error")

ERROR_RATE = 1e-9  # of each sampled test that is right


def medians(net, *, width, depth, trials, rng=0):
    """Each layer's median, as an interval that misses it with the error rate: (2, depth)."""
    q = np.sort(sample_lengths(net, width=width, depth=depth, trials=trials, rng=rng), axis=0)
    low = int(binom.ppf(ERROR_RATE / 2, trials, 0.5)) - 1
    return q[[low, trials - 1 - low]]


# --- one row after the other of what can happen ---------------------------------------------------


@pytest.mark.parametrize("name", catalogue())
def test_the_catalogue(name):
    kinds = dict.fromkeys(catalogue(), "converges")
    kinds |= {"reciprocal": "fails", "tan": "fails"}
    kinds |= dict.fromkeys(["power", "exp", "exp_power"], "out of reach")
    found = outcome(Network(name))
    assert found.kind == kinds[name]
    assert found.certain
    assert found.reason.endswith(".")
    assert (found.width is None) == (found.kind == "fails")
    if found.kind == "converges":
        assert 1 <= found.width <= 1e9
        assert found.layer is None


def test_the_reciprocal_grows_with_the_width():
    """v_2 = sigma_w^2 N L / v_1: q_2 / N has one law for all N, and q_3 does not depend on N."""
    net = Network("reciprocal")
    found = outcome(net, depth=3)
    assert (found.kind, found.layer) == ("fails", 2)
    assert "1 / |x|" in found.reason or "1/x" in found.reason or "poles" in found.reason
    narrow, wide = (medians(net, width=n, depth=5, trials=4000) for n in (100, 10_000))
    assert narrow[0, 1] * 100 < wide[1, 1]  # the intervals of q_2 / N overlap
    assert wide[0, 1] < narrow[1, 1] * 100
    assert wide[0, 1] > 30 * narrow[1, 1]  # power: q_2 itself does not stand still
    for odd in (2, 4):  # N cancels
        assert narrow[0, odd] < wide[1, odd]
        assert wide[0, odd] < narrow[1, odd]
    assert wide[0, 3] > 30 * narrow[1, 3]


def test_the_poles_of_the_tangent():
    """Of order 1, as that of 1/x: q_2 grows like the width."""
    found = outcome(Network("tan"), depth=2)
    assert (found.kind, found.layer) == ("fails", 2)
    narrow, wide = (medians(Network("tan"), width=n, depth=2, trials=4000) for n in (100, 10_000))
    assert 50 * narrow[1, 1] < wide[0, 1] < wide[1, 1] < 200 * narrow[0, 1]


@pytest.mark.parametrize(
    ("exponent", "kind"),
    [(-0.2, "converges"), (-0.3, "converges"), (-0.5, "fails"), (-0.7, "fails")],
)
def test_poles_that_can_be_integrated_and_others(exponent, kind):
    net = Network(activation("power", exponent=exponent))
    found = outcome(net, depth=2)
    assert found.kind == kind
    narrow, wide = (medians(net, width=n, depth=2, trials=1500) for n in (1000, 20_000))
    if kind == "fails":  # N^(2 a - 1), and log N for a = 1/2
        assert found.layer == 2
        growth = 20 ** (-2 * exponent - 1) if exponent < -0.5 else math.log(20_000) / math.log(1000)
        assert wide[0, 1] > narrow[1, 1] * (0.7 + 0.3 * growth)
    else:
        limit = length_map(net, depth=2).values[1]
        assert wide[0, 1] > 0.9 * limit
        assert wide[1, 1] < 1.1 * limit
        assert found.width < 1000
        assert "sufficient, not necessary" in found.reason


def test_one_phi_two_fates():
    """exp(0.1 x^2): at 0.8 it settles, at 1.0 it creeps past 1 / (4 c) = 2.5 and fails."""
    calm = outcome(Network("exp_square", sigma_w=0.8), depth=50)
    assert calm.kind == "converges"
    assert "q < 2.5" in calm.reason
    for depth in range(2, 20):
        wild = outcome(Network("exp_square"), depth=depth)
        assert wild.kind == ("fails" if depth >= 13 else "converges" if depth <= 10 else wild.kind)
        assert (wild.layer == 13) == (depth >= 13)
    # In a sample the lengths leave all bounds at about that layer, the earlier the wider it is.
    narrow, wide = (medians(Network("exp_square"), width=n, depth=16, trials=300)
                    for n in (1000, 20_000))  # fmt: skip
    assert narrow[1, 9] < 2.5
    assert wide[1, 9] < 2.5
    assert wide[0, 15] > 1e6
    limit = length_map(Network("exp_square", sigma_w=0.8), depth=6).values
    found = medians(Network("exp_square", sigma_w=0.8), width=3000, depth=6, trials=1000)
    assert (found[0] > 0.97 * limit).all()
    assert (found[1] < 1.03 * limit).all()


@pytest.mark.parametrize(
    ("sigma_w", "kind"),
    [(0.5, "converges"), (1.0, "converges"), (1.5, "out of reach"), (2.0, "out of reach")],
)
def test_permissible_and_out_of_reach(sigma_w, kind):
    """exp(0.5 |x|^1.5): out of reach belongs to the network, not to phi."""
    net = Network(activation("exp_power", c=0.5), sigma_w=sigma_w)
    found = outcome(net, depth=2)
    assert found.kind == kind
    limit = length_map(net, depth=2).values[1]
    share = medians(net, width=10_000, depth=2, trials=1000)[:, 1] / limit
    if kind == "converges":
        assert 0.9 < share[0] < share[1] < 1.02
    else:
        assert found.layer == 2
        assert found.width > 1e18
        assert share[1] < 0.03


@pytest.mark.parametrize(
    ("net", "depth"),
    [
        (Network("relu", sigma_w=math.sqrt(2)), 10),
        (Network("relu", sigma_w=math.sqrt(2), keep_probability=0.5), 6),
        (Network(activation("exp_power", c=0.5)), 2),
        (Network(activation("power", exponent=-0.4)), 2),
        (Network("square", sigma_w=0.5), 5),
    ],
    ids=lambda v: v.activation.label if isinstance(v, Network) else str(v),
)
def test_the_width_is_about_right(net, depth):
    """At 4 times the estimate every median is within 10 %; at a quarter some median is not."""
    width = outcome(net, depth=depth).width
    limit = length_map(net, depth=depth).values
    wide, narrow = (
        medians(net, width=n, depth=depth, trials=min(8000, 20_000_000 // n)) / limit
        for n in (4 * math.ceil(width), math.ceil(width / 4))
    )
    assert (wide[0] > 0.9).all()
    assert (wide[1] < 1.1).all()
    assert (narrow[1] < 0.9).any()


def test_a_slow_law_of_large_numbers():
    """|x|^-0.45: the deficit falls like N^(-0.1), 33 % at 10^4 and 10 % at about 2 10^9."""
    found = outcome(Network("power"), depth=2)
    assert found.kind == "out of reach"
    assert 1e9 < found.width < 3e9
    share = medians(Network("power"), width=10_000, depth=2, trials=2000)[:, 1] / 8.0414
    assert 0.64 < share[0] < share[1] < 0.69
    nearer = outcome(Network("power", sigma_b=2.0), depth=2)  # biases carry most of the length
    assert nearer.kind == "converges"


@pytest.mark.parametrize(
    "phi",
    ["sign", "heaviside", "cos", "cbrt", "log_abs", "sin_reciprocal", "hardtanh"],
)
def test_what_converges_does(phi):
    net = Network(phi, sigma_w=1.2)
    assert outcome(net, depth=5).kind == "converges"
    limit = length_map(net, depth=5).values
    found = medians(net, width=10_000, depth=5, trials=500)
    assert (found[0] > 0.97 * limit).all()
    assert (found[1] < 1.03 * limit).all()


# --- exact ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [2, 10, 50])
def test_the_width_of_he(depth):
    """log q_l has the mean log 2 - (5 (l - 1) / 2) / N: Hanin & Nica (2020)."""
    width = outcome(Network("relu", sigma_w=math.sqrt(2)), depth=depth).width
    assert width == math.ceil((2.5 * (depth - 1) + 2 / 3) / 0.1)


def test_depth_1_converges_for_any_phi():
    found = outcome(Network("tan"), depth=1)
    assert found.kind == "converges"
    assert found.width == 7  # the median of a chi-square over N is about 1 - 2 / (3 N)


def test_x_to_the_100th():
    """Permissible; E Z^200 is carried by |z| near 14, which one unit in 10^44 has."""
    found = outcome(Network(activation("power", exponent=100.0)))
    assert (found.kind, found.layer) == ("out of reach", 2)
    assert 1e42 < found.width < 1e50
    limit = length_map(Network(activation("power", exponent=100.0)), depth=2).values[1]
    net = Network(activation("power", exponent=100.0))
    assert medians(net, width=10_000, depth=2, trials=500)[1, 1] < 1e-60 * limit


def test_exp_square_from_the_second_layer_on():
    """exp(x^2 / 4) at length 2.25: terms with tails like t^(-1 / 2.25), averages like N^1.25."""
    net = Network(activation("exp_square", c=0.25), sigma_w=1.5)
    assert (outcome(net).kind, outcome(net).layer) == ("fails", 2)
    narrow, wide = (medians(net, width=n, depth=2, trials=1500)[:, 1] for n in (1000, 20_000))
    assert wide[0] > 0.3 * 20**1.25 * narrow[1]
    assert wide[1] < 3 * 20**1.25 * narrow[0]


def test_beyond_every_float():
    found = outcome(Network("square", sigma_w=1.5))
    assert (found.kind, found.layer) == ("undecided", 10)
    assert outcome(Network("square", sigma_w=1.5), depth=9).kind == "converges"
    assert outcome(Network("tanh", sigma_w=1e200)).layer == 1


def test_the_rationals():
    """What no float can tell: the map is right, and the program, whose floats are rational, is not.

    With a bias the map stays at sigma_b^2; without one it alternates, for phi(0) is 1.
    """
    for sigma_b, second in ((0.0, 0.0), (0.5, 0.25)):
        net = Network("dirichlet", sigma_w=1.2, sigma_b=sigma_b)
        assert outcome(net).kind == "converges"
        assert length_map(net, depth=2).values[1] == second
        seen = medians(net, width=3000, depth=2, trials=300)[:, 1]
        assert seen == pytest.approx(1.44 + sigma_b**2, rel=0.02)


def test_lengths_near_the_ends_of_the_floats():
    assert outcome(Network("relu", sigma_b=1e150)).kind == "converges"
    assert outcome(Network(formula("1e300*x")), depth=4).kind == "undecided"


def test_at_the_wall():
    """exp(x^2 / 4) at length 1, which is 1 / (4 c): infinite; a little below it is not."""
    phi = activation("exp_square", c=0.25)
    found = outcome(Network(phi), depth=2)
    assert (found.kind, found.layer) == ("fails", 2)
    below = outcome(Network(phi, input_length=1 - 1e-9), depth=2)
    assert below.kind == "out of reach"


def test_too_near_to_tell():
    """A second length that is 1 / (4 c) but for its rounding."""
    start = 2.5 * (1 - 2.5**-2)  # (1 - 0.4 q)^(-1/2) = 2.5
    found = outcome(Network("exp_square", input_length=start), depth=3)
    assert (found.kind, found.layer) == ("undecided", 3)
    assert "too near 2.5" in found.reason
    nearby = outcome(Network("exp_square", input_length=start * (1 + 1e-9)), depth=3)
    assert (nearby.kind, nearby.layer) == ("fails", 3)


def test_formulas_and_plain_functions():
    known = outcome(Network(formula("exp(0.1*x^2)"), sigma_w=0.8))
    assert (known.kind, known.certain) == ("converges", True)
    assert outcome(Network(formula("1/x"))).kind == "fails"
    assert outcome(Network(formula("x*exp(-x^2)"))).kind == "converges"
    plain = outcome(Network(Activation(lambda x: np.tanh(x))))
    assert (plain.kind, plain.certain) == ("converges", False)
    assert "probed" in plain.reason
    pole = outcome(Network(Activation(lambda x: np.divide(1, x, where=x != 0, out=0 * x))))
    assert (pole.kind, pole.certain) == ("fails", False)


def test_an_outcome_is_frozen():
    with pytest.raises(AttributeError):
        Outcome("fails", 2, "because").kind = "converges"


@pytest.mark.parametrize(
    ("net", "arguments", "error", "message"),
    [
        ("tanh", {}, TypeError, "net must be a Network, got 'tanh'; write Network"),
        (None, {}, TypeError, "net must be a Network, got None"),
        (Network("tanh"), {"depth": 0}, ValueError, "integer >= 1 and <= 1000000, got 0"),
        (Network("tanh"), {"depth": -2}, ValueError, "depth must be .*, got -2"),
        (
            Network("tanh"),
            {"depth": 10**6 + 1},
            ValueError,
            "<= 1000000, got 1000001",
        ),
        (Network("tanh"), {"depth": 10**400}, ValueError, "depth must be .* <= 1000000, got 1"),
        (Network("tanh"), {"depth": 2.0}, TypeError, r"depth must be .*, got 2\.0; write 2"),
        (Network("tanh"), {"depth": "2"}, TypeError, "depth must be .*, got '2'"),
        (Network("tanh"), {"depth": None}, TypeError, "depth must be .*, got None"),
        (Network(Activation(np.sqrt, name="r")), {}, ValueError, "'r' .* got nan at x = -"),
    ],
)
def test_bad_arguments(net, arguments, error, message):
    with pytest.raises(error, match=message):
        outcome(net, **arguments)
