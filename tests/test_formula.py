"""What may be typed and what may not: the texts, the messages, and the attacks."""

import ast
import inspect
import time
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.formula import Node, formula, names, parse, precise, tokens, tree
from lengthlab.formula.values import Values

pytestmark = pytest.mark.filterwarnings("error")

X = Node("x")


def number(value):
    return Node("number", value=Fraction(value))


# --- the tree -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("x", X),
        ("0.1", number(Fraction(1, 10))),
        ("1e-300", number(Fraction(1, 10**300))),
        ("3.14159265358979323846264338327950288", number("3.14159265358979323846264338327950288")),
        ("-x^2", Node("neg", (Node("**", (X, number(2))),))),
        ("x^-2", Node("**", (X, Node("neg", (number(2),))))),
        ("x^2^3", Node("**", (X, Node("**", (number(2), number(3)))))),
        ("1 - 2 - x", Node("-", (Node("-", (number(1), number(2))), X))),
        ("+x", X),
        ("max(x, 1, e)", Node("max", (Node("max", (X, number(1))), Node("e")))),
        ("relu(x)", Node("max", (X, number(0)))),
        ("asinh(pi)", Node("arcsinh", (Node("pi"),))),
        ("square(x)", Node("**", (X, number(2)))),
        ("x >= 1", Node(">=", (X, number(1)))),
        ("where(x, 1, 2)", Node("where", (X, number(1), number(2)))),
    ],
)
def test_parse(text, node):
    assert parse(text) == node
    assert parse(str(node)) == node


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("-x**2+(-x)**2", "-x^2 + (-x)^2"),
        ("(x-1)-(x-2)", "x - 1 - (x - 2)"),
        ("x/(2*x)*3", "x/(2*x)*3"),
        ("(x^2)^3", "(x^2)^3"),
        ("2^-x", "2^-x"),
        ("(x<1)<2", "(x < 1) < 2"),
        ("1e200*x + 1.50", "1e+200*x + 1.5"),
        ("-(x + 1)", "-(x + 1)"),
    ],
)
def test_a_node_is_written_as_it_may_be_typed(text, written):
    assert str(parse(text)) == written
    assert parse(written) == parse(text)


def test_a_number_that_is_no_decimal_is_written_as_a_quotient():
    assert str(tree.constant(Fraction(-1, 3))) == "-(1/3)"


def test_the_tables_agree():
    assert set(names.SHORTHANDS) == set(tree._SHORTHANDS)
    assert not set(names.FUNCTIONS) & set(names.SHORTHANDS)
    assert not set(names.ALIASES) & {*names.FUNCTIONS, *names.SHORTHANDS}
    assert set(names.ALIASES.values()) <= {*names.FUNCTIONS, *names.SHORTHANDS}


def test_numpys_functions_of_one_real_number_may_be_typed():
    ufuncs = {n for n in dir(np) if isinstance(f := getattr(np, n), np.ufunc) and f.nin == 1}
    real = {n for n in ufuncs if "d->d" in getattr(np, n).types}
    renamed = {"acos", "acosh", "asin", "asinh", "atan", "atanh"} & real
    unreal = {"conj", "conjugate", "spacing"}  # of complex numbers, and of floats
    assert real - unreal - renamed <= set(names.ARITY)


def test_every_function_may_be_typed():
    for name, (fewest, _) in names.ARITY.items():
        phi = formula(f"{name}({', '.join(['x'] * fewest)})")
        assert not np.isnan(phi(np.linspace(-3, 3, 13))).any()


# --- refusals, as sentences -----------------------------------------------------------------------

