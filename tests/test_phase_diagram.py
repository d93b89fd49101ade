"""The diagram against closed forms, the length map that it stands for, and fixed_points."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.fixed_points import chi, fixed_points
from lengthlab.formula import formula
from lengthlab.gaussian import Estimate, mean_square
from lengthlab.length_curve import length_curve, log_series
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.phase_diagram import phase_diagram

pytestmark = pytest.mark.filterwarnings("error")

W, B = np.linspace(0.05, 4, 40), np.linspace(0, 2, 25)
PLAIN = [
    Activation(lambda x: np.tanh(x), name="plain tanh"),
    Activation(lambda x: np.maximum(x, 0), name="plain relu"),
    Activation(np.vectorize(math.tanh, otypes=[float]), name="slow tanh"),
    Activation(lambda x: x * np.exp(-x * x), name="bump"),
    Activation(lambda x: np.tanh(x) + 0.3 * np.sin(8 * x), name="wave"),
    Activation(lambda x: np.abs(x) ** 3 * np.exp(-np.abs(x)), name="hump"),
]


# --- exact ----------------------------------------------------------------------------------------


def test_relu():
    diagram = phase_diagram("relu", sigma_w=W, sigma_b=B)
    half = W**2 / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        truth = np.where(half < 1, B[:, None] ** 2 / (1 - half), math.inf)
    np.testing.assert_allclose(diagram.q_star, truth, rtol=1e-9)
    np.testing.assert_allclose(diagram.chi, np.broadcast_to(half, truth.shape), rtol=1e-9)
    assert set(diagram.phase[0]) == {"vanishing", "exploding"}
    assert set(diagram.phase[1:].ravel()) == {"ordered", "exploding"}


def test_he_stays_where_it_starts():
    diagram = phase_diagram("relu", sigma_w=[2**0.5], sigma_b=[0.0, 0.1], input_length=3.0)
    assert diagram.q_star[0, 0] == pytest.approx(6, rel=1e-12)
    assert diagram.q_star[1, 0] == math.inf
    assert diagram.phase.tolist() == [["critical"], ["exploding"]]
    near = phase_diagram(
        "relu", sigma_w=[2**0.5 * 0.99999], sigma_b=[0.1]
    )  # past 10^4: it is found
    assert near.q_star[0, 0] == pytest.approx(0.01 / (1 - 0.99999**2), rel=1e-9)


def test_sign_and_heaviside():
    for name, moment in (("sign", 1.0), ("heaviside", 0.5)):
        diagram = phase_diagram(name, sigma_w=W, sigma_b=B)
        truth = moment * W**2 + B[:, None] ** 2
        np.testing.assert_allclose(diagram.q_star, truth, rtol=1e-12)
        assert (diagram.chi == math.inf).all()
        assert (diagram.phase == "chaotic").all()


def test_dropout_is_a_larger_gain():
    dropped = phase_diagram("relu", sigma_w=[0.9], sigma_b=[0.3], keep_probability=0.5)
    assert dropped.q_star[0, 0] == pytest.approx(0.09 / (1 - 0.81), rel=1e-9)
    assert dropped.chi[0, 0] == pytest.approx(0.81, rel=1e-9)


@pytest.mark.parametrize("name", ["reciprocal", "tan"])
def test_an_infinite_map(name):
    diagram = phase_diagram(name, sigma_w=[0.5, 2.0], sigma_b=[0.0, 1.0])
    assert (diagram.q_star == math.inf).all()
    assert (diagram.phase == "exploding").all()


def test_the_wall_of_exp_square():
    """c = 0.1: from sigma_w = 1 on no fixed point; below, the map from sigma_w^2 comes to one."""
    roots = np.roots([-0.4, 1, 0, -(0.8**4)])
    low = min(r.real for r in roots if r.real > 0)
    diagram = phase_diagram("exp_square", sigma_w=[0.8, 1.0], sigma_b=[0.0])
    assert diagram.q_star[0].tolist() == [pytest.approx(low, rel=1e-9), math.inf]


def test_the_edge_of_chaos_of_tanh():
    """At sigma_b = 0 chi is sigma_w^2 up to sigma_w = 1, and above 1 beyond (Poole et al. 2016)."""
    diagram = phase_diagram("tanh", sigma_w=[0.7, 0.99, 1.01, 2.0], sigma_b=[0.0, 0.5])
    np.testing.assert_allclose(diagram.chi[0, :2], [0.49, 0.9801], rtol=1e-9)
    assert (diagram.chi[0, 2:] > 1).all()
    assert diagram.phase[0].tolist() == ["vanishing", "vanishing", "chaotic", "chaotic"]
    assert diagram.phase[1].tolist() == ["ordered", "ordered", "ordered", "chaotic"]


def test_a_bistable_map_depends_on_the_start():
    """GELU at unit scale: 1 is an edge between lengths that vanish and lengths that grow."""
    sigma_w = [Network("gelu").sigma_w * 1.5335]
    small = phase_diagram("gelu", sigma_w=sigma_w, sigma_b=[0.0], input_length=0.3)
    large = phase_diagram("gelu", sigma_w=sigma_w, sigma_b=[0.0], input_length=0.6)
    assert (small.q_star[0, 0], large.q_star[0, 0]) == (0, math.inf)


def test_a_phi_that_leaves_the_floats():
    """exp without its logarithm: the table ends where it can be computed."""
    plain = phase_diagram(Activation(np.exp), sigma_w=[0.2, 0.36, 3.0], sigma_b=[0.0, 0.1])
    known = phase_diagram("exp", sigma_w=[0.2, 0.36, 3.0], sigma_b=[0.0, 0.1])
    np.testing.assert_allclose(plain.q_star, known.q_star, rtol=1e-9)
    np.testing.assert_allclose(plain.chi[:, :2], known.chi[:, :2], rtol=1e-7)
    assert known.certain
    assert not plain.certain


def test_the_rationals_do_not_make_a_nan():
    diagram = phase_diagram("dirichlet", sigma_w=[1.0], sigma_b=[0.0, 0.5])
    assert diagram.q_star[:, 0].tolist() == [0, pytest.approx(0.25)]


# --- two ways -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["sin(exp(x))", "sin(exp(x^2/10))", "exp(x^2*sin(x))", "x*sin(x^2)"]
)
def test_an_endless_oscillation_makes_no_nan(text):
    diagram = phase_diagram(formula(text), sigma_w=[0.5, 1.2], sigma_b=[0.5, 1.5])
    assert (diagram.q_star >= 0).all()
    assert (diagram.chi >= 0).all()


def test_chi_where_slopes_are_endless():
    diagram = phase_diagram(formula("sin(exp(x))"), sigma_w=[1.5], sigma_b=[0.05, 1.5])
    q = diagram.q_star[0, 0]
    x = math.sqrt(q) * np.linspace(-12, 12, 2_000_001)
    weights = np.exp(-x * x / (2 * q))
    truth = 1.5**2 * np.average((np.exp(x) * np.cos(np.exp(x))) ** 2, weights=weights)
    assert diagram.chi[0, 0] == pytest.approx(truth, rel=1e-4)


def test_lengths_below_which_panels_know_nothing_do_not_hide_a_fixed_point():
    # E x^2 sin^2(x^2) = (q - Re q / (1 - 4 i q)^(3/2)) / 2: a gain above 2 explodes.
    gains = np.array([1.8, 1.95, 2.05, 2.5])
    diagram = phase_diagram(formula("x*sin(x^2)"), sigma_w=np.sqrt(gains), sigma_b=[1.0])
    q, ends = diagram.q_star[0], gains < 2
    assert np.isinf(q[~ends]).all()
    mean = (q[ends] - np.real(q[ends] / (1 - 4j * q[ends]) ** 1.5)) / 2
    assert gains[ends] * mean + 1 == pytest.approx(q[ends], rel=1e-6)


@pytest.mark.parametrize("phi", [*map(activation, catalogue()), *PLAIN], ids=lambda phi: phi.name)
def test_the_length_map_ends_there(phi):
    """100 layers of the map at random networks of the diagram, wherever it has settled by then."""
    diagram = phase_diagram(phi, sigma_w=W, sigma_b=B)
    assert diagram.q_star.shape == diagram.chi.shape == diagram.phase.shape == (25, 40)
    assert not np.isnan(diagram.q_star).any()
    assert not np.isnan(diagram.chi).any()
    rng = np.random.default_rng(0)
    settled = 0
    for _ in range(6):
        i, j = rng.integers(25), rng.integers(40)
        net, limit = Network(phi, sigma_w=W[j], sigma_b=B[i]), diagram.q_star[i, j]
        q = length_map(net, depth=100).values
        if not q[-1] < 1e6 * q[0]:
            assert limit == math.inf
        elif abs(q[-1] - q[-2]) < 1e-10 * q[-1]:
            assert limit == pytest.approx(q[-1], rel=1e-7)
            assert diagram.chi[i, j] == pytest.approx(chi(net, limit).value, rel=1e-6)
        elif q[-1] < 1e-9:
            assert limit < 1e-6
        else:  # still on its way
            continue
        settled += 1
    assert settled >= 3


@pytest.mark.parametrize("phi", ["tanh", "silu", "exp", "cos", "hardtanh", "gelu"], ids=str)
def test_limits_are_fixed_points(phi):
    diagram = phase_diagram(phi, sigma_w=W, sigma_b=B)
    rng = np.random.default_rng(1)
    for _ in range(8):
        i, j = rng.integers(25), rng.integers(40)
        net, limit = Network(phi, sigma_w=W[j], sigma_b=B[i]), diagram.q_star[i, j]
        points = {p.q: p.stable for p in fixed_points(net)}
        if math.isinf(limit):
            assert not any(q > net.first_variance and stable for q, stable in points.items())
        else:
            nearest = min(points, key=lambda q: abs(q - limit))
            assert limit == pytest.approx(nearest, rel=1e-8, abs=1e-9)
            assert points[nearest] is not False
            assert limit * 1.001 != pytest.approx(nearest, rel=1e-8, abs=1e-9) or limit == 0


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 3.5), st.floats(0.05, 2), st.floats(0.1, 10), st.floats(0.2, 1))
def test_one_network_and_many(sigma_w, sigma_b, start, keep):
    common = {"input_length": start, "keep_probability": keep}
    alone = phase_diagram("erf", sigma_w=[sigma_w], sigma_b=[sigma_b], **common)
    among = phase_diagram("erf", sigma_w=[0.2, sigma_w, 3.6], sigma_b=[sigma_b, 2.2], **common)
    assert among.q_star[0, 1] == pytest.approx(alone.q_star[0, 0], rel=1e-9)
    assert among.chi[0, 1] == pytest.approx(alone.chi[0, 0], rel=1e-7)
    net = Network("erf", sigma_w=sigma_w, sigma_b=sigma_b, **common)
    q = length_map(net, depth=400).values
    if abs(q[-1] - q[-2]) < 1e-11 * q[-1]:
        assert alone.q_star[0, 0] == pytest.approx(q[-1], rel=1e-8)


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in catalogue() if n not in ("reciprocal", "tan")])
def test_the_table_of_m(name):
    curve = length_curve(activation(name), 1e-9, 1e4)
    x = np.random.default_rng(2).uniform(*curve.log_m.edges[[0, -1]], 40)
    for value, error, at in zip(curve.log_m(x), curve.log_m.error(x), x, strict=True):
        m = mean_square(activation(name), math.exp(at)).estimate.value
        if m > 1e-200:
            assert abs(math.exp(value) / m - 1) <= error + 1e-12
            assert error < 1e-7


def test_a_series_and_its_slope():
    table = log_series(lambda q: Estimate(q**3 * math.exp(-q), 0.0), 1e-3, 50.0)
    x = np.linspace(*table.edges[[0, -1]], 301)
    np.testing.assert_allclose(table(x), 3 * x - np.exp(x), atol=1e-9)
    np.testing.assert_allclose(table(x, derivative=True), 3 - np.exp(x), atol=1e-6)


def test_turning_points():
    """q - g q / (1 + q)^2 turns where (1 + q)^3 = g (1 - q)."""
    phi = Activation(
        lambda x: np.sin(x), growth=0.0, degree=0, mean_square=lambda q: q / (1 + q) ** 2
    )
    curve = length_curve(phi, 1e-9, 1e4)
    for gain, found in zip((0.5, 3.0), curve.turning_points(np.array([0.5, 3.0])), strict=True):
        roots = [r.real for r in np.roots([1, 3, 3 + gain, 1 - gain]) if abs(r.imag) < 1e-12]
        inside = [q for q in roots if 0 < q < 1]
        assert np.exp(found) == pytest.approx(inside, rel=1e-9)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"activation": "thanh"}, ValueError, "activation must be one of .*; got 'thanh'"),
        ({"activation": np.tanh}, TypeError, "activation must be a name or an Activation"),
        ({"sigma_w": 1.5}, ValueError, r"sigma_w must be an array .*, got 1\.5; write \[1\.5\]"),
        ({"sigma_w": []}, ValueError, r"sigma_w must be an array of numbers .*, got \[\]"),
        ({"sigma_w": [[1.0]]}, ValueError, r"sigma_w must be .* shape \(n,\), got \[\[1\.0\]\]"),
        ({"sigma_w": "1.5"}, TypeError, "sigma_w must be an array of numbers .*, got '1.5'"),
        ({"sigma_w": ["a"]}, TypeError, r"sigma_w must be an array of numbers .*, got \['a'\]"),
        ({"sigma_w": None}, ValueError, "sigma_w must be .*, got None"),
        ({"sigma_w": [0.0]}, ValueError, r"sigma_w must be a finite number > 0, got 0\.0"),
        ({"sigma_w": [1.0, -1.0]}, ValueError, r"sigma_w must be .*, got -1\.0"),
        ({"sigma_w": [math.nan]}, ValueError, "sigma_w must be .*, got nan"),
        ({"sigma_w": [math.inf]}, ValueError, "sigma_w must be .*, got inf"),
        ({"sigma_w": [1e200]}, ValueError, r"sigma_w must have a square .*, got 1e\+200"),
        ({"sigma_b": [1e200]}, ValueError, r"sigma_b must have a square .*, got 1e\+200"),
        ({"sigma_w": [10**400]}, TypeError, "sigma_w must be an array of numbers"),
        ({"keep_probability": 1e-320}, ValueError, "divided by keep_probability 1e-320"),
        ({"q_max": 1e-320}, ValueError, "q_max must be .* >= 1e-290, got 1e-320"),
        ({"sigma_b": 0.3}, ValueError, r"sigma_b must be an array .*, got 0\.3; write \[0\.3\]"),
        ({"sigma_b": [-0.1]}, ValueError, r"sigma_b must be a finite number >= 0, got -0\.1"),
        ({"sigma_b": [math.nan]}, ValueError, "sigma_b must be .*, got nan"),
        ({"keep_probability": 0}, ValueError, "keep_probability must be .* got 0"),
        ({"keep_probability": 1.5}, ValueError, "keep_probability must be .* <= 1, got 1.5"),
        ({"input_length": 0.0}, ValueError, "input_length must be .* > 0, got 0.0"),
        ({"q_max": 0}, ValueError, "q_max must be a finite number >= 1e-290, got 0"),
        ({"q_max": math.inf}, ValueError, "q_max must be .*, got inf"),
        ({"q_max": "big"}, TypeError, "q_max must be .*, got 'big'"),
        ({"activation": Activation(np.sqrt, name="r")}, ValueError, "'r' .* got nan at x = -"),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"activation": "tanh", "sigma_w": [1.0], "sigma_b": [0.0]} | arguments
    with pytest.raises(error, match=message):
        phase_diagram(call.pop("activation"), **call)
