"""Fixed points, slope and chi against closed forms, the map itself, and each other."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.fixed_points import FixedPoint, chi, fixed_points, slope
from lengthlab.formula import formula
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

pytestmark = pytest.mark.filterwarnings("error")

WALL = 1 / math.sqrt(108)
"""c up to which exp(c x^2) at sigma_w = 1 has fixed points: q^2 (1 - 4 c q) = 1."""


def image(net, q):
    """V(q), through the length map."""
    start = (q - net.sigma_b**2) / net.sigma_w**2
    again = Network(
        net.activation,
        sigma_w=net.sigma_w,
        sigma_b=net.sigma_b,
        keep_probability=net.keep_probability,
        input_length=start,
    )
    return length_map(again, depth=2).values[1]


# --- fixed points, exact --------------------------------------------------------------------------


@given(st.floats(0.1, 1.39), st.floats(0.01, 3), st.floats(0.8, 1))
def test_relu_with_a_bias(sigma_w, sigma_b, keep):
    net = Network("relu", sigma_w=sigma_w, sigma_b=sigma_b, keep_probability=keep)
    half = net.gain / 2
    found = fixed_points(net, q_max=1e12)
    if half > 1 - 1e-6:
        return
    (point,) = found
    assert point.q == pytest.approx(sigma_b**2 / (1 - half), rel=1e-9)
    assert point.slope == pytest.approx(half, rel=1e-9)
    assert point.chi == pytest.approx(half, rel=1e-9)
    assert point.stable is True
    assert abs(point.q - sigma_b**2 / (1 - half)) <= 4 * point.error + 1e-14 * point.q


@pytest.mark.parametrize(
    "net",
    [
        Network("relu", sigma_w=math.sqrt(2)),
        Network("relu", sigma_w=1.0, keep_probability=0.5),
        Network("identity"),
        Network("abs"),
        Network("leaky_relu", sigma_w=unit_scale("leaky_relu")),
        Network(Activation(lambda x: np.maximum(x, 0)), sigma_w=math.sqrt(2)),
        Network(Activation(lambda x: np.where(x > 0, -x, 2 * x)), sigma_w=math.sqrt(0.4)),
    ],
    ids=lambda net: net.activation.name,
)
def test_every_length_is_kept(net):
    found = fixed_points(net)
    assert found.every_q
    assert [(p.q, p.stable) for p in found] == [(0.0, None)]
    assert found[0].slope == pytest.approx(1, rel=1e-9)
    for other in (
        Network(
            net.activation, sigma_w=net.sigma_w * 1.0001, keep_probability=net.keep_probability
        ),
        Network(net.activation, sigma_w=net.sigma_w, sigma_b=0.01),
    ):
        assert not fixed_points(other).every_q


def test_no_fixed_point():
    assert len(fixed_points(Network("relu", sigma_w=math.sqrt(2), sigma_b=0.1))) == 0
    assert list(fixed_points(Network("exp_square"))) == []
    assert list(fixed_points(Network("tan", sigma_b=0.1))) == []
    assert fixed_points(Network("reciprocal", sigma_b=1.0)).q_max == 0


def test_heaviside_and_sign():
    for name, moment in (("heaviside", 0.5), ("sign", 1.0)):
        zero, kept = fixed_points(Network(name, sigma_w=1.3))
        assert (zero.q, zero.slope, zero.chi, zero.stable) == (0, math.inf, math.inf, False)
        assert kept.q == pytest.approx(moment * 1.69, rel=1e-14)
        assert (kept.slope, kept.chi, kept.stable) == (pytest.approx(0, abs=1e-9), math.inf, True)


def test_square():
    """3 sigma_w^2 q^2 = q; the slope there is 2."""
    for sigma_w in (1e-2, 1.0, 1e5):
        zero, kept = fixed_points(Network("square", sigma_w=sigma_w))
        assert (zero.q, zero.stable) == (0, True)
        assert kept.q == pytest.approx(1 / (3 * sigma_w**2), rel=1e-12)
        assert (kept.slope, kept.stable) == (pytest.approx(2), False)
        assert kept.chi == pytest.approx(4 / 3, rel=1e-9)


def test_exp_square_below_its_wall():
    """The cubic q^2 (1 - 4 c q) = sigma_w^4: two roots."""
    found = fixed_points(Network("exp_square", sigma_w=0.8))
    roots = sorted(r.real for r in np.roots([-0.4, 1, 0, -(0.8**4)]) if 0 < r.real < 2.5)
    assert [p.q for p in found] == pytest.approx(roots, rel=1e-10)
    assert [p.stable for p in found] == [True, False]
    assert roots[0] == pytest.approx(0.769, abs=1e-3)  # theory
    for point in found:
        assert point.slope == pytest.approx(0.64 * 0.2 * (1 - 0.4 * point.q) ** -1.5, rel=1e-8)


@pytest.mark.parametrize(
    ("c", "number"), [(WALL * (1 - 1e-9), 2), (WALL, 1), (WALL * (1 + 1e-9), 0)]
)
def test_two_fixed_points_meet_and_vanish(c, number):
    found = fixed_points(Network(activation("exp_square", c=c)))
    assert len(found) == number
    for point in found:
        assert point.q == pytest.approx(math.sqrt(3), rel=1e-4)
        assert abs(point.q - math.sqrt(3)) <= (point.error if number == 1 else 1e-4)
    if number == 1:
        assert found[0].slope == pytest.approx(1, abs=1e-6)
        assert found[0].stable is False  # from below lengths come to it, from above they leave
    if number == 2:
        assert [p.stable for p in found] == [True, False]


# --- fixed points, two ways -----------------------------------------------------------------------

SOME = [
    Network("tanh", sigma_w=1.5),
    Network("tanh", sigma_w=1.5, sigma_b=0.3),
    Network("tanh", sigma_w=1.0001),
    Network("gelu", sigma_w=unit_scale("gelu")),
    Network("silu", sigma_w=1.7, sigma_b=0.01),
    Network("exp", sigma_w=math.exp(-1)),
    Network("cos", sigma_w=3.0),
    Network("gaussian", sigma_w=2.0),
    Network("log_abs", sigma_w=0.7815),
    Network("hardtanh", sigma_w=1.2, keep_probability=0.7),
    Network("softplus"),
    Network(Activation(lambda x: np.tanh(x) + 0.3 * np.sin(8 * x), name="wave"), sigma_w=1.4),
    Network(Activation(lambda x: x**2 * np.exp(-np.abs(x)), name="hump"), sigma_w=3.0),
]


@pytest.mark.parametrize("net", SOME, ids=lambda net: net.activation.name)
def test_all_that_a_scan_finds(net):
    """Sign changes of V(q) - q on a fine scan, each between two lengths that are asked for."""
    low = max(net.sigma_b**2 * 1.0001, 1e-6)
    scan = np.geomspace(low, 300, 400)
    excess = np.array([image(net, q) - q for q in scan])
    k = np.flatnonzero(np.sign(excess[1:]) != np.sign(excess[:-1]))
    roots = [brentq(lambda q: image(net, q) - q, scan[i], scan[i + 1], xtol=1e-13) for i in k]
    found = [p for p in fixed_points(net) if low < p.q < 300]
    assert [p.q for p in found] == pytest.approx(roots, rel=1e-7)
    for point, i in zip(found, k, strict=True):
        assert point.stable is bool(excess[i] > 0)
        assert abs(image(net, point.q) - point.q) <= 1e-11 * point.q
        assert point.slope == pytest.approx(slope(net, point.q).value)
        assert point.chi == pytest.approx(chi(net, point.q).value)
        assert point.error <= 1e-6 * point.q


@pytest.mark.parametrize("net", SOME, ids=lambda net: net.activation.name)
def test_stable_points_attract_and_others_do_not(net):
    for point in fixed_points(net):
        if point.q == 0 or point.q < net.sigma_b**2 * 1.02:
            continue
        for side in (0.999, 1.001):
            q = point.q * side
            for _ in range(3):
                q = image(net, q)
            nearer = bool(abs(q - point.q) < abs(point.q * (side - 1)))
            assert nearer is point.stable


@pytest.mark.parametrize(
    ("net", "slope_at_0", "stable"),
    [
        (Network("tanh", sigma_w=1.0), 1.0, True),  # q - 2 q^2: from above, slowly
        (Network("tanh", sigma_w=0.9), 0.81, True),
        (Network("tanh", sigma_w=1.1), 1.21, False),
        (Network(Activation(lambda x: x + x**3), sigma_w=1.0), 1.0, False),
        (Network("gelu", sigma_w=1.5), 0.5625, True),
        (Network("cbrt", sigma_w=0.01), math.inf, False),
        (Network("power"), math.inf, False),
        (Network("reciprocal"), math.inf, False),
    ],
    ids=lambda v: v.activation.name if isinstance(v, Network) else "",
)
def test_0(net, slope_at_0, stable):
    point = fixed_points(net)[0]
    assert point.q == 0
    assert point.slope == pytest.approx(slope_at_0, rel=1e-9)
    assert point.chi == pytest.approx(slope_at_0, rel=1e-9)
    assert point.stable is stable


@pytest.mark.parametrize("name", ["cos", "gaussian", "exp", "softplus", "sigmoid", "dirichlet"])
def test_0_is_not_fixed_where_phi_is_not_0(name):
    assert all(point.q > 0 for point in fixed_points(Network(name, sigma_w=0.5)))


def test_q_max_cuts():
    net = Network("exp", sigma_w=math.exp(-1))
    assert [p.q for p in fixed_points(net)] == pytest.approx([0.2031878699, 1.0], rel=1e-9)
    assert len(fixed_points(net, q_max=0.5)) == 1
    assert len(fixed_points(net, q_max=0.1)) == 0
    assert fixed_points(net, q_max=0.5).q_max == pytest.approx(0.5)
    assert fixed_points(net).q_max < 360  # exp(2 q) leaves the floats


def test_certainty():
    assert fixed_points(Network("tanh")).certain
    assert not fixed_points(Network(Activation(np.tanh))).certain


def test_it_is_a_sequence():
    found = fixed_points(Network("tanh", sigma_w=1.5))
    assert len(found) == 2
    assert found[-1] == list(found)[1]
    assert found[:1] == (found[0],)
    assert isinstance(found[0], FixedPoint)
    assert found[1] in found


# --- slope ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [1e-3, 1.0, 2.2, 40.0])
@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("relu", lambda q: 0.5),
        ("square", lambda q: 6 * q),
        ("sin", lambda q: math.exp(-2 * q)),
        ("cos", lambda q: -math.exp(-2 * q)),
        ("erf", lambda q: 4 / (math.pi * (1 + 2 * q) * math.sqrt(1 + 4 * q))),
        ("gaussian", lambda q: -2 * (1 + 4 * q) ** -1.5),
        ("sign", lambda q: 0.0),
        ("hardtanh", lambda q: math.erf(1 / math.sqrt(2 * q)) - math.sqrt(2 / math.pi / q)
         * math.exp(-1 / (2 * q))),
    ],
)  # fmt: skip
def test_slopes(name, truth, q):
    net = Network(name, sigma_w=1.5, keep_probability=0.8)
    found = slope(net, q)
    assert abs(found.value - net.gain * truth(q)) <= found.error
    assert found.error <= 1e-7 * max(1, abs(truth(q)))


def test_the_slope_at_unit_scale():
    """tanh 0.46, ReLU 1, GELU 1.14, SiLU 1.17, x^2 2."""
    for name, value in [("tanh", 0.46), ("relu", 1), ("gelu", 1.14), ("silu", 1.17), ("square", 2)]:
        assert slope(Network(name, sigma_w=unit_scale(name)), 1.0).value == pytest.approx(
            value, abs=0.005
        )


@pytest.mark.parametrize("name", catalogue())
def test_slopes_are_bounded_below(name):
    """sqrt(q) m(q) never falls, so q V' >= -V / 2: no length map oscillates for ever."""
    net = Network(name)
    for q in (1e-3, 0.1, 1.0, 2.3):
        found = slope(net, q)
        if math.isfinite(found.value):
            assert q * found.value >= -image(net, q) / 2 - q * found.error


