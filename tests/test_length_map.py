"""The length map against 22-digit references, closed recursions and known fates."""

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthlab.activations import Activation, activation
from lengthlab.fixed_points import slope
from lengthlab.formula import formula
from lengthlab.length_map import length_map
from lengthlab.network import Network

pytestmark = pytest.mark.filterwarnings("error")

INF = math.inf
REFERENCE = json.loads(
    (Path(__file__).parent / "reference" / "length_maps.json").read_text(encoding="utf-8")
)
"""30-digit quadrature; an entry with "corrected" says what was put right, and how."""


def reference_network(entry):
    name, _, slope = entry["activation"].partition("_0.")
    phi = activation(name, slope=float("0." + slope)) if slope else activation(name)
    return Network(phi, sigma_w=float(entry["sigma_w"]), sigma_b=float(entry["sigma_b"]))


# --- exact ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry", REFERENCE, ids=lambda e: f"{e['activation']}-{e['sigma_w']}-{e['sigma_b']}"
)
def test_reference(entry):
    truth = np.array([float(q) for q in entry["length_map"]])
    net = reference_network(entry)
    found = length_map(net, depth=len(truth))
    distance = np.abs(found.values - truth)
    assert (distance <= 1e-11 * truth).all()
    # The reference is of decimal scales, the map of their floats: half an ulp of each.
    assert (distance <= found.errors + 2e-16 * truth).all()
    assert (found.errors <= 1e-9 * truth).all()
    assert found.certain
    other = Network(net.activation, sigma_w=net.sigma_w * (1 + 1e-9), sigma_b=net.sigma_b)
    assert abs(length_map(other, depth=1).values[0] - truth[0]) > 1e-11 * truth[0]


def test_the_reference_is_whole():
    assert len(REFERENCE) == 78
    assert len({entry["activation"] for entry in REFERENCE}) == 26
    assert [e["activation"] for e in REFERENCE if "corrected" in e] == ["relu_squared"]


def test_relu_squared_in_rationals():
    q, lengths = Fraction("0.64"), []
    for _ in range(10):
        lengths.append(float(q))
        q = Fraction("0.64") * Fraction(3, 2) * q * q
    assert lengths[7] == 8.699279127531988e-28
    found = length_map(Network("relu_squared", sigma_w=0.8), depth=10)
    assert (np.abs(found.values - lengths) <= found.errors).all()
    np.testing.assert_allclose(found.values, lengths, rtol=1e-12)


@given(st.floats(0.1, 3), st.floats(0, 2), st.floats(0.05, 1), st.floats(0.01, 10))
def test_relu_is_a_geometric_series(sigma_w, sigma_b, keep, start):
    net = Network(
        "relu", sigma_w=sigma_w, sigma_b=sigma_b, keep_probability=keep, input_length=start
    )
    found = length_map(net, depth=6)
    q = sigma_w**2 * start + sigma_b**2  # the input is never masked
    for layer in range(6):
        assert found.values[layer] == pytest.approx(q, rel=1e-13)
        q = sigma_w**2 * q / (2 * keep) + sigma_b**2


def test_he_keeps_its_length():
    found = length_map(Network("relu", sigma_w=math.sqrt(2)), depth=50)
    np.testing.assert_allclose(found.values, 2.0, rtol=3e-14)
    assert (np.diff(found.errors) >= 0).all()
    assert (np.abs(found.values - 2) <= found.errors).all()


def test_dropout_begins_at_layer_2():
    net = Network("sign", sigma_w=1.5, sigma_b=0.3, keep_probability=0.25)
    assert length_map(net, depth=3).values.tolist() == pytest.approx([2.34, 9.09, 9.09], rel=1e-15)


def test_the_input_is_forgotten_or_kept():
    ends = []
    for start in (0.01, 1.0, 100.0):
        kept = length_map(Network("identity", input_length=start), depth=5).values
        np.testing.assert_allclose(kept, start, rtol=1e-14)
        lost = length_map(Network("tanh", sigma_w=1.5, sigma_b=0.3, input_length=start), depth=60)
        assert lost.values[0] == pytest.approx(2.25 * start + 0.09, rel=1e-15)
        assert lost.values[-1] == pytest.approx(lost.values[-2], rel=1e-11)
        ends.append(lost.values[-1])
    assert max(ends) - min(ends) < 1e-10


