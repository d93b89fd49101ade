"""Where a formula may misbehave: at the zeros of which functions.

Between them phi is a smooth function of x: the *hazards* are what stands in a denominator, in a
logarithm or at the base of a power with a variable exponent; a *switch* is what decides between
branches. By compactness, phi is bounded on every finite interval if it is bounded near each zero of
a hazard.
"""

from fractions import Fraction

from lengthlab.assumptions.algebra import add, exp, log, mul, negative, plain, power, rebuilt
from lengthlab.assumptions.coefficients import Real
from lengthlab.assumptions.enclosure import bounded, enclose, excludes_zero
from lengthlab.assumptions.evaluation import value
from lengthlab.assumptions.expression import (
    MINUS_ONE,
    ZERO,
    Expression,
    as_multiple,
    as_power,
    has,
    number,
    varies,
)
from lengthlab.assumptions.workspace import tick


def hazards(t: Expression, *, everything: bool = False) -> list[Expression]:
    """Functions such that `t` is bounded away from their zeros, innermost first.

    What is bounded on the whole line cannot make phi unbounded, and is not looked into; unless it
    is a hazard itself (`everything`), which may come close to 0 where its own parts do not exist.
    """
    tick()
    if not everything and bounded(t):
        return []
    base, p = as_power(t)
    hazardous = t.op == "log" or p < 0 or (t.op == "**" and base == t)
    found = []
    for k, argument in enumerate(t.args):
        found += hazards(argument, everything=everything or (hazardous and k == 0))
    if hazardous:
        for source in zero_sources(t.args[0]):
            if source != t.args[0]:
                found += hazards(source, everything=True)
            found.append(source)
    return list(dict.fromkeys(found))


def switches(t: Expression) -> list[Expression]:
    """Functions between whose zeros `t` has no branches, innermost first."""
    found = [s for argument in t.args for s in switches(argument)]
    if t.op in ("abs", "switch"):
        found += zero_sources(t.args[0])
    elif t.op == "max":
        found += zero_sources(add(t.args[0], negative(t.args[1])))
    elif as_power(t)[1].denominator != 1:  # a root exists on one side only
        found += zero_sources(t.args[0])
    return list(dict.fromkeys(found))


def zero_sources(g: Expression) -> list[Expression]:
    """Simpler functions among whose zeros are those of `g`.

    Limits of 0 where a part of `g` does not exist are not counted: `hazards` finds those points.
    """
    if not varies(g):
        return []
    match g.op:
        case "*":
            return [source for factor in g.args for source in zero_sources(factor)]
        case "**" if as_power(g)[1] < 0:
            return []
        case "**" | "abs" | "arctan" | "arcsinh":
            return zero_sources(g.args[0])
        case "exp" | "floor" | "erfc":
            return []
        case "log":
            return zero_sources(add(g.args[0], MINUS_ONE))
        case "switch" | "max":
            branches = g.args[1:] if g.op == "switch" else g.args
            return [source for branch in branches for source in zero_sources(branch)]
        case "+":
            return _of_sum(g)
    return [g]


def _of_sum(g: Expression) -> list[Expression]:
    kept = [t for t in g.args if as_multiple(t)[0] != 0]
    if len(kept) < len(g.args):
        return zero_sources(add(*kept))
    rules = (_without_denominators, _without_exponentials, _solved, _without_root, _of_one_sign)
    for rule in rules:
        found = rule(g)
        if found is not None:
            return found
    return [g]


def _without_denominators(g: Expression) -> list[Expression] | None:
    """Zeros of n / d + a are among those of n + a d."""
    for term in g.args:
        for factor in as_multiple(term)[1]:
            d, p = as_power(factor)
            if p < 0:
                p = min(q for t in g.args for b, q in _powers(t) if b == d)
                return zero_sources(add(*(_divided(t, d, p) for t in g.args)))
    return None


def _powers(t: Expression) -> list[tuple[Expression, Fraction]]:
    return [as_power(factor) for factor in as_multiple(t)[1]]


def _divided(t: Expression, d: Expression, p: Fraction) -> Expression:
    """t / d^p, where d does not vanish."""
    c, _ = as_multiple(t)
    others = [power(b, q) for b, q in _powers(t) if b != d]
    exponent = sum((q for b, q in _powers(t) if b == d), -p)
    return mul(number(c), *others, *([power(d, exponent)] if exponent else []))


def _without_exponentials(g: Expression) -> list[Expression] | None:
    """Divide by an exponential that every term has: exp(a) - exp(b) becomes 1 - exp(b - a)."""
    shared = [[f for f in as_multiple(t)[1] if f.op == "exp"] for t in g.args]
    if not all(shared):
        return None
    divisor = exp(negative(shared[0][0].args[0]))
    return zero_sources(add(*(mul(divisor, t) for t in g.args)))


