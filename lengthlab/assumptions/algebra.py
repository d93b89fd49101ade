"""Sums, products and powers in normal form; the typed formula and derivatives written with them.

Equal terms are collected and equal factors merged, but only where this changes phi at isolated
points at most: x/x is 1, while relu(x)/relu(x) has no value for x < 0 and stays as it is. Where a
formula has no value, phi is 0.
"""

from collections.abc import Callable
from fractions import Fraction

from lengthlab.assumptions.enclosure import enclose, excludes_zero
from lengthlab.assumptions.expression import (
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    ZERO,
    Expression,
    UndecidedError,
    X,
    as_multiple,
    as_power,
    has,
    is_longer,
    number,
    varies,
)
from lengthlab.assumptions.workspace import tick
from lengthlab.formula import Node

_ENTIRE = {"x", "number", "pi", "+", "*", "exp", "sin", "cos", "arctan", "arcsinh", "erfc"}
_WITNESSES = (0.36, -1.7, 2.9, -0.02)
_LONGEST = 4000  # bits of a rational number that is still computed exactly
_MOST_PARTS = 2000  # tan(u) has u twice, and tan(tan(...)) of 50 would have it 2^50 times


def smooth(t: Expression) -> bool:
    """Whether `t` is certainly defined and analytic on the whole line."""
    if t.op == "**":
        base, p = as_power(t)
        whole = p.denominator == 1 and p >= 0
        return (whole and t != base and smooth(base)) or (
            _positive(base) and all(map(smooth, t.args))
        )
    if t.op == "log":
        return _positive(t.args[0]) and smooth(t.args[0])
    return t.op in _ENTIRE and all(map(smooth, t.args))


def plain(t: Expression) -> bool:
    """Whether `t` is smooth and not 0 everywhere: its zeros are then isolated."""
    return smooth(t) and any(excludes_zero(enclose(t, x, x)) for x in _WITNESSES)


def _positive(t: Expression) -> bool:
    found = enclose(t)
    return found is not None and found[0] > 0


def add(*terms: Expression) -> Expression:
    """Sum of expressions."""
    tick()
    collected: dict[Expression, Fraction] = {}
    for term in terms:
        _collect(term, Fraction(1), collected)
    kept = [_multiple(c, t) for t, c in collected.items() if c or not plain(t)]
    kept = sorted(t for t in kept if t != ZERO)
    return Expression("+", tuple(kept)) if len(kept) > 1 else kept[0] if kept else ZERO


def _collect(t: Expression, factor: Fraction, into: dict[Expression, Fraction]) -> None:
    if t.op == "+":
        for term in t.args:
            _collect(term, factor, into)
        return
    c, factors = as_multiple(t)
    rest = ONE if not factors else factors[0] if len(factors) == 1 else Expression("*", factors)
    into[rest] = into.get(rest, Fraction(0)) + factor * c


def _multiple(c: Fraction, t: Expression) -> Expression:
    """c t for a `t` without rational factor."""
    if t == ONE:
        return number(c)
    if c == 1:
        return t
    return Expression("*", (number(c), *(t.args if t.op == "*" else (t,))))


def negative(t: Expression) -> Expression:
    """-t."""
    return mul(MINUS_ONE, t)


def mul(*factors: Expression) -> Expression:
    """Product of expressions."""
    coefficient, exponents = Fraction(1), []
    powers: list[tuple[Expression, Fraction]] = []
    for factor in factors:
        c, rest = as_multiple(factor)
        coefficient *= c
        for t in rest:
            if t.op == "exp":
                exponents.append(t.args[0])
            else:
                _merge(*as_power(t), powers)
    kept = [power(base, p) for base, p in powers if p != 0]
    if exponents:
        kept.append(exp(add(*exponents)))
    if any(t.op in ("number", "*") for t in kept):  # exp(0) is 1, a folded power may be anything
        return mul(number(coefficient), *kept)
    if coefficient == 0 and all(map(plain, kept)):
        return ZERO
    if len(kept) == 1 and kept[0].op == "+":
        return (
            add(*(mul(number(coefficient), t) for t in kept[0].args))
            if coefficient != 1
            else kept[0]
        )
    product = (
        ONE if not kept else kept[0] if len(kept) == 1 else Expression("*", tuple(sorted(kept)))
    )
    return _multiple(coefficient, product)


def _merge(base: Expression, p: Fraction, powers: list[tuple[Expression, Fraction]]) -> None:
    """Multiply by base^p, adding exponents where no value appears or disappears."""
    for k, (other, q) in enumerate(powers):
        if other == base and p.denominator == q.denominator == 1 and (p * q > 0 or plain(base)):
            powers[k] = (base, p + q)
            return
    powers.append((base, p))


