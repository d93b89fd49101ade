"""Kernel spectra: circulant closed forms, sampled features, smooth against non-smooth."""

import math

import numpy as np
import pytest

from lengthlab.activations import Activation, activation
from lengthlab.correlation import gram_spectrum
from lengthlab.correlation.kernel import slope_product_mean
from lengthlab.correlation.spectrum import slope

pytestmark = pytest.mark.filterwarnings("error")


def circle(n):
    angle = 2 * math.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def relu_kernel(points):
    """Arc-cosine kernel of degree 1, written down again."""
    lengths = np.linalg.norm(points, axis=1)
    cosine = np.clip(points @ points.T / np.outer(lengths, lengths), -1, 1)
    angle = np.arccos(cosine)
    return np.outer(lengths, lengths) * (np.sin(angle) + cosine * (np.pi - angle)) / (2 * np.pi)


def cloud(n, d, seed=0):
    points = np.random.default_rng(seed).standard_normal((n, d))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


# --- exact ----------------------------------------------------------------------------------------


def test_eight_points_on_a_circle_give_relu_an_eigenvalue_0():
    """The kernel's Fourier series has odd terms beyond the first missing: 3 and 5 alias to 0."""
    values = gram_spectrum("relu", circle(8))
    assert np.abs(values[:2]).max() < 1e-15
    assert values[2] > 1e-3
    np.testing.assert_allclose(values, np.linalg.eigvalsh(relu_kernel(circle(8))), atol=1e-14)
    bent = gram_spectrum("leaky_relu", circle(8))
    assert np.abs(bent[:2]).max() < 1e-15  # x is of degree 1: odd terms are missing as well
    assert gram_spectrum("elu", circle(8))[0] > 1e-6


def test_lengths_matter():
    points = np.random.default_rng(1).standard_normal((6, 3)) * np.array([[0.2], [1], [3]] * 2)
    np.testing.assert_allclose(
        gram_spectrum("relu", points), np.linalg.eigvalsh(relu_kernel(points)), atol=1e-13
    )


def test_a_polynomial_has_a_kernel_of_finite_rank():
    """x^2 in 2 dimensions: 3 monomials; identity: 2."""
    for name, rank in [("square", 3), ("identity", 2)]:
        values = gram_spectrum(name, circle(7))
        assert np.abs(values[: 7 - rank]).max() < 1e-14
        assert values[7 - rank] > 0.1


def test_the_gradient_matrix_of_relu():
    """E 1(w.x > 0) 1(w.y > 0) x.y = (pi - angle) / (2 pi) cos(angle) on the circle."""
    points = cloud(7, 3)
    cosine = np.clip(points @ points.T, -1, 1)
    expected = np.linalg.eigvalsh((np.pi - np.arccos(cosine)) / (2 * np.pi) * cosine)
    np.testing.assert_allclose(
        gram_spectrum("relu", points, matrix="gradient"), expected, atol=1e-9
    )


def test_the_gradient_matrix_of_sin():
    """E cos U cos V = (e^(-|x - y|^2 / 2) + e^(-|x + y|^2 / 2)) / 2."""
    points = np.random.default_rng(2).standard_normal((5, 2))
    apart, along = (((points[:, None] + s * points[None]) ** 2).sum(axis=2) for s in (-1.0, 1.0))
    kernel = (np.exp(-apart / 2) + np.exp(-along / 2)) / 2
    expected = np.linalg.eigvalsh(kernel * (points @ points.T))
    np.testing.assert_allclose(gram_spectrum("sin", points, matrix="gradient"), expected, atol=1e-9)


def of_erf(p, q, c):
    """erf' = 2 exp(-x^2) / sqrt(pi): a Gaussian integral."""
    return 4 / math.pi / math.sqrt(1 + 2 * (p + q) + 4 * p * q * (1 - c * c))


def of_sin(p, q, c):
    near, far = p + q - 2 * c * math.sqrt(p * q), p + q + 2 * c * math.sqrt(p * q)
    return (math.exp(-near / 2) + math.exp(-far / 2)) / 2