def _solved(g: Expression) -> list[Expression] | None:
    """Zeros of a + c f(u) for f = exp, log, erfc and a number a."""
    if len(g.args) != 2:
        return None
    for constant, term in (g.args, g.args[::-1]):
        c, factors = as_multiple(term)
        if constant.op != "number" or len(factors) != 1 or not factors[0].args:
            continue
        f, u, wanted = factors[0].op, factors[0].args[0], -constant.value / c
        if f == "exp":
            return zero_sources(add(u, negative(log(number(wanted))))) if wanted > 0 else []
        if f == "log":
            return zero_sources(add(u, negative(exp(number(wanted)))))
        if f == "erfc" and (wanted == 1 or not 0 < wanted < 2):
            return zero_sources(u) if wanted == 1 else []
    return None


def _without_root(g: Expression) -> list[Expression] | None:
    """Zeros of c u^(n/d) + v are among those of c^d u^n - (-v)^d."""
    if len(g.args) != 2:
        return None
    for root, other in (g.args, g.args[::-1]):
        c, factors = as_multiple(root)
        if len(factors) == 1 and (p := as_power(factors[0])[1]).denominator in (2, 3):
            d = Fraction(p.denominator)
            first = mul(number(c ** int(d)), power(as_power(factors[0])[0], p * d))
            return zero_sources(add(first, negative(power(negative(other), d))))
    return None


def _of_one_sign(g: Expression) -> list[Expression] | None:
    """Zeros of a sum of terms of one sign are common to all terms."""
    bounds = [enclose(t) for t in g.args]
    known = [b for b in bounds if b is not None]
    if len(known) < len(bounds):
        return []  # a term without values
    if not (all(b[0] >= 0 for b in known) or all(b[1] <= 0 for b in known)):
        return None
    if any(map(excludes_zero, known)):
        return []
    choices = []
    for term in g.args:
        bases = [as_power(factor)[0] for factor in as_multiple(term)[1]]
        bases = [base.args[0] if base.op == "abs" else base for base in bases]
        if varies(term) and all(map(plain, bases)):  # then its zeros are isolated
            choices.append([source for base in bases for source in zero_sources(base)])
    return min(choices, key=_difficulty) if choices else None


def _difficulty(sources: list[Expression]) -> tuple[int, int]:
    """How many of the functions have infinitely many zeros; how many there are."""
    return sum(period(source) is not None for source in sources), len(sources)


def resolved(t: Expression, x: Real, settled: set[Expression]) -> Expression:
    """Give the branch of `t` that is in force around `x`, as far as its switches are `settled`."""
    u = _deciding(t)
    if u is not None and not has(u, "floor") and {*zero_sources(u), *switches(u)} <= settled:
        at_x = value(resolved(u, x, settled), x)
        if at_x is not None:
            return resolved(_branches(t)[1 + (at_x > 0) - (at_x < 0)], x, settled)
    return rebuilt(t, tuple(resolved(argument, x, settled) for argument in t.args))


def _deciding(t: Expression) -> Expression | None:
    """Give the function whose sign chooses a branch of `t`."""
    if t.op == "max":
        return add(t.args[0], negative(t.args[1]))
    return t.args[0] if t.op in ("abs", "switch") else None


def _branches(t: Expression) -> tuple[Expression, ...]:
    """Branches of `t` where that function is negative, 0, and positive."""
    if t.op == "max":
        return t.args[1], t.args[0], t.args[0]
    if t.op == "abs":
        return negative(t.args[0]), ZERO, t.args[0]
    return t.args[1:]


def period(t: Expression) -> Fraction | None:
    """Give a period of `t` in units of 2 pi: 0 for a constant, None if none is seen."""
    if t.op in ("sin", "cos") and (frequency := _frequency(t.args[0])):
        return abs(1 / frequency)
    if t.op == "x":
        return None
    common = Fraction(0)
    for argument in t.args:
        p = period(argument)
        if p is None:
            return None
        if p and common:
            ratio = common / p
            if max(ratio.numerator, ratio.denominator) > 50:
                return None
            common *= ratio.denominator
        common = common or p
    return common


def _frequency(u: Expression) -> Fraction | None:
    """Give the rational a of u = a x + b."""
    terms = [t for t in (u.args if u.op == "+" else (u,)) if varies(t)]
    c, factors = as_multiple(terms[0]) if terms else (Fraction(0), ())
    return c if len(terms) == 1 and len(factors) == 1 and factors[0].op == "x" else None