def power(base: Expression, p: Fraction) -> Expression:
    """base^p for a rational p."""
    if p == 1 or (base == ONE):
        return base
    if p == 0 and plain(base):
        return ONE
    if base.op == "exp":
        return exp(mul(number(p), base.args[0]))
    if base.op == "number" and p.denominator == 1 and base.value != 0:
        v = base.value
        if abs(p) * max(v.numerator.bit_length(), v.denominator.bit_length()) < _LONGEST:
            return number(v ** int(p))
    if base.op == "*" and p.denominator == 1:
        return mul(*(power(factor, p) for factor in base.args))
    inner, q = as_power(base)
    if q != 1 and (q > 0 or p > 0 or plain(inner)):
        if q % 2 == 0 and p.denominator != 1:
            return power(absolute(inner), p * q)
        if p.denominator == q.denominator == 1 or (p * q).denominator != 1:
            return power(inner, p * q)  # a whole exponent would give values where sqrt has none
    if base.op == "abs" and p.denominator == 1 and p % 2 == 0:
        return power(base.args[0], p)
    return Expression("**", (base, number(p)))


def raised(base: Expression, exponent: Expression) -> Expression:
    """base^exponent: an exponential where the base is positive up to isolated zeros."""
    if exponent.op == "number":
        return power(base, exponent.value)
    if base.op == "exp":
        return exp(mul(exponent, base.args[0]))
    if _positive(base) or (base.op == "abs" and plain(base.args[0])):
        return exp(mul(exponent, log(base)))
    return Expression("**", (base, exponent))


def over(a: Expression, b: Expression) -> Expression:
    """Give a / b."""
    return mul(a, power(b, Fraction(-1)))


def sqrt(t: Expression) -> Expression:
    """Square root."""
    return power(t, Fraction(1, 2))


def exp(t: Expression) -> Expression:
    """Exponential."""
    return ONE if t == ZERO else Expression("exp", (t,))


def log(t: Expression) -> Expression:
    """Natural logarithm; that of an even power by that of the absolute value."""
    base, p = as_power(t)
    if t == ONE:
        return ZERO
    if t.op == "exp":
        return t.args[0]
    if p.denominator == 1 and p % 2 == 0 and p != 0:
        return mul(number(p), log(absolute(base)))
    return Expression("log", (t,))


def absolute(t: Expression) -> Expression:
    """Absolute value."""
    c, factors = as_multiple(t)
    if not factors:
        return number(abs(c))
    if c != 1:
        return mul(number(abs(c)), absolute(mul(*factors)))
    found = enclose(t)
    return t if t.op == "abs" or (found and found[0] >= 0) else Expression("abs", (t,))


def switch(u: Expression, *branches: Expression) -> Expression:
    """Choose the first, second or third branch where u is negative, 0 or positive."""
    return Expression("switch", (u, *branches))


def _max(a: Expression, b: Expression) -> Expression:
    return Expression("max", (a, b))


def _min(a: Expression, b: Expression) -> Expression:
    return negative(_max(negative(a), negative(b)))


def _where(condition: Expression, then: Expression, other: Expression) -> Expression:
    if condition.op == "switch" and set(condition.args[1:]) <= {ZERO, ONE}:
        u, *flags = condition.args
        return switch(u, *(then if flag == ONE else other for flag in flags))
    return switch(condition, then, other, then)