def test_an_infinite_slope():
    assert slope(Network("tan"), 1.0).value == math.inf
    assert slope(Network("exp_square"), 2.5).value == math.inf
    assert slope(Network("exp_square"), 2.4999).value > 1e4


# --- chi ------------------------------------------------------------------------------------------


def test_chi_of_rectifiers_does_not_depend_on_the_length():
    for q in (1e-8, 1.0, 1e8):
        net = Network("leaky_relu", sigma_w=1.5, keep_probability=0.5)
        assert chi(net, q).value == pytest.approx(4.5 * (1 + 1e-4) / 2, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 3), st.floats(0.01, 30), st.floats(0.3, 1))
def test_chi_of_sin(sigma_w, q, keep):
    net = Network("sin", sigma_w=sigma_w, keep_probability=keep)
    found = chi(net, q)
    assert abs(found.value - net.gain * (1 + math.exp(-2 * q)) / 2) <= found.error


def test_unit_scale_tanh_is_chaotic():
    assert chi(Network("tanh", sigma_w=unit_scale("tanh")), 1.0).value == pytest.approx(
        1.178, abs=5e-4
    )


# --- refusals -------------------------------------------------------------------------------------

NET = Network("tanh")


@pytest.mark.parametrize("function", [slope, chi], ids=["slope", "chi"])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("tanh", 1.0), TypeError, r"net must be a Network, got 'tanh'; write Network\('tanh'\)"),
        ((None, 1.0), TypeError, "net must be a Network, got None"),
        ((NET, 0.0), ValueError, r"q must be a finite number > 0, got 0\.0"),
        ((NET, -1), ValueError, "q must be a finite number > 0, got -1"),
        ((NET, math.inf), ValueError, "q must be .*, got inf"),
        ((NET, math.nan), ValueError, "q must be .*, got nan"),
        ((NET, "1"), TypeError, "q must be .*, got '1'"),
        ((NET, None), TypeError, "q must be .*, got None"),
        ((NET, [1.0]), TypeError, r"q must be .*, got \[1\.0\]"),
        ((Network(Activation(np.sqrt, name="r")), 1.0), ValueError, "'r' .* got nan at x = -"),
    ],
)
def test_bad_lengths(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)


