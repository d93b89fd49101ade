"""The passport, and the commands `assess` and `passport`."""

import json
import math

import numpy as np
import pytest

import lengthlab as ll
from lengthlab.__main__ import main
from lengthlab.drawing import draw_passport
from lengthlab.passport import ASSUMPTIONS, passport

SHOWN = ["tanh", "relu", "heaviside", "exp_square", "reciprocal", "tan", "dirichlet", "power"]


def plain(text, capsys):
    """The object that `passport --json` prints."""
    assert main(["passport", text, "--json"]) == 0

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(capsys.readouterr().out, parse_constant=refuse)


def test_the_numbers_are_those_of_the_functions():
    known = passport("tanh")
    net = ll.Network("tanh", sigma_w=ll.unit_scale("tanh"))
    assert known.unit_scale == net.sigma_w
    assert known.slope == ll.slope(net, 1.0)
    assert known.chi == ll.chi(net, 1.0)
    assert known.fixed_points == ll.fixed_points(net)
    assert [scale.gain for scale in known.scales] == list(ll.gains("tanh"))
    assert known.scales[0].outcome == ll.outcome(net, depth=10)
    assert known.assessment == ll.assess("tanh")


@pytest.mark.parametrize("name", [*SHOWN, "1/(x - 1)", "0*x", "x^3", "exp(x)", "log(x)"])
def test_every_passport_prints_draws_and_is_plain_json(name, capsys):
    answer = plain(name, capsys)
    assert set(ASSUMPTIONS) < set(answer)
    assert main(["passport", name]) == 0
    page = capsys.readouterr().out
    assert "nan" not in page.replace("dominant", "")
    assert max(map(len, page.splitlines())) <= 110
    phi = ll.activation(name) if name in ll.catalogue() else ll.formula(name)
    draw_passport(passport(phi)).canvas.draw()


def test_where_no_scale_keeps_a_length(capsys):
    answer = plain("1/x", capsys)
    assert answer["unit_scale"] is None
    assert answer["mean_square"]["value"] is None
    assert {scale["outcome"]["kind"] for scale in answer["scales"]} == {"fails"}
    main(["passport", "1/x"])
    assert "No sigma_w keeps a length of 1." in capsys.readouterr().out


def test_the_catalogue_and_the_same_formula_have_one_passport(capsys):
    typed, named = plain("tanh(x)", capsys), plain("tanh", capsys)
    for key in ("permissible", "critical_variance", "growth"):
        assert typed[key] == named[key]
    assert math.isclose(typed["unit_scale"], named["unit_scale"], rel_tol=1e-11)


def test_assess_says_three_verdicts_with_reasons(capsys):
    assert main(["assess", "exp(0.1*x^2)"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[-1] for line in lines if line.startswith("(")] == ["yes", "no", "yes"]
    assert "    log|phi(x)| / x^2 tends to 0.1 as x tends to +infinity." in lines
    assert lines[-1].startswith("phi is not permissible")
    assert main(["assess", "power", "--parameter", "exponent=-0.45", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["permissible"], answer["bounded"]["holds"]) == (False, False)
    assert answer["critical_variance"] is None


def evidence(text, capsys):
    """The lines of numbers that `assess` prints under (a)."""
    assert main(["assess", text]) == 0
    page = capsys.readouterr().out.split("(b)")[0]
    return [line.strip() for line in page.splitlines() if " = " in line and line[:9] != "phi(x) = "]


def test_evidence_reads_as_numbers_at_points(capsys):
    """Two limits that agree are one line; a distance of 1e-8 from a pole is seen."""
    assert evidence("floor(x - 0.5)", capsys)[:1] == ["limit of phi = -2 at x = -1"]
    assert evidence("floor(x)", capsys)[:2] == [
        "limit of phi from the right = -1 at x = -1",
        "limit of phi from the left = -2 at x = -1",
    ]
    assert evidence("sin(x)", capsys) == ["a lower bound of phi = -1", "an upper bound of phi = 1"]
    assert evidence("1/(x - 2)", capsys)[-1] == "phi(x) = 1e+08 at x = 2.00000001"


def test_compare_takes_a_formula(capsys):
    arguments = ["--width", "20", "--depth", "3", "--trials", "10", "--json"]
    tables = []
    for phi in ("tanh", "tanh(x)"):
        assert main(["compare", phi, *arguments]) == 0
        tables.append(json.loads(capsys.readouterr().out)["layers"])
    sampled = [[layer["sampled_mean"] for layer in table] for table in tables]
    assert np.allclose(*sampled, rtol=1e-12)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_plot_writes_the_picture(tmp_path, suffix, capsys):
    path = tmp_path / f"gelu{suffix}"
    assert main(["passport", "gelu", "--plot", str(path)]) == 0
    assert path.stat().st_size > 5000
    capsys.readouterr()


@pytest.mark.parametrize(
    ("phi", "error", "message"),
    [
        ("thanh", ValueError, "activation must be one of .*; got 'thanh'"),
        ("x^2", ValueError, r"activation must be one of .*; got 'x\^2'"),
        (None, TypeError, "activation must be a name or an Activation, got None"),
        (np.tanh, TypeError, "activation must be a name or an Activation"),
        (ll.Network("tanh"), TypeError, "activation must be a name or an Activation"),
        (ll.Activation(np.sqrt, name="r"), ValueError, "'r' .* got nan at x = -"),
    ],
)
def test_bad_activations(phi, error, message):
    with pytest.raises(error, match=message):
        passport(phi)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["assess", "tanhh"], "activation must be one of"),
        (["assess", "2x"], "write 2*x"),
        (["assess", "x.__class__"], "plain letters"),
        (["assess", ""], "must not be empty"),
        (["assess", "x^2", "--parameter", "c=1"], "activation must be one of"),
        (["assess", "power", "--parameter", "exponent=nan"], "exponent"),
        (["passport", "sin x"], "write sin(x)"),
        (["passport", "tanh", "--plot", "p.txt"], ".png"),
        (["passport"], "required"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words, capsys):
    try:
        status = main(arguments)
    except SystemExit as leaving:
        status = leaving.code
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
