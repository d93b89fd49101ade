"""The catalogue against formulas written here, against quadrature, and against itself."""

import inspect
import math
from dataclasses import replace

import closed_forms
import mpmath as mp
import numpy as np
import pytest

from lengthlab.activations import Activation, Homogeneous, Pole, activation, catalogue
from lengthlab.gaussian import mean_square

pytestmark = pytest.mark.filterwarnings("error")

INF = math.inf
SELU = (mp.mpf("1.0507009873554804934"), mp.mpf("1.6732632423543772848"))


def elu(x):
    return x if x > 0 else mp.expm1(x)


FORMULAS = {
    "identity": lambda x: x,
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x: x if x > 0 else mp.mpf(0.01) * x,
    "elu": elu,
    "selu": lambda x: SELU[0] * (x if x > 0 else SELU[1] * mp.expm1(x)),
    "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    "gelu_tanh": lambda x: (
        x * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))) / 2
    ),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "erf": mp.erf,
    "sin": mp.sin,
    "cos": mp.cos,
    "arctan": mp.atan,
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x: min(max(x, -1), 1),
    "heaviside": lambda x: 1 if x > 0 else 0,
    "sign": mp.sign,
    "abs": abs,
    "square": lambda x: x * x,
    "relu_squared": lambda x: max(x, 0) ** 2,
    "exp": mp.exp,
    "gaussian": lambda x: mp.exp(-x * x),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "reciprocal": lambda x: 1 / x if x else 0,
    "power": lambda x: abs(x) ** mp.mpf(-0.45) if x else 0,
    "log_abs": lambda x: mp.log(abs(x)) if x else 0,
    "tan": mp.tan,
    "exp_square": lambda x: mp.exp(mp.mpf(0.1) * x * x),
    "exp_power": lambda x: mp.exp(abs(x) ** mp.mpf(1.5)),
    "sin_reciprocal": lambda x: mp.sin(1 / x) if x else 0,
    "dirichlet": lambda x: 1,
}
POINTS = [-20.0, -7.3, -3.0, -1.5, -1.0, -0.7, -1e-3, -1e-9, 0.0]
POINTS += [-x for x in POINTS if x] + [1e-200, 0.1, math.pi / 3, 2.5]

KINKS = {
    "relu": [0.0], "leaky_relu": [0.0], "selu": [0.0], "softsign": [], "hardtanh": [-1.0, 1.0],
    "heaviside": [0.0], "sign": [0.0], "abs": [0.0], "cbrt": [0.0], "sin_reciprocal": [0.0],
}  # fmt: skip
"""Where phi or its slope jumps; elu, softsign, relu_squared and exp_power only bend: BENDS."""
BENDS = {"elu": [0.0], "softsign": [0.0], "relu_squared": [0.0], "exp_power": [0.0]}
POLES = {
    "reciprocal": [(0.0, 1.0)],
    "power": [(0.0, 0.45)],
    "log_abs": [(0.0, 0.0)],
    "tan": [(-math.pi / 2, 1.0), (math.pi / 2, 1.0)],
}
ODD = {"identity", "tanh", "erf", "sin", "arctan", "softsign", "hardtanh", "sign", "cbrt"}
ODD |= {"reciprocal", "tan", "sin_reciprocal"}
EVEN = {"cos", "abs", "square", "gaussian", "power", "log_abs", "exp_square", "exp_power"}


def plain(phi):
    """The same function, of which only the breaks are known."""
    return Activation(phi.function, name=phi.name, kinks=phi.kinks, poles=phi.poles)


# --- phi itself -----------------------------------------------------------------------------------


def test_the_tables_here_cover_the_catalogue():
    assert set(FORMULAS) == set(catalogue())
    assert len(catalogue()) == 34


