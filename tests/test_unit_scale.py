"""V(1) = 1."""

import math

import numpy as np
import pytest
from closed_forms import elu, gelu, hardtanh, selu
from hypothesis import given
from hypothesis import strategies as st

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.length_map import length_map
from lengthlab.network import Network
from lengthlab.unit_scale import unit_scale

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("identity", 1.0),
        ("relu", 0.5),
        ("sign", 1.0),
        ("heaviside", 0.5),
        ("square", 3.0),
        ("erf", 2 / math.pi * math.asin(2 / 3)),
        ("sin", -math.expm1(-2) / 2),
        ("gelu", gelu(1.0)),
        ("elu", elu(1.0)),
        ("selu", selu(1.0)),
        ("hardtanh", hardtanh(1.0)),
    ],
)
@pytest.mark.parametrize("sigma_b", [0.0, 0.6, 0.999])
def test_closed_forms(name, moment, sigma_b):
    truth = math.sqrt((1 - sigma_b**2) / moment)
    assert unit_scale(name, sigma_b) == pytest.approx(truth, rel=1e-11)
    assert unit_scale(name, sigma_b=sigma_b) == unit_scale(activation(name), sigma_b)


def test_known_scales():
    assert unit_scale("relu") == math.sqrt(2)  # He
    assert unit_scale("identity") == 1  # LeCun
    assert unit_scale("selu") == pytest.approx(1, abs=1e-9)  # made for it
    assert unit_scale("tanh") ** -2 == pytest.approx(0.3942944903978, rel=1e-12)


FINITE = [n for n in catalogue() if n not in ("reciprocal", "tan", "dirichlet")]


@pytest.mark.parametrize("name", FINITE)
def test_a_length_of_1_is_kept(name):
    for sigma_b in (0.0, 0.5):
        sigma_w = unit_scale(name, sigma_b)
        start = (1 - sigma_b**2) / sigma_w**2
        net = Network(name, sigma_w=sigma_w, sigma_b=sigma_b, input_length=start)
        assert length_map(net, depth=2).values == pytest.approx([1, 1], rel=1e-10)
        other = Network(
            name, sigma_w=sigma_w * 1.001, sigma_b=sigma_b, input_length=start / 1.001**2
        )
        assert abs(length_map(other, depth=2).values[1] - 1) > 1e-4


@given(st.floats(0, 0.999), st.floats(0.01, 100))
def test_a_multiple_of_phi(sigma_b, factor):
    scaled = Activation(lambda x: factor * np.sin(x))
    assert unit_scale(scaled, sigma_b) * factor == pytest.approx(
        unit_scale("sin", sigma_b), rel=1e-9
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("tanh", 1.0), ValueError, r"sigma_b must be .* >= 0 and < 1, got 1\.0; biases alone"),
        (("tanh", 2), ValueError, "sigma_b must be .* >= 0 and < 1, got 2"),
        (("tanh", -0.1), ValueError, r"sigma_b must be .* >= 0, got -0\.1"),
        (("tanh", math.nan), ValueError, "sigma_b must be .*, got nan"),
        (("tanh", math.inf), ValueError, "sigma_b must be .*, got inf"),
        (("tanh", "0"), TypeError, "sigma_b must be .*, got '0'"),
        (("tanh", True), TypeError, "sigma_b must be .*, got True"),
        (("tanh", None), TypeError, "sigma_b must be .*, got None"),
        (("thanh",), ValueError, "activation must be one of .*; got 'thanh'"),
        ((np.tanh,), TypeError, "activation must be a name or an Activation, got <ufunc"),
        ((3,), TypeError, "activation must be a name or an Activation, got 3"),
        (("reciprocal",), ValueError, r"finite E phi\(Z\)\^2 > 0, got .* with inf; no sigma_w"),
        (("tan",), ValueError, r"got 'tan' with inf; no sigma_w"),
        ((activation("exp_square", c=0.25),), ValueError, "with inf; no sigma_w"),
        (("dirichlet",), ValueError, "with 0; 0 on almost every x"),
        ((Activation(lambda x: 0 * x, name="zero"),), ValueError, "got 'zero' with 0"),
        ((Activation(np.sqrt, name="r"),), ValueError, "'r' must return .* got nan at x = -"),
        (
            (activation("exp_power", p=1.9, c=10.0),),
            ValueError,
            "with beyond every float; scale it",
        ),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        unit_scale(*arguments)
