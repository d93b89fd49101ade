"""Germs in words: what a student reads."""

import math

from lengthlab.assumptions.coefficients import Coefficient, sign
from lengthlab.assumptions.germs import ONE, Germ, Monomial, compare
from lengthlab.assumptions.roots import Point


def infinity(side: int) -> str:
    """Name of the right or the left end of the line."""
    return "+infinity" if side > 0 else "-infinity"


def far_out(germ: Germ, side: int, rate: Coefficient) -> str:
    """How phi behaves as x tends to infinity, where log|phi| / x^2 tends to `rate`."""
    end = f"x tends to {infinity(side)}"
    m = germ.leading
    if rate == math.inf:
        return f"log|phi(x)| / x^2 tends to infinity as {end}"
    if rate != 0:
        return f"log|phi(x)| / x^2 tends to {float(rate):.6g} as {end}"
    if m is None or compare(m, ONE) < 0:
        return f"phi(x) tends to 0 as {end}"
    if compare(m, ONE) == 0:
        return f"phi(x) stays bounded as {end}"
    fast = "grows like" if germ.sign is not None else "grows no faster than"
    if m.exponent:
        first, c = m.exponent[0]
        if first.exponent or first.log or first.loglog or len(m.exponent) > 1 or sign(c) is None:
            return f"log|phi(x)| / x^2 tends to 0 as {end}"
        how = f"exp({_times(c)}{_power('|x|', first.power)})"
        if m != Monomial(m.exponent):
            how += " up to slower factors"
        return f"|phi(x)| {fast} {how} as {end}, so that log|phi(x)| / x^2 tends to 0"
    return f"|phi(x)| {fast} {_product(m, '|x|', 'log|x|')} as {end}"


def near(germ: Germ, point: Point, side: int) -> str:
    """How phi grows as x tends to a point."""
    m, a = germ.leading or ONE, f"{float(point):.6g}"
    name = "|x|" if float(point) == 0 else f"|x - {a}|" if point > 0 else f"|x + {a[1:]}|"
    end = f"as x tends to {a} from the {'right' if side > 0 else 'left'}"
    if m.exponent:
        return f"|phi(x)| grows faster than every power of 1 / {name} {end}"
    how = _product(m._replace(power=-m.power), name, f"|log {name}|")
    return f"|phi(x)| grows like {how} {end}"


def _times(c: Coefficient) -> str:
    return "" if c == 1 else f"{float(c):.6g} "


def _power(base: str, p: Coefficient) -> str:
    return base if p == 1 else f"{base}^{float(p):.6g}"


def _product(m: Monomial, name: str, log: str) -> str:
    """Powers of `name`, of its logarithm and of the logarithm of that, those below a line last."""
    factors = list(zip((name, log, f"log({log})"), m[1:], strict=True))
    above = " ".join(_power(base, p) for base, p in factors if p > 0)
    below = " ".join(_power(base, -p) for base, p in factors if p < 0)
    return f"{above or 1} / {below}" if below else above or "1"