SLOPES = {
    "erf": of_erf,
    "sin": of_sin,
    "exp": lambda p, q, c: math.exp((p + q) / 2 + c * math.sqrt(p * q)),
    "relu": lambda p, q, c: (math.pi - math.acos(c)) / (2 * math.pi),
    "abs": lambda p, q, c: 1 - 2 * math.acos(c) / math.pi,
    "square": lambda p, q, c: 4 * c * math.sqrt(p * q),
}


@pytest.mark.parametrize("c", [-0.9, 0.0, 0.3, 0.99, 0.9999])
@pytest.mark.parametrize("name", SLOPES)
def test_the_mean_product_of_slopes_by_parts(name, c):
    for p, q in ((1.0, 1.0), (0.01, 4.0)):
        found, true = slope_product_mean(activation(name), p, q, c), SLOPES[name](p, q, c)
        assert abs(found.value - true) <= found.error + 1e-14 * abs(true)
        assert found.error < 1e-9 * SLOPES[name](max(p, q), max(p, q), 1 - 1e-16)


def test_slopes_are_taken_of_activations_apart_from_the_ends():
    for call, error, message in [
        (("tanh", 1.0, 1.0, 0.5), TypeError, "phi must be an Activation, got 'tanh'; write"),
        ((activation("tanh"), 0.0, 1.0, 0.5), ValueError, r"p must be .* > 0, got 0\.0"),
        ((activation("tanh"), 1.0, 1.0, 1), ValueError, "c must be .* > -1 and < 1, got 1"),
    ]:
        with pytest.raises(error, match=message):
            slope_product_mean(*call)


@pytest.mark.parametrize("name", ["exp", "erf", "abs"])
def test_gradient_matrices_of_inputs_that_are_equal_opposite_and_0(name):
    points = np.array([[1.0, 0.5], [1.0, 0.5], [-1.0, -0.5], [0.0, 0.0], [0.3, -2.0]])
    squares, kernel = (points**2).sum(axis=1), np.zeros((5, 5))
    for i, j in np.ndindex(5, 5):
        if squares[i] and squares[j]:
            size = math.sqrt(squares[i] * squares[j])
            c = min(max(points[i] @ points[j] / size, -1.0), 1.0)
            kernel[i, j] = SLOPES[name](squares[i], squares[j], c) * c * size
    expected = np.linalg.eigvalsh(kernel)
    found = gram_spectrum(name, points, matrix="gradient")
    np.testing.assert_allclose(found, expected, atol=1e-9 * expected[-1])


# --- two ways -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "hardtanh", "relu"])
def test_random_features_have_the_matrix(name):
    """Mean of phi(W X) phi(W X)^T over features; 6 standard errors bound the spectrum's change."""
    points, features = cloud(5, 3, seed=3), 200_000
    w = np.random.default_rng(4).standard_normal((features, 3))
    phi = activation(name)(w @ points.T)
    products = phi[:, :, None] * phi[:, None, :]
    error = np.linalg.norm(products.std(axis=0)) / math.sqrt(features)
    sampled = np.linalg.eigvalsh(products.mean(axis=0))
    found = gram_spectrum(name, points)
    assert np.abs(found - sampled).max() < 6 * error  # Weyl's inequality
    assert np.abs(gram_spectrum(name, 1.2 * points) - sampled).max() > 6 * error


def smallest(name, n):
    return gram_spectrum(name, circle(n))[0]


def test_the_smallest_eigenvalue_of_sign_is_1_over_n():
    """On an odd number of points: its kernel is linear in the angle."""
    for n in (5, 7, 25):
        assert smallest("sign", n) == pytest.approx(1 / n)