@pytest.mark.parametrize("name", catalogue())
def test_values(name):
    values = activation(name)(POINTS)
    with mp.workdps(400):  # gelu_tanh cancels at -20
        truth = np.array([float(FORMULAS[name](mp.mpf(x))) for x in POINTS])
    told = np.ones(len(POINTS), dtype=bool)
    if name == "sin_reciprocal":  # 1 / x is rounded, by more than a turn at 1e-200
        told = (np.abs(POINTS) > 1e-4) | (np.array(POINTS) == 0)
    np.testing.assert_allclose(values[told], truth[told], rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize(
    ("name", "parameters", "x", "value"),
    [
        ("leaky_relu", {"slope": 0.2}, -3.0, -0.6),
        ("leaky_relu", {"slope": -1}, -3.0, 3.0),
        ("power", {"exponent": -1}, -4.0, 0.25),
        ("power", {"exponent": 2}, -4.0, 16.0),
        ("power", {"exponent": 0}, 0.0, 0.0),
        ("exp_square", {"c": -0.5}, 2.0, math.exp(-2)),
        ("exp_power", {"p": 1, "c": 2}, -0.5, math.e),
    ],
)
def test_parameters(name, parameters, x, value):
    assert float(activation(name, **parameters)(x)) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("name", catalogue())
def test_symmetry(name):
    x = np.linspace(0.01, 6, 200)
    phi = activation(name)
    if name in ODD:
        np.testing.assert_array_equal(phi(-x), -phi(x))
    elif name in EVEN:
        np.testing.assert_array_equal(phi(-x), phi(x))


@pytest.mark.parametrize("name", ["reciprocal", "power", "log_abs", "sin_reciprocal"])
def test_phi_is_0_at_0_where_the_formula_has_no_value(name):
    np.testing.assert_array_equal(activation(name)([0.0, -0.0]), [0.0, 0.0])


@pytest.mark.parametrize("name", catalogue())
@pytest.mark.parametrize("x", [0.5, 2, np.float32(0.5), [], [[1.0, -2.0]], np.ones((2, 3, 4))])
def test_any_shape(name, x):
    value = activation(name)(x)
    assert value.shape == np.shape(x)
    assert value.dtype == np.float64


@pytest.mark.parametrize("name", catalogue())
def test_into_writes_out_and_nothing_else(name):
    phi = activation(name)
    x = np.random.default_rng(0).standard_normal((40, 50))
    given, out = x.copy(), np.full_like(x, np.nan)
    assert phi.evaluate(x, out) is out
    np.testing.assert_array_equal(x, given)
    np.testing.assert_array_equal(out, phi(given))
    assert not np.shares_memory(phi(x), x)
    rows = np.full((40, 100), np.nan)[:, ::2]  # a buffer may be a view
    np.testing.assert_array_equal(phi.evaluate(x, rows), out)


@pytest.mark.parametrize("name", catalogue())
def test_far_out_there_is_no_warning_and_no_nan_but_where_no_value_exists(name):
    x = np.array([-INF, -1.7e308, -1e160, 1e160, 1.7e308, INF])
    values = activation(name)(x)
    undefined = {"sin": [0, 5], "cos": [0, 5], "tan": [0, 5]}.get(name, [])
    # 0 * inf: the gelu family's left limit at -inf is 0, and nobody evaluates it there.
    undefined = undefined or ([0] if name in {"gelu", "gelu_tanh", "silu", "mish"} else [])
    undefined = undefined or ([0, 5] if name == "softsign" else [])
    found = np.flatnonzero(np.isnan(values)).tolist()
    assert found == undefined


# --- breaks ---------------------------------------------------------------------------------------


def breaks(phi, grid, distance):
    """Where on the grid phi or its slope jumps: one-sided differences that do not agree."""
    step = distance / 8
    at = np.add.outer(np.array([-2, -1, 1, 2]) * step, grid)
    far_left, left, right, far_right = phi(at)
    jump = np.abs(right - left)
    slopes = np.abs((left - far_left) - (far_right - right)) / step
    return grid[(slopes > 1e-2) | (jump > 1e-3)]


@pytest.mark.parametrize("name", [n for n in catalogue() if n not in ("sin_reciprocal", "tan")])
def test_kinks_and_poles_are_where_phi_breaks_and_nowhere_else(name):
    phi = activation(name)
    assert phi.poles == tuple(Pole(*pole) for pole in POLES.get(name, []))
    known = KINKS.get(name, []) + BENDS.get(name, [])
    assert list(phi.kinks) == sorted(known)
    grid = np.arange(-24, 25) / 8
    found = breaks(phi, grid, 1e-6)
    expected = KINKS.get(name, []) + [location for location, _ in POLES.get(name, [])]
    assert found.tolist() == expected


@pytest.mark.parametrize("name", sorted(BENDS))
def test_a_bend_is_a_jump_of_the_second_derivative(name):
    phi, h = activation(name), 1e-4

    def second(x):
        return float(phi(x + h) - 2 * phi(x) + phi(x - h)) / h**2

    def spread(x):
        """Of phi'' around x, relative to its size; exp_power's is infinite at 0."""
        around = [second(x + k * h) for k in (-20, -2, 2, 20)]
        return (max(around) - min(around)) / max(map(abs, around))

    assert spread(0.0) > 0.5
    assert spread(-1.0 if name == "elu" else 1.0) < 0.05


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("reciprocal", {}), ("power", {}), ("power", {"exponent": -2.5}), ("tan", {})],
)
def test_the_order_of_a_pole(name, parameters):
    phi = activation(name, **parameters)
    for location, order in phi.poles:
        t = np.array([1e-6, 1e-5])
        near, far = np.abs(phi(location + t))
        assert math.log10(near / far) == pytest.approx(order, abs=1e-4)