def test_the_rationals_alternate_without_a_bias():
    """E phi^2 = 0 at every q > 0, and phi(0) = 1."""
    assert length_map(Network("dirichlet"), depth=6).values.tolist() == [1, 0, 1, 0, 1, 0]
    biased = length_map(Network("dirichlet", sigma_b=0.5), depth=4).values
    assert biased.tolist() == [1.25, 0.25, 0.25, 0.25]


def test_a_length_of_0_stays_where_phi_is_0():
    for name in ("tanh", "heaviside", "reciprocal", "log_abs"):
        found = length_map(Network(name, sigma_w=1e-200), depth=3)
        assert found.values.tolist() == [0, 0, 0]
    assert length_map(Network("cos", sigma_w=1e-200), depth=2).values.tolist() == [0, 0]


# --- two ways -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["relu", "sin", "erf", "abs", "heaviside", "gaussian", "cbrt"])
def test_a_plain_function_has_the_same_map(name):
    phi = activation(name)
    parameters = {"sigma_w": 1.3, "sigma_b": 0.2, "keep_probability": 0.8}
    closed = length_map(Network(phi, **parameters), depth=6)
    plain = Activation(phi.function, kinks=phi.kinks)
    probed = length_map(Network(plain, **parameters), depth=6)
    assert (np.abs(closed.values - probed.values) <= closed.errors + probed.errors).all()
    assert closed.certain
    assert not probed.certain
    assert length_map(Network(plain), depth=1).certain  # no phi was asked


@given(st.floats(0.2, 4), st.floats(0, 2))
def test_the_map_is_a_chain(sigma_w, sigma_b):
    """Layer l + 1 from layer l, as if the network began there."""
    net = Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b)
    found = length_map(net, depth=4)
    for layer in (0, 2):
        start = (found.values[layer] - sigma_b**2) / sigma_w**2
        if start <= 1e-3 * found.values[layer] / sigma_w**2:
            continue
        again = Network("tanh", sigma_w=sigma_w, sigma_b=sigma_b, input_length=start)
        rest = length_map(again, depth=2).values[1]
        assert rest == pytest.approx(found.values[layer + 1], rel=1e-10)


def test_errors_grow_with_the_slope():
    """Near the wall a small error of q is a large one of V(q): the bound follows."""
    calm = length_map(Network("tanh", sigma_w=1.5), depth=8)
    wild = length_map(Network("exp_square", sigma_w=1.0), depth=12)
    assert calm.errors[-1] < 1e-13
    assert wild.errors[-1] / wild.values[-1] > 100 * calm.errors[-1]


# --- infinite, or beyond the floats ---------------------------------------------------------------


@pytest.mark.parametrize(("c", "finite"), [(0.1, 12), (0.12, 4), (0.15, 3), (0.2, 2)])
def test_the_wall_of_exp_square(c, finite):
    """The map of q -> (1 - 4 c q)^(-1/2) from 1, by hand, until 4 c q >= 1."""
    lengths, q = [], 1.0
    while 4 * c * q < 1:
        lengths.append(q)
        q = (1 - 4 * c * q) ** -0.5
    lengths.append(q)  # finite still; its own image is not
    assert len(lengths) == finite
    found = length_map(
        Network("exp_square" if c == 0.1 else activation("exp_square", c=c)), depth=20
    )
    np.testing.assert_allclose(found.values[:finite], lengths, rtol=1e-11)
    assert found.first_infinite == finite + 1
    assert found.first_overflow is None
    for array in (found.values, found.errors):
        assert np.isinf(array[finite:]).all()
        assert np.isfinite(array[:finite]).all()
    assert length_map(Network(activation("exp_square", c=c)), depth=finite).first_infinite is None


def test_exp_square_is_finite_for_ever_up_to_a_known_c():
    """q^2 (1 - 4 c q) = 1 has a solution iff c <= 1 / sqrt(108): the cubic's maximum at 1 / 6c."""
    wall = 1 / math.sqrt(108)
    below = length_map(Network(activation("exp_square", c=wall * (1 - 1e-9))), depth=2000)
    assert below.first_infinite is None
    assert (np.diff(below.values) >= -1e-9).all()
    assert below.values[-1] < math.sqrt(3)
    above = length_map(Network(activation("exp_square", c=wall * 1.001)), depth=2000)
    assert above.first_infinite is not None
    for c in (0.0962250, 0.0962251):  # 1 / sqrt(108) = 0.09622504...
        fate = length_map(Network(activation("exp_square", c=c)), depth=20_000).first_infinite
        assert (fate is None) == (c <= wall)