REFUSED = [
    ("2x", "have an operator between 2 and x, got 'x' at character 2; write 2*x"),
    ("x(1)", "have an operator between x and (, got '(' at character 2; write x*(...)"),
    ("2(x+1)", "have an operator between 2 and (, got '(' at character 2; write 2*(...)"),
    ("(x)(x)", "have an operator between ) and (, got '(' at character 4; write (...)*(...)"),
    ("(x)2", "have an operator between ) and 2, got '2' at character 4; write (...)*2"),
    ("x sin(x)", "have an operator between x and sin, got 'sin' at character 3; write x*sin(...)"),
    ("1.2.3", "got '.3' at character 4; write one number, or * between two"),
    ("sinx", "have known names only, got 'sinx' at character 1; write sin(x)"),
    ("exp2x", "have known names only, got 'exp2x' at character 1; write exp2(x)"),
    ("sin x", "in brackets after a function, got 'sin' at character 1; write sin(x)"),
    ("1 + sin", "in brackets after a function, got 'sin' at character 5; write sin(x)"),
    ("exp 2", "in brackets after a function, got 'exp' at character 1; write exp(2)"),
    ("sin cos(x)", "in brackets after a function, got 'sin' at character 1; write sin(x)"),
    ("xx", "have known names only, got 'xx' at character 1; write x*x"),
    ("X + 1", "have known names only, got 'X' at character 1; write x"),
    ("tanhh(x)", "got 'tanhh' at character 1; write tanh"),
    ("ln(x)", "got 'ln' at character 1; write log"),
    ("x + y", "got 'y' at character 5; the variable is x, and the functions are abs, arccos,"),
    ("sigmoid(x)", "got 'sigmoid' at character 1; write 1/(1 + exp(-x))"),
    ("x if x > 0 else 0", "got 'if' at character 3; write where(x > 0, a, b) for a if x > 0"),
    ("x > 0 and x < 1", "got 'and' at character 7; write (a)*(b) for a and b"),
    ("0 < x < 1", "compare two things at a time, got '1' at character 9; write (a < b)*(b < c)"),
    ("x +", "have a number, x or a function after '+', got '+' at character 3"),
    ("* x", "have a number, x or a function at the start, got '*' at character 1"),
    ("x */ 2", "have a number, x or a function after '*', got '/' at character 4"),
    ("sin()", "have a number, x or a function after '(', got ')' at character 5"),
    ("max(x,)", "have a number, x or a function after ',', got ')' at character 7"),
    ("(x + 1", "close every bracket, got '(' at character 1; write the missing )"),
    ("x + 1)", "close only brackets that were opened, got ')' at character 6; take it out"),
    ("0,5*x", "comma only between a function's arguments, got ',' at character 2; write a decimal"),
    ("max((x, 1))", "comma only between a function's arguments, got ',' at character 7"),
    ("max(x)", "give max at least 2 arguments, not 1, got 'max' at character 1; write max(a, b)"),
    ("1 + sin(x, 2)", "give sin 1 argument, not 2, got 'sin' at character 5; write sin(x)"),
    ("where(x > 0, x)", "give where 3 arguments, not 2, got 'where' at character 1; write where("),
    ("|x|", "plain letters, digits and operators, got '|' at character 1; write abs(x) for |x|"),
    ("x = 1", "got '=' at character 3; write == to compare, and leave out 'phi(x) ='"),
    ("np.tanh(x)", "got '.' at character 3; write exp(x) for np.exp(x), and 0.5 for a half"),
    ("x²", "got '²' at character 2; write ^2"),
    ("2×x", "got '×' at character 2; write *"),
    ("√x", "got '√' at character 1; write sqrt(x)"),
    ("x % 2", "got '%' at character 3; write a - b*floor(a/b) for the remainder"),
    ("[x]", "got '[' at character 1; write round brackets"),
    ("1e400*x", "have numbers from 1e-300 to 1e300, got '1e400' at character 1; scale it"),
    ("x + 1e-301", "have numbers from 1e-300 to 1e300, got '1e-301' at character 5; scale it"),
    ("x^x^x^x^x", "have at most 3 powers on top of each other, got 'x' at character 7"),
    ("", "not be empty, got ''; write for example x*exp(-x^2)"),
    (" \n", r"not be empty, got ' \n'; write for example x*exp(-x^2)"),
    ("x" * 501, "have at most 500 characters, got 501; write it shorter"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=lambda value: value[:20])
def test_refusals_say_where_and_what_to_write(text, message):
    with pytest.raises(ValueError, match="formula must ") as refusal:
        formula(text)
    assert message in str(refusal.value)
    assert "; " in str(refusal.value)


@pytest.mark.parametrize("value", [None, 3, b"x", ["x"], np.tanh, activation("tanh"), Node("x")])
def test_only_a_string_is_read(value):
    with pytest.raises(TypeError, match=r"formula must be a string like 'x\*exp\(-x\^2\)', got "):
        formula(value)


def test_what_was_typed_is_not_repeated_at_length():
    for value in ("y" * 400, "é" * 400, b"x" * 10**6, [0] * 10**6):
        with pytest.raises((ValueError, TypeError)) as refusal:
            parse(value)
        assert len(str(refusal.value)) < 500


# --- attacks --------------------------------------------------------------------------------------

MEGABYTE = 10**6
ATTACKS = [
    # to reach Python
    "__import__('os')", "__import__", "().__class__", "x.__class__", "x.__class__.__base__",
    "sin.__globals__", "exp.__self__", "getattr(x, 1)", "eval(x)", "exec(x)", "compile(x)",
    "open(x)", "globals()", "vars()", "print(x)", "breakpoint()", "exit()", "input()", "help(x)",
    "lambda: 0", "lambda x: x", "(lambda x: x)(1)", "[x for x in (1,)]", "{x}", "{x: x}",
    "(x := 1)", "x; x", "x\\\n+1", "x # comment", "'a'", '"a"', "f'{x}'", "b'x'", "`x`", "x[0]",
    "x[::1]", "*x", "**x", "max(*x)", "max(**x)", "max(x, key=x)", "sin(x=x)", "x if x else x",
    "x and x", "not x", "x is x", "x in x", "x @ x", "x // 2", "x << 2", "x >> 2", "x & x",
    "x | x", "~x", "yield x", "await x", "None", "True", "...", "Ellipsis", "__debug__", "self",
    "1j", "1_000", "0x10", "0b1", "0o7", "1if x else 2", "x!", "x$", "a" * 500, "import os",
    "x -> x", "x :: x", "x, x", "(x, x)", "()", "sin(x)(x)", "(sin)(x)", "where(x)(x)(x)",
    # to look like something else
    "ｘ", "х", "𝑥", "ｅxp(x)", "еxp(x)", "sіn(x)", "x\u200b+1", "x\u202e+1", "x\x00", "\ufeffx",
    "x\x1b[31m", "１+x", "x＋1", "x٣", "x^²", "ﬁx(x)", "x\ud800",
    # to take for ever
    "x^" * 249 + "x", "9^9^9^9^9", "x**x**x**x**x", "x^(x^(x^(x^x)))", "e^e^e^e^e^x",
    "(" * 250 + "x" + ")" * 250, "(" * 500, ")" * 500, "-" * 499 + "x", "+-" * 249 + "x",
    "sin(" * 100 + "x" + ")" * 100, "x+" * 249 + "x", "x*" * 249 + "x", "(" * 60 + "x" + ")" * 60,
    "1e999999999", "1e-999999999", "9" * 499, "1" + "0" * 400 + "e-999999999", "x<" * 249 + "x",
    "x" * MEGABYTE, "(" * MEGABYTE, "-" * MEGABYTE + "x", "9" * MEGABYTE, "9^" * MEGABYTE + "9",
    " " * MEGABYTE, "é" * MEGABYTE, "\x00" * MEGABYTE, "sin(" * MEGABYTE, "max(" + "x," * MEGABYTE,
]  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: f"{text[:24]!a}-{len(text)}")
def test_attacks_are_refused_in_little_time_and_memory(text):
    tracemalloc.start()
    start = time.thread_time()
    try:
        with pytest.raises(ValueError, match="formula must "):
            formula(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.thread_time() - start < 1
    assert peak < 500_000


def test_there_are_attacks_enough():
    assert len(set(ATTACKS)) == len(ATTACKS) > 120


def count(node):
    return 1 + sum(map(count, node.args))


def depth(node):
    return 1 + max(map(depth, node.args), default=0)


GREEDY = [
    "9^9^9^9", "x^x^x^x", "99999999^99999999^99999999", "1e300^1e300^1e300", "(x^9^9)^9^9",
    "exp(exp(exp(exp(exp(exp(x))))))", "1/exp(exp(exp(exp(1/x))))", "1/sin(exp(exp(exp(1/x))))",
    "floor(exp(exp(exp(x))))", "1/floor(exp(exp(1/x)))", "(x^1e300)^1e300", "1/(x^1e300 - 1)",
    "1/(" + "*".join(f"(x-{k})" for k in range(70)) + ")",
    "*".join(["abs(sin(x))"] * 40), "+".join(f"1/sin({k}*x)" for k in range(1, 40)),
    "abs(" * 49 + "sin(x)" + "-1)" * 49, "(x+1)^20*" * 40 + "x", "floor(" * 49 + "9*x" + ")" * 49,
    "clip(" * 33 + "x" + ", -1, 1)" * 33, "tan(" * 49 + "x" + ")" * 49,
    "relu(" * 49 + "x" + ")" * 49, "1/(" * 49 + "1+x" + ")" * 49, "log(" * 49 + "x" + ")" * 49,
    "x^0.1*" * 80 + "x", "1/erfc(1e30/x)", "normcdf(arctanh(x*x))", "1/cosh(1e300/x)",
    "1/(0.123456789012345678901*x^19-1)",
    "1/(x^9+" + "+".join(f"{k}*x^{k}/{k + 1}" for k in range(2, 20)) + ")",
]  # fmt: skip


@pytest.mark.parametrize("text", GREEDY, ids=lambda text: f"{text[:24]}-{len(text)}")
def test_greedy_formulas_are_bounded_in_work(text, monkeypatch):
    """They are allowed; the work is counted in operations, by arrays and by precise numbers."""
    done = {"floats": 0, "precise": 0}
    apply, floats = precise.Precise._apply, Values._floats

    def counted_apply(self, *args):
        done["precise"] += 1
        return apply(self, *args)

    def counted_floats(self, x):
        done["floats"] += len(self.steps) * len(x)
        return floats(self, x)

    monkeypatch.setattr(precise.Precise, "_apply", counted_apply)
    monkeypatch.setattr(Values, "_floats", counted_floats)
    node = parse(text)
    assert count(node) <= 2 * len(text)
    assert depth(node) <= tree.DEEPEST + 2
    phi = formula(text)
    assert done["precise"] <= precise.BUDGET
    assert done["floats"] <= 2e7
    assert len(phi.kinks) + len(phi.poles) <= 80
    assert not np.isnan(phi(np.linspace(-3, 3, 100))).any()


@pytest.mark.parametrize("text", GREEDY, ids=lambda text: f"{text[:24]}-{len(text)}")
def test_greedy_formulas_are_made_within_a_second(text):
    """In the time of one thread: what else a machine does is not counted."""
    start = time.thread_time()
    formula(text)
    assert time.thread_time() - start < 1


@pytest.mark.parametrize("text", GREEDY[::7], ids=lambda text: f"{text[:24]}-{len(text)}")
def test_greedy_formulas_are_bounded_in_memory(text):
    tracemalloc.start()
    try:
        formula(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.text(alphabet="x12.e()+-*/^,<>= sincopmaw|'_[é", max_size=40))
@example("sin(x")
@example("max(x,2)^-x")
def test_any_text_is_read_or_refused(text):
    try:
        node = parse(text)
    except ValueError as refusal:
        message = str(refusal)
    else:
        message = f"formula must be written as {node}"
        assert parse(str(node)) == node
    assert message.startswith("formula must ")


def test_nothing_typed_is_executed():
    """No source of the package calls what runs text; the parser alone reads it."""
    for path in Path(inspect.getfile(tokens)).parent.glob("*.py"):
        source = ast.parse(path.read_text(encoding="utf-8"))
        called = {n.func.id for n in ast.walk(source)
                  if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
        assert not called & {"eval", "exec", "compile", "__import__", "globals", "vars"}


def test_pythons_parser_sees_only_known_words(monkeypatch):
    seen = []
    python = ast.parse
    monkeypatch.setattr(
        tree.ast, "parse", lambda text, mode: seen.append(text) or python(text, mode=mode)
    )
    parse("1e3*x^2 + max(x, 0.5)")
    assert seen == ["0 * x ** 4 + max ( x , 10 )"]


def test_the_limits_are_the_documented_ones():
    assert tokens.LONGEST == 500
    assert parse("x" + "+x" * 99)
    assert parse("(" * 50 + "x" + ")" * 50) == X
    assert parse("x".ljust(500)) == X


# --- the activation -------------------------------------------------------------------------------


def test_the_activation_carries_its_text():
    phi = formula("  x *\n exp(-x^2) ")
    assert isinstance(phi, Activation)
    assert phi.name == phi.formula == phi.expression == "x * exp(-x^2)"
    assert formula(phi.expression)(0.5) == phi(0.5)
    assert formula("x") != formula("x")


def test_the_expressions_of_the_catalogue_are_read():
    for name in catalogue():
        if name != "dirichlet":
            parse(activation(name).expression)
            parse(activation(name).formula)