def test_a_power_declares_what_it_has():
    assert activation("power", exponent=-0.3).poles == (Pole(0.0, 0.3),)
    assert activation("power", exponent=0.5).kinks == (0.0,)
    assert activation("power", exponent=1).kinks == (0.0,)
    assert activation("power", exponent=2).kinks == activation("power", exponent=4).poles == ()
    assert activation("exp_power", p=2).kinks == ()


@pytest.mark.parametrize("name", catalogue())
def test_the_degree_bounds_phi(name):
    phi = activation(name)
    if phi.degree is not None and not phi.poles:
        x = np.array([-1e12, -1e6, -1e3, -10.0, 10.0, 1e3, 1e6, 1e12])
        assert (np.abs(phi(x)) <= 4 * (1 + np.abs(x) ** phi.degree)).all()


@pytest.mark.parametrize(
    ("phi", "growth"),
    [
        (activation("exp"), 0.0),
        (activation("exp_square"), 0.1),
        (activation("exp_square", c=-1), 0.0),
        (activation("exp_power"), 0.0),
        (activation("exp_power", p=2, c=0.3), 0.3),
        (activation("exp_power", p=3), INF),
        (activation("exp_power", p=3, c=-1), 0.0),
    ],
    ids=lambda v: str(v),
)
def test_growth(phi, growth):
    assert phi.growth == growth
    assert phi.log_abs is not None
    x = np.array([-3.0, -1.0, 0.5, 2.0])
    np.testing.assert_allclose(phi.log_abs(x), np.log(np.abs(phi(x))), rtol=1e-14)


@pytest.mark.parametrize(
    "phi",
    [activation(n) for n in catalogue()] + [activation("leaky_relu", slope=-0.5)],
    ids=lambda phi: phi.name,
)
def test_homogeneous_constants_are_those_of_phi(phi):
    x = np.array([1e-3, 0.5, 1.0, 7.0, 1e4])
    found = [
        Homogeneous(degree, float(abs(phi(1.0))), float(abs(phi(-1.0))))
        for degree in (0, 1)
        if all(
            np.allclose(np.abs(phi(side * x)), abs(phi(float(side))) * x**degree, rtol=1e-15)
            for side in (-1, 1)
        )
        and phi.name not in ("dirichlet",)  # 0 in every mean, 1 in every program
    ]
    assert found == ([phi.homogeneous] if phi.homogeneous else [])


# --- closed forms ---------------------------------------------------------------------------------

CLOSED = [n for n in catalogue() if activation(n).mean_square is not None]
QS = [1e-12, 1e-6, 1e-3, 0.03, 0.3, 1.0, 3.0, 30.0, 1e3, 1e6, 1e12]


def test_which_have_a_closed_form():
    assert {n for n in catalogue() if n not in CLOSED} == {
        "elu", "selu", "gelu", "gelu_tanh", "silu", "softplus", "mish", "tanh", "sigmoid",
        "arctan", "softsign", "hardtanh", "reciprocal", "tan", "exp_power",
    }  # fmt: skip


OSCILLATING = {"sin": 1e5, "cos": 1e5}
"""Above these q quadrature has an honest error of more than 1e-8."""


@pytest.mark.parametrize("name", [n for n in CLOSED if n not in ("dirichlet", "sin_reciprocal")])
@pytest.mark.parametrize("q", QS)
def test_closed_forms_agree_with_quadrature(name, q):
    phi = activation(name)
    closed = mean_square(phi, q).estimate
    if (name == "exp" and q > 20) or (name == "exp_square" and q > 1):
        return  # the plain function leaves the floats: see the tests with log_abs
    if q > OSCILLATING.get(name, INF):
        return
    adaptive = mean_square(plain(phi), q).estimate
    assert abs(closed.value - adaptive.value) <= closed.error + adaptive.error
    assert adaptive.error <= 2e-9 * adaptive.value
    assert closed.error <= 1e-13 * closed.value
    assert closed.certain
    assert not adaptive.certain