@pytest.mark.parametrize(
    ("net", "arguments", "error", "message"),
    [
        ("tanh", {}, TypeError, "net must be a Network, got 'tanh'; write Network"),
        (activation("tanh"), {}, TypeError, "got <Activation tanh>; write Network"),
        (NET, {"q_max": 0}, ValueError, "q_max must be a finite number >= 1e-290, got 0"),
        (NET, {"q_max": -3.0}, ValueError, r"q_max must be .*, got -3\.0"),
        (NET, {"q_max": 1e-320}, ValueError, "q_max must be .* >= 1e-290, got 1e-320"),
        (NET, {"q_max": math.inf}, ValueError, "q_max must be .*, got inf"),
        (Network("tanh", sigma_w=1e200), {}, ValueError, r"sigma_w must have a square .* 1e\+200"),
        (Network("tanh", sigma_b=1e200), {}, ValueError, r"sigma_b must have a square .* 1e\+200"),
        (NET, {"q_max": math.nan}, ValueError, "q_max must be .*, got nan"),
        (NET, {"q_max": "10"}, TypeError, "q_max must be .*, got '10'"),
        (NET, {"q_max": (1, 2)}, TypeError, r"q_max must be .*, got \(1, 2\)"),
        (Network(Activation(np.sqrt, name="r")), {}, ValueError, "'r' .* got nan at x = -"),
        (Network(Activation(np.diff)), {}, ValueError, "must return a real array"),
    ],
)
def test_bad_arguments(net, arguments, error, message):
    with pytest.raises(error, match=message):
        fixed_points(net, **arguments)


def test_the_largest_and_smallest_scales():
    """Lengths near the ends of the floats: no warning, no nan, and an end."""
    (*_, kept) = fixed_points(Network("tanh", sigma_w=1e150))
    assert kept.q == pytest.approx(1e300)
    assert fixed_points(NET, q_max=1e308).q_max == pytest.approx(1e307)
    assert list(fixed_points(Network("exp_square", sigma_w=1e150))) == []
    steep = Network(formula("1e300*x"))
    assert chi(steep, 1e-200).value == math.inf
    found = fixed_points(Network(steep.activation, sigma_w=1e-3, sigma_b=1e-160))
    assert (found.q_max < 1e-200, found.every_q) == (True, False)
    for function in (slope, chi):
        with pytest.raises(ValueError, match="sigma_w must have a square"):
            function(Network("sign", sigma_w=1e200), 1.0)


def test_q_max_has_a_name():
    with pytest.raises(TypeError, match="positional"):
        fixed_points(NET, 10.0)