def test_smooth_functions_decay_exponentially_and_others_like_a_power():
    """Smallest eigenvalue on an odd number n of points of a circle: a kink costs n^-3."""
    for name in ("relu", "abs", "hardtanh"):
        slopes = [math.log(smallest(name, n) / smallest(name, 2 * n - 1)) for n in (13, 25)]
        assert np.all(np.abs(np.array(slopes) / math.log(2) - 3) < 0.5)
    for name in ("erf", "tanh", "gaussian"):
        first, second, third = (smallest(name, n) for n in (7, 13, 25))
        assert math.log(first / second) > 5
        assert math.log(second / third) > 1.3 * math.log(first / second)  # faster than any power
    for name in ("erf", "tanh", "gaussian", "sin"):
        assert abs(smallest(name, 49)) < 1e-13


def test_dimension_lifts_the_smallest_eigenvalue_of_a_smooth_function():
    """Panigrahi et al.: tiny for smooth phi in low dimension only; ReLU does not mind."""
    low, high = (
        {
            name: gram_spectrum(name, cloud(7, d, seed=5), matrix="gradient")[0]
            for name in ("tanh", "relu")
        }
        for d in (2, 30)
    )
    assert low["tanh"] < 1e-6 < 1e-2 < high["tanh"]
    assert low["relu"] > 100 * abs(low["tanh"])
    assert high["relu"] > 1e-2


# --- phi' -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "derivative"),
    [
        ("tanh", lambda x: 1 / np.cosh(x) ** 2),
        ("sin", np.cos),
        ("exp", np.exp),
        ("hardtanh", lambda x: (np.abs(x) < 1) * 1.0),
        ("elu", lambda x: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0)))),
        ("cbrt", lambda x: np.abs(x) ** (-2 / 3) / 3),
    ],
)
def test_slopes(name, derivative):
    x = np.array([-7.3, -2.0, -1.001, -0.999, -0.3, -1e-4, 1e-6, 0.2, 0.97, 1.4, 5.0])
    np.testing.assert_allclose(slope(activation(name))(x), derivative(x), rtol=1e-8, atol=1e-9)


def test_slopes_of_fast_functions():
    x = np.linspace(-2, 2, 31)
    found = slope(Activation(lambda x: np.sin(50 * x), name="fast"))(x)
    np.testing.assert_allclose(found, 50 * np.cos(50 * x), atol=1e-6)


# --- arguments ------------------------------------------------------------------------------------


def test_one_point():
    assert gram_spectrum("relu", [[3.0, 4.0]]) == pytest.approx([12.5])
    assert gram_spectrum("cos", [[0.0, 0.0]]) == pytest.approx([1.0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"activation": "rel"}, ValueError, "activation must be one of .*; got 'rel'"),
        ({"activation": 3}, TypeError, "activation must be a name or an Activation, got 3"),
        ({"inputs": [1.0, 2.0]}, ValueError, r"inputs must have shape \(n, d\).* got shape \(2,\)"),
        ({"inputs": []}, ValueError, r"inputs must have shape \(n, d\)"),
        ({"inputs": "circle"}, TypeError, "inputs must be an array of numbers, .* got 'circle'"),
        ({"inputs": [[10**400, 0]]}, TypeError, "inputs must be an array of numbers"),
        ({"inputs": [[math.nan, 0.0]]}, ValueError, "inputs must be finite, got nan among them"),
        ({"inputs": np.ones((501, 2))}, ValueError, "inputs must hold at most 500 points, got 501"),
        ({"matrix": "ntk"}, ValueError, "matrix must be 'features' or 'gradient', got 'ntk'"),
        (
            {"activation": "sign", "matrix": "gradient"},
            ValueError,
            "activation must have a slope of finite mean square .* 'gradient', got sign",
        ),
        ({"activation": "reciprocal"}, ValueError, "phi must have a finite mean square, got recip"),
        ({"activation": "tan"}, ValueError, "phi must have a finite mean square, got tan"),
        (
            {"activation": "cbrt", "matrix": "gradient"},
            ValueError,
            "activation must have a slope of finite mean square .* 'gradient', got cbrt",
        ),
    ],
)
def test_bad_arguments(arguments, error, message):
    call = {"activation": "relu", "inputs": circle(4)} | arguments
    with pytest.raises(error, match=message):
        gram_spectrum(**call)