@pytest.mark.parametrize(
    ("net", "infinite", "overflow"),
    [
        (Network("exp"), None, 4),
        (Network("square", sigma_w=1.5), None, 10),
        (Network("relu_squared", sigma_w=3), None, 9),
        (Network("exp_power"), None, 3),
        (Network("relu", sigma_w=1e200), None, 1),
        (Network("tanh", sigma_w=1e200), None, 1),
        (Network("relu", sigma_w=1e100), None, 2),
        (Network("tan"), 2, None),
        (Network("reciprocal"), 2, None),
        (Network(activation("power", exponent=-0.5)), 2, None),
        (Network(activation("exp_power", p=3)), 2, None),
        (Network("exp_square", sigma_w=2), 2, None),
        (Network(activation("exp_square", c=1), sigma_w=0.4), 3, None),
    ],
    ids=lambda v: v.activation.name if isinstance(v, Network) else str(v),
)
def test_infinity_and_overflow_are_told_apart(net, infinite, overflow):
    found = length_map(net, depth=14)
    assert (found.first_infinite, found.first_overflow) == (infinite, overflow)
    lost = (infinite or overflow or 15) - 1
    assert np.isfinite(found.values[:lost]).all()
    assert (found.values[lost:] == INF).all()
    assert (found.errors[lost:] == INF).all()
    assert found.certain


def test_square_overflows_where_the_rationals_say():
    q, layer = Fraction(9, 4), 1
    while q < Fraction(2) ** 1024:
        q, layer = Fraction(9, 4) * 3 * q * q, layer + 1
    assert length_map(Network("square", sigma_w=1.5), depth=14).first_overflow == layer


def test_plain_functions_are_never_certain():
    found = length_map(Network(Activation(lambda x: np.exp(x * x))), depth=3)
    assert found.first_infinite == 2
    assert not found.certain


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "depth", "error", "message"),
    [
        ("tanh", 3, TypeError, r"net must be a Network, got 'tanh'; write Network\('tanh'\)"),
        (activation("tanh"), 3, TypeError, "got <Activation tanh>; write Network"),
        (None, 3, TypeError, "net must be a Network, got None"),
        (Network("tanh"), 0, ValueError, "depth must be an integer >= 1, got 0"),
        (Network("tanh"), -1, ValueError, "depth must be .*, got -1"),
        (Network("tanh"), 10**8, ValueError, "depth must be .* <= 10000000, got 100000000"),
        (Network("tanh"), 10**400, ValueError, f"depth must be .* <= 10000000, got {10**400}"),
        (Network("tanh"), 2.0, TypeError, r"depth must be .*, got 2\.0; write 2"),
        (Network("tanh"), "3", TypeError, "depth must be .*, got '3'"),
        (Network("tanh"), None, TypeError, "depth must be .*, got None"),
        (Network("tanh"), True, TypeError, "depth must be .*, got True"),
        (Network(Activation(np.sqrt, name="r")), 2, ValueError, "'r' .* got nan at x = -"),
        (Network(Activation(np.diff)), 2, ValueError, "'phi' must return a real array"),
    ],
)
def test_bad_arguments(net, depth, error, message):
    with pytest.raises(error, match=message):
        length_map(net, depth=depth)


def test_depth_has_a_name():
    with pytest.raises(TypeError, match="positional"):
        length_map(Network("tanh"), 3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["1e154*x", "1e154*x^2", "1e300*x", "1e300*sin(x)"])
def test_lengths_that_leave_the_floats_do_not_warn(text):
    prediction = length_map(Network(formula(text)), depth=5)
    assert not np.isnan(prediction.values).any()
    assert not np.isnan(prediction.errors).any()
    assert prediction.values[-1] == math.inf
    assert prediction.first_infinite is None
    assert slope(Network(formula(text)), 1.0).value > 0
