"""Network: defaults, derived numbers, refusals."""

import dataclasses
import math

import numpy as np
import pytest

from lengthlab.activations import Activation, activation
from lengthlab.network import Network, check_network


def test_defaults():
    net = Network("tanh")
    assert (net.sigma_w, net.sigma_b, net.keep_probability, net.input_length) == (1, 0, 1, 1)
    assert net.activation.name == "tanh"


def test_an_activation_is_kept_as_it_is():
    phi = activation("leaky_relu", slope=0.3)
    assert Network(phi).activation is phi


def test_first_variance_and_gain():
    net = Network("relu", sigma_w=3, sigma_b=2, keep_probability=0.25, input_length=0.5)
    assert net.first_variance == 9 * 0.5 + 4  # the input is never masked
    assert net.gain == 9 / 0.25
    assert all(type(v) is float for v in (net.sigma_w, net.sigma_b, net.gain))


def test_a_network_is_frozen():
    net = Network("tanh")
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.sigma_w = 2.0


def test_scales_are_taken_to_floats():
    assert type(Network("tanh", sigma_w=np.float32(1.5)).sigma_w) is float
    assert Network("tanh", sigma_w=1e200).first_variance == math.inf  # and not an OverflowError


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Network("tan h"), ValueError, r"activation must be one of .*; got 'tan h'"),
        (lambda: Network(np.tanh), TypeError, "activation must be a name or an Activation, got"),
        (lambda: Network(None), TypeError, "activation must be a name or an Activation, got None"),
        (lambda: Network("tanh", sigma_w=0), ValueError, "sigma_w must be .* > 0, got 0"),
        (lambda: Network("tanh", sigma_w=-1.5), ValueError, r"sigma_w must be .*, got -1\.5"),
        (lambda: Network("tanh", sigma_w=math.nan), ValueError, "sigma_w must be .*, got nan"),
        (lambda: Network("tanh", sigma_w="2"), TypeError, "sigma_w must be .*, got '2'"),
        (lambda: Network("tanh", sigma_b=-0.1), ValueError, r"sigma_b must be .* >= 0, got -0\.1"),
        (lambda: Network("tanh", sigma_b=math.inf), ValueError, "sigma_b must be .*, got inf"),
        (
            lambda: Network("tanh", keep_probability=0),
            ValueError,
            "keep_probability must be a finite number > 0 and <= 1, got 0",
        ),
        (lambda: Network("tanh", keep_probability=1.1), ValueError, r"keep_probability .* 1\.1"),
        (lambda: Network("tanh", input_length=0), ValueError, "input_length must be .* > 0, got 0"),
        (lambda: Network("tanh", input_length=[1]), TypeError, r"input_length must be .* \[1\]"),
        (lambda: Network("tanh", 1.5), TypeError, "positional"),
        (lambda: check_network("tanh"), TypeError, r"got 'tanh'; write Network\('tanh'\)"),
        (lambda: check_network(None), TypeError, "net must be a Network, got None$"),
        (
            lambda: check_network(Activation(np.tanh, name="mine")),
            TypeError,
            r"net must be a Network, got <Activation mine>; write Network\(net\)",
        ),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_check_network_returns_it():
    net = Network("tanh")
    assert check_network(net) is net