@pytest.mark.parametrize(
    ("phi", "q"),
    [(activation("exp"), q) for q in (1.0, 30.0, 300.0)]
    + [(activation("exp_square"), q) for q in (1e-6, 1.0, 2.0, 2.4, 2.49, 2.4999)]
    + [(activation("exp_square", c=-2), q) for q in (1.0, 1e6)],
    ids=repr,
)
def test_closed_forms_of_fast_growth(phi, q):
    """By the logarithm, which both ways share; the integral is not shared."""
    closed = mean_square(phi, q).estimate
    more = {"log_abs": phi.log_abs, "growth": phi.growth}
    adaptive = mean_square(Activation(phi.function, name="again", **more), q).estimate
    assert abs(closed.value - adaptive.value) <= closed.error + adaptive.error
    assert adaptive.error <= 1e-9 * adaptive.value


@pytest.mark.parametrize("exponent", [-0.49, -0.25, -0.1, 0.0, 0.5, 1.0, 3.0, 10.5])
@pytest.mark.parametrize("q", [1e-12, 0.3, 40.0, 1e12])
def test_closed_form_of_a_power(exponent, q):
    phi = activation("power", exponent=exponent)
    closed, adaptive = mean_square(phi, q).estimate, mean_square(plain(phi), q).estimate
    assert abs(closed.value - adaptive.value) <= closed.error + adaptive.error


SIN_RECIPROCAL = {
    1.0: 0.57820350277783419387,
    1e6: 0.0012523145549757891569,
    0.01: 0.50226696096751417083,
}
"""E sin(1 / (sqrt(q) Z))^2, by mpmath 1.3 at 40 digits along z = exp(u - 0.4i)."""


@pytest.mark.parametrize(("q", "value"), SIN_RECIPROCAL.items())
def test_sin_reciprocal(q, value):
    found = mean_square(activation("sin_reciprocal"), q).estimate
    assert abs(found.value - value) <= found.error


@pytest.mark.parametrize("q", [1e-300, 1e-12, 1e12, 1e300])
def test_sin_reciprocal_far_out(q):
    """A half where it only oscillates; a sqrt(pi / 2), less a^2, where a = 1 / sqrt(q) is small."""
    a = q**-0.5
    value = mean_square(activation("sin_reciprocal"), q).estimate.value
    limit = 0.5 if q < 1 else a * math.sqrt(math.pi / 2)
    assert value == pytest.approx(limit, rel=1e-13 + (a if q > 1 else 0))


@pytest.mark.parametrize("name", ["gelu", "elu", "selu", "hardtanh"])
@pytest.mark.parametrize("q", QS)
def test_closed_forms_that_only_the_tests_know(name, q):
    found, closed = mean_square(activation(name), q).estimate, getattr(closed_forms, name)(q)
    # Small numbers are left of large ones here: 1 or sqrt(q) for hard tanh, 1 or q for ELU.
    lost = {"gelu": q, "hardtanh": max(1.0, math.sqrt(q))}.get(name, max(4.0, q))
    allowed = found.error + 1e-15 * lost
    assert abs(found.value - closed) <= allowed
    assert found.error <= 1e-12 * found.value
    if q > 1e-4:
        assert abs(found.value - closed * (1 + 1e-6)) > allowed


def test_dirichlet_is_1_in_a_program_and_0_in_a_mean():
    phi = activation("dirichlet")
    assert (phi([0.0, 1.0, math.pi]) == 1).all()
    assert mean_square(phi, 1.0).estimate.value == 0
    assert mean_square(phi, 0.0).estimate.value == 1


# --- an Activation of one's own -------------------------------------------------------------------


def test_an_activation_sorts_its_breaks():
    phi = Activation(np.tanh, kinks=(2, -1.0), poles=(3, (-4.0, 0.5)))
    assert phi.kinks == (-1.0, 2.0)
    assert phi.poles[0] == Pole(-4.0, 0.5)
    assert phi.poles[1].location == 3
    assert math.isnan(phi.poles[1].order)
    assert math.isnan(replace(phi, name="again").poles[1].order)
    assert repr(phi) == "<Activation phi>"


def test_a_constant_may_be_a_number():
    assert Activation(lambda x: 3)([1.0, 2.0]).tolist() == [3.0, 3.0]
    assert Activation(lambda x: x > 0)([1.0, -2.0]).tolist() == [1.0, 0.0]


def test_activations_are_equal_if_they_are_the_same():
    assert activation("tanh") != activation("tanh")
    phi = activation("tanh")
    assert {phi: 1}[phi] == 1