def _floor(t: Expression) -> Expression:
    return number(t.value // 1) if t.op == "number" else Expression("floor", (t,))


def _ceil(t: Expression) -> Expression:
    return negative(_floor(negative(t)))


def _rint(t: Expression) -> Expression:
    """Nearest integer; halves go to the even one, which matters where `t` stands still there."""
    if t.op == "number":
        return number(round(t.value))
    if has(t, "switch", "floor", "max"):
        msg = "rint of a function that may stand still at a half is not looked into"
        raise UndecidedError(msg)
    return _floor(add(t, HALF))


def _erfc(t: Expression) -> Expression:
    return Expression("erfc", (t,))


def _arcsin(u: Expression) -> Expression:
    """2 arctan(u / (1 + sqrt(1 - u^2))): has a value exactly where |u| <= 1."""
    root = sqrt(add(ONE, negative(power(u, Fraction(2)))))
    return mul(TWO, Expression("arctan", (over(u, add(ONE, root)),)))


def _tanh(u: Expression) -> Expression:
    return add(ONE, mul(number(-2), power(add(ONE, exp(mul(TWO, u))), Fraction(-1))))


def _half_sum(u: Expression, sign: Expression) -> Expression:
    return mul(HALF, add(exp(u), mul(sign, exp(negative(u)))))


_LOWERED: dict[str, Callable[..., Expression]] = {
    "neg": negative,
    "+": add,
    "-": lambda a, b: add(a, negative(b)),
    "*": mul,
    "/": over,
    "**": raised,
    "exp": exp,
    "log": log,
    "abs": absolute,
    "max": _max,
    "min": _min,
    "where": _where,
    "floor": _floor,
    "ceil": _ceil,
    "rint": _rint,
    "trunc": lambda u: switch(u, _ceil(u), ZERO, _floor(u)),
    "sqrt": sqrt,
    "sign": lambda u: switch(u, MINUS_ONE, ZERO, ONE),
    "step": lambda u: switch(u, ZERO, ONE, ONE),
    "cbrt": lambda u: mul(switch(u, MINUS_ONE, ZERO, ONE), power(absolute(u), Fraction(1, 3))),
    "expm1": lambda u: add(exp(u), MINUS_ONE),
    "log1p": lambda u: log(add(ONE, u)),
    "sinh": lambda u: _half_sum(u, MINUS_ONE),
    "cosh": lambda u: _half_sum(u, ONE),
    "tanh": _tanh,
    "tan": lambda u: over(Expression("sin", (u,)), Expression("cos", (u,))),
    "arcsin": _arcsin,
    "arccos": lambda u: add(mul(HALF, PI), negative(_arcsin(u))),
    "arccosh": lambda u: log(add(u, mul(sqrt(add(u, MINUS_ONE)), sqrt(add(u, ONE))))),
    "arctanh": lambda u: mul(HALF, log(over(add(ONE, u), add(ONE, negative(u))))),
    "erfc": _erfc,
    "erf": lambda u: add(ONE, negative(_erfc(u))),
    "normcdf": lambda u: mul(HALF, _erfc(mul(MINUS_ONE, sqrt(HALF), u))),
    "<": lambda a, b: switch(add(a, negative(b)), ONE, ZERO, ZERO),
    "<=": lambda a, b: switch(add(a, negative(b)), ONE, ONE, ZERO),
    ">": lambda a, b: switch(add(a, negative(b)), ZERO, ZERO, ONE),
    ">=": lambda a, b: switch(add(a, negative(b)), ZERO, ONE, ONE),
    "==": lambda a, b: switch(add(a, negative(b)), ZERO, ONE, ZERO),
    "!=": lambda a, b: switch(add(a, negative(b)), ONE, ZERO, ONE),
}
"""Functions of a formula that are not their own expression."""


def lowered(node: Node) -> Expression:
    """Write a typed formula in the few operations of `Expression`.

    Raises
    ------
    UndecidedError
        If it becomes too long.
    """
    if node.op == "number":
        return number(node.value or 0)
    if node.op == "e":
        return exp(ONE)
    args = tuple(map(lowered, node.args))
    t = _LOWERED[node.op](*args) if node.op in _LOWERED else Expression(node.op, args)
    if is_longer(t, _MOST_PARTS):
        msg = "written in exp, log, sin, ... alone, the formula is too long"
        raise UndecidedError(msg)
    return t


def rebuilt(t: Expression, args: tuple[Expression, ...]) -> Expression:
    """`t` with other arguments, in normal form again."""
    if not t.args:
        return t
    return _NORMAL[t.op](*args) if t.op in _NORMAL else Expression(t.op, args)


_NORMAL: dict[str, Callable[..., Expression]] = {
    "+": add, "*": mul, "**": raised, "exp": exp, "log": log, "abs": absolute,
}  # fmt: skip


_OUTER: dict[str, Callable[[Expression], Expression]] = {
    "exp": exp,
    "log": lambda u: power(u, Fraction(-1)),
    "sin": lambda u: Expression("cos", (u,)),
    "cos": lambda u: negative(Expression("sin", (u,))),
    "arctan": lambda u: power(add(ONE, power(u, Fraction(2))), Fraction(-1)),
    "arcsinh": lambda u: power(add(ONE, power(u, Fraction(2))), Fraction(-1, 2)),
    "erfc": lambda u: mul(
        number(-2), power(PI, Fraction(-1, 2)), exp(negative(power(u, Fraction(2))))
    ),
}
"""Derivatives of the functions of one argument."""


def derivative(t: Expression) -> Expression:
    """Differentiate an expression without branches."""
    if not varies(t):
        return ZERO
    if t == X:
        return ONE
    if t.op == "+":
        return add(*map(derivative, t.args))
    if t.op == "*":
        rest = [mul(*t.args[:k], *t.args[k + 1 :]) for k in range(len(t.args))]
        return add(*(mul(derivative(f), r) for f, r in zip(t.args, rest, strict=True) if varies(f)))
    base, p = as_power(t)
    if p != 1:
        return mul(number(p), power(base, p - 1), derivative(base))
    if t.op not in _OUTER:
        msg = f"zeros of a sum with {t} are not looked for"
        raise UndecidedError(msg)
    return mul(_OUTER[t.op](t.args[0]), derivative(t.args[0]))