def test_overflow_and_undefined_are_answers():
    root = Activation(lambda x: np.sqrt(x) / 0.0)
    assert np.isnan(root(-1.0))
    assert root(1.0) == INF


def test_refuse_nan_names_the_first_place():
    root = Activation(np.sqrt, name="root")
    x = np.array([[1.0, -2.5], [-3.0, 4.0]])
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        root.refuse_nan(x, root(x))
    assert str(refusal.value) == (
        "activation 'root' must return a number or inf, got nan at x = -2.5; "
        "give it a value there, for example with np.where"
    )
    root.refuse_nan(x, np.abs(x))
    root.refuse_nan(x, np.full_like(x, INF))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: activation("tanhh"), ValueError, "must be one of identity, .*; got 'tanhh'"),
        (lambda: activation(""), ValueError, "got ''"),
        (lambda: activation("abs_"), ValueError, "got 'abs_'"),
        (lambda: activation(3), TypeError, "activation must be a name or an Activation, got 3"),
        (lambda: activation(np.tanh), TypeError, "must be a name or an Activation, got <ufunc"),
        (lambda: activation("tanh", slope=1), TypeError, "'tanh' takes no parameter, got slope=1"),
        (lambda: activation("exp_power", q=2), TypeError, "'exp_power' takes p, c, got q=2"),
        (lambda: activation("leaky_relu", slope="a"), TypeError, "slope must be .*, got 'a'"),
        (lambda: activation("leaky_relu", slope=math.nan), ValueError, "slope must be .* nan"),
        (lambda: activation("power", exponent=INF), ValueError, "exponent must be .*, got inf"),
        (lambda: activation("exp_square", c=None), TypeError, "c must be .*, got None"),
        (lambda: activation("exp_power", p=0), ValueError, "p must be .* > 0, got 0"),
        (lambda: Activation("tanh"), TypeError, "function must be callable .*, got 'tanh'"),
        (lambda: Activation(np.tanh, name=""), TypeError, "name must be .*, got ''"),
        (lambda: Activation(np.tanh, name=3), TypeError, "name must be .*, got 3"),
        (lambda: Activation(np.tanh, kinks=0.5), TypeError, r"kinks .* got 0\.5; write \(0\.5,\)"),
        (lambda: Activation(np.tanh, kinks="0"), TypeError, "kinks .*, got '0'"),
        (lambda: Activation(np.tanh, kinks=("0",)), TypeError, "kinks must be .*, got '0'"),
        (lambda: Activation(np.tanh, kinks=(INF,)), ValueError, "kinks must be .*, got inf"),
        (lambda: Activation(np.tanh, poles=0), TypeError, r"poles .* got 0; write \(0,\)"),
        (lambda: Activation(np.tanh, poles=((0, -1),)), ValueError, "pole order .* got -1"),
        (lambda: Activation(np.tanh, poles=((0, 1, 2),)), ValueError, r"poles .*\(0, 1, 2\)"),
        (lambda: Activation(np.tanh, poles=(None,)), TypeError, "poles must be .*, got None"),
        (lambda: Activation(np.tanh, growth=math.nan), ValueError, "growth must be .*, got nan"),
        (lambda: Activation(np.tanh, growth="0"), TypeError, "growth must be .*, got '0'"),
        (lambda: Activation(np.tanh, degree=-1), ValueError, "degree must be .* >= 0, got -1"),
        (lambda: Activation(np.tanh, degree=INF), ValueError, "degree must be .*, got inf"),
        (lambda: Activation(np.tanh, mean_square=1), TypeError, "mean_square must be .*, got 1"),
        (lambda: Activation(np.tanh, log_abs=1), TypeError, "log_abs must be callable .*, got 1"),
        (lambda: Activation(np.tanh, expression=1), TypeError, "expression must be a .*, got 1"),
        (lambda: Activation(np.tanh, into=1), TypeError, "into must be callable .*, got 1"),
        (lambda: Activation(np.diff)([1.0, 2.0]), ValueError, r"'phi' must return .* \(2,\), got"),
        (lambda: Activation(lambda x: 1j * x)(1.0), ValueError, "got shape .* of complex128"),
        (lambda: Activation(lambda x: "a")(1.0), ValueError, "must return a real array"),
        (lambda: Activation(lambda x: None)(1.0), ValueError, "got shape .* of object"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_documented_parameters_are_those_of_the_builders():
    text = inspect.getdoc(activation)
    for name in ("slope", "exponent", "c", "p"):
        assert f"``{name}``" in text
