"""The decision on a typed formula: growth far out, then boundedness near every special point."""

from dataclasses import dataclass, replace
from fractions import Fraction

from lengthlab.assumptions import coefficients as co
from lengthlab.assumptions.algebra import lowered
from lengthlab.assumptions.coefficients import Coefficient, Range, Real, real
from lengthlab.assumptions.enclosure import INF, bounded, enclose
from lengthlab.assumptions.evaluation import trusted_value, value
from lengthlab.assumptions.expansion import germ_at
from lengthlab.assumptions.expression import Expression, UndecidedError, subtrees, varies
from lengthlab.assumptions.germs import ONE, Germ, Monomial, NoValueError, compare
from lengthlab.assumptions.hazards import period
from lengthlab.assumptions.report import (
    Assessment,
    Assumption,
    Evidence,
    Singularity,
    critical_variance,
)
from lengthlab.assumptions.roots import Point
from lengthlab.assumptions.search import Search
from lengthlab.assumptions.words import far_out, infinity, near
from lengthlab.assumptions.workspace import OutOfTimeError, changed, mp, trust, working, workspace
from lengthlab.formula import Node

MEASURABLE = Assumption(
    True,
    "phi is made of continuous functions, arithmetic and comparisons, finitely many: "
    "such a function is measurable.",
)
_FEWEST_DIGITS, _MOST_DIGITS = 80, 1200
_ENOUGH_POLES = 12
_SQUARE = Monomial(power=Fraction(2))
_RATIO, _FAR = "log|phi(x)| / x^2", 1e3


def decide(node: Node, seconds: float) -> Assessment:
    """Assess a typed formula within about `seconds`."""
    try:
        with working(digits=_FEWEST_DIGITS, seconds=seconds):
            f = lowered(node)
            trust(_digits(f, len(str(node))))
            return _Decision(f).assessment()
    except UndecidedError as why:
        open_question = Assumption(None, f"Not decided: {why}.")
    except (RecursionError, ArithmeticError):
        reason = "Not decided: it is nested too deeply, or its numbers are too large."
        open_question = Assumption(None, reason)
    return Assessment(open_question, open_question, MEASURABLE)


def _digits(f: Expression, length: int) -> int:
    """Digits that tell apart what `length` characters and the constants of `f` can write."""
    most = 0
    for t in subtrees(f):
        if t.op == "number":
            bits = max(t.value.numerator.bit_length(), t.value.denominator.bit_length())
            most = max(most, round(0.302 * bits))
        elif not varies(t) and (v := value(t, mp().mpf(0))):
            most = max(most, int(abs(mp().log10(abs(v)))))
    digits = 60 + length + 2 * most
    if digits > _MOST_DIGITS:
        msg = "its numbers are too large or too small to work with"
        raise UndecidedError(msg)
    return digits


@dataclass(frozen=True)
class _Growth:
    """limsup log|phi| / x^2 on one side: `rate` None if unknown, though it may be `positive`."""

    rate: Coefficient | None
    reason: str
    evidence: tuple[Evidence, ...] = ()
    positive: bool = False


class _Decision:
    """The assessment of one expression."""

    def __init__(self, f: Expression) -> None:
        self.f = f
        self.poles: list[tuple[Singularity, str, tuple[Evidence, ...]]] = []
        self.limits: list[Evidence] = []
        self.doubts: list[str] = []
        self.hazards: list[Expression] = []

    def assessment(self) -> Assessment:
        now = workspace()
        with changed(deadline=now.deadline - 0.4 * now.seconds):  # leave time for the search
            sides = [self._growth(side) for side in (1, -1)]
        growth, constant = _of_both_sides(sides)
        complete = self._search()
        poles = tuple(pole for pole, _, _ in sorted(self.poles, key=lambda p: p[0].location))
        if poles and period(self.f) is not None:
            reason = (
                "phi is periodic: arbitrarily far out it is unbounded again near a point, and so "
                "above exp(eps x^2) there."
            )
            growth = Assumption(False, reason, self.poles[0][2])
        bounded_ = self._boundedness()
        critical = critical_variance(bounded_.holds, constant, poles, all_poles=complete)
        return Assessment(bounded_, growth, MEASURABLE, True, critical, constant, poles)

    # --- growth -----------------------------------------------------------------------------------

    def _growth(self, side: int) -> _Growth:
        if period(self.f) is not None:
            return _Growth(Fraction(0), "phi is periodic, so log|phi(x)| / x^2 tends to 0")
        try:
            germ = germ_at(self.f, INF, side)
            rate = _rate(germ.leading)
            if rate > 0 and (germ.sign is None or isinstance(germ.terms[0].coefficient, Range)):
                seen = self._oscillating_growth(side, rate)
                return seen if germ.sign is None else replace(seen, rate=rate)
            return _Growth(rate, far_out(germ, side, rate), self._far_values(side), rate > 0)
        except NoValueError:
            nothing = f"phi has no value, and is taken for 0, as x tends to {infinity(side)}"
            return _Growth(Fraction(0), nothing)
        except UndecidedError as why:
            low, high = enclose(self.f, *sorted((side * _FAR, side * INF))) or (0.0, 0.0)
            if max(abs(low), abs(high)) < INF:
                where = f"x > {_FAR:g}" if side > 0 else f"x < -{_FAR:g}"
                return _Growth(Fraction(0), f"{low:.6g} <= phi(x) <= {high:.6g} for {where}")
            return _Growth(None, f"{why} (as x tends to {infinity(side)})")

    def _oscillating_growth(self, side: int, rate: Coefficient) -> _Growth:
        """Give what is certain where only an upper bound c of the rate is known.

        Values of log|phi| / x^2 far out, near c in every window, show that it is positive.
        """
        if rate == INF:
            msg = "phi oscillates, and only an upper bound of its growth is known"
            raise UndecidedError(msg)
        largest = []
        for start in (30, 300, 3000, 10**6, 10**15):
            points = [side * (start + j * mp().mpf("0.517")) for j in range(32)]
            ratios = [r for x in points if (r := self._ratio(x, trusted=True)) is not None]
            largest.append(max(ratios, key=lambda r: r.value, default=Evidence(_RATIO, 0.0, -INF)))
        values = [e.value for e in largest]
        if not (min(values[1:]) > 0.3 * rate and max(values) < 3 * rate + 0.1):
            msg = "phi oscillates, and its growth is not seen in its values"
            raise UndecidedError(msg)
        last = largest[-1]
        reason = f"{_RATIO} does not tend to 0: it is {last.value:.3g} at x = {last.x:.6g}"
        return _Growth(None, reason, tuple(largest), True)

    def _ratio(self, x: Real, *, trusted: bool = False) -> Evidence | None:
        v = trusted_value(self.f, x) if trusted else value(self.f, x)
        return Evidence(_RATIO, float(x), float(mp().log(abs(v)) / x**2)) if v else None

    def _far_values(self, side: int) -> tuple[Evidence, ...]:
        ratios = []
        for x in (10, 100, 1000):
            try:
                ratios.append(self._ratio(mp().mpf(side * x)))
            except UndecidedError:  # exp(exp(x)) is too large soon
                break
        return tuple(ratio for ratio in ratios if ratio is not None)

    # --- boundedness ------------------------------------------------------------------------------

    def _search(self) -> bool:
        """Look at all special points; whether that was brought to an end."""
        search = Search(self.f, self._visit)
        if bounded(self.f):
            return True
        try:
            search.run()
        except UndecidedError as why:
            search.doubts.append(str(why))
        self.doubts += search.doubts
        self.hazards = search.hazards
        return not self.doubts and not search.done

    def _visit(self, point: Point) -> bool:
        """Look at phi on both sides of a point; whether there are enough poles."""
        for side in (1, -1):
            try:
                self._look(point, side)
            except OutOfTimeError:
                raise
            except UndecidedError as why:
                self.doubts.append(f"{why} (near x = {float(point):.6g})")
        return len(self.poles) >= _ENOUGH_POLES

    def _look(self, point: Point, side: int) -> None:
        try:
            germ = germ_at(self.f, point, side)
        except NoValueError:
            germ = Germ()
        m = germ.leading
        noise = 1 / mp().sqrt(workspace().tolerance)
        if germ.terms and co.largest(germ.terms[0].coefficient) > noise:
            msg = "a number cannot be told from an infinite one"
            raise UndecidedError(msg)
        if m is None or compare(m, ONE) <= 0:
            self.limits += _limit(germ, point, side)
            return
        certain = germ.sign is not None and not isinstance(germ.terms[0].coefficient, Range)
        if not certain and not self._grows_towards(point, side, m):
            msg = "phi oscillates, and only an upper bound is known"
            raise UndecidedError(msg)
        order, log_order = (INF, 0.0) if m.exponent else (float(m.power), float(m.log))
        pole = Singularity(float(point), side, order, log_order)
        self.poles.append((pole, near(germ, point, side), self._values_towards(point, side)))

    def _values_towards(self, point: Point, side: int) -> tuple[Evidence, ...]:
        found = []
        for k in (2, 4, 6, 8):
            x = real(point) + side * mp().mpf(10) ** -k
            try:
                v = value(self.f, x)
            except UndecidedError:
                break
            if v is not None and abs(v) < 1e308:
                found.append(Evidence("phi(x)", float(x), float(v)))
        return tuple(found)

    def _grows_towards(self, point: Point, side: int, m: Monomial) -> bool:
        """Whether |phi| grows, along a sequence, nearly like its upper bound `m`."""
        largest = []
        for k in range(2, 40, 2):
            depths = [k + mp().mpf(j) / 13 for j in range(12)]
            points = [real(point) + side * mp().mpf(10) ** -d * (1 + d / 37) for d in depths]
            values = [trusted_value(self.f, x) for x in points]
            largest.append(max((abs(v) for v in values if v is not None), default=0))
        step = 10 if m.exponent else mp().mpf(100) ** (mp().mpf("0.8") * real(m.power))
        pairs = zip(largest[-8:], largest[-7:], strict=False)
        return bool(step > 1) and all(b > step * a for a, b in pairs)

    def _boundedness(self) -> Assumption:
        if self.poles:
            nearest = min(self.poles, key=lambda p: (abs(p[0].location), -p[0].location))
            _, reason, evidence = nearest
            return Assumption(False, f"{reason}.", evidence)
        if self.doubts:
            return Assumption(None, f"Not decided: {self.doubts[0]}.")
        bounds = enclose(self.f)
        if bounds is None:
            return Assumption(True, "phi has no value anywhere, and is 0.")
        if bounded(self.f):
            low, high = bounds
            evidence = (
                Evidence("a lower bound of phi", INF, low),
                Evidence("an upper bound of phi", INF, high),
            )
            return Assumption(True, f"{low:.6g} <= phi(x) <= {high:.6g} for every x.", evidence)
        if not self.hazards:
            reason = (
                "On a finite interval a formula grows without end only where a denominator, or "
                "what a logarithm is taken of, approaches 0: here none does."
            )
        else:
            several = " or ".join(map(str, self.hazards[:3])) + " or others" * (
                len(self.hazards) > 3
            )
            reason = f"phi could be unbounded only near where {several} is 0; it is bounded there."
        return Assumption(True, reason, tuple(self.limits))


def _limit(germ: Germ, point: Point, side: int) -> list[Evidence]:
    """Limit of phi, or where it oscillates a bound of |phi|, from one side."""
    c: Coefficient = Fraction(0)
    if not germ.tends_to_zero:
        if not germ.terms:
            return []
        c = germ.terms[0].coefficient
    what = "bound of |phi|" if isinstance(c, Range) else "limit of phi"
    quantity = f"{what} from the {'right' if side > 0 else 'left'}"
    return [Evidence(quantity, float(point), float(co.largest(c) if isinstance(c, Range) else c))]


def _rate(m: Monomial | None) -> Coefficient:
    """limsup log m / x^2, at least 0."""
    if m is None or not m.exponent:
        return Fraction(0)
    first, c = m.exponent[0]
    order = compare(first, _SQUARE)
    if co.sign(c) == -1 or order < 0:
        return Fraction(0)
    return INF if order > 0 else co.ends(c).high


def _of_both_sides(sides: list[_Growth]) -> tuple[Assumption, float | None]:
    rates = [side.rate for side in sides]
    known = [float(rate) for rate in rates if rate is not None]
    constant = max(known) if len(known) == len(rates) else None
    growing = [side for side in sides if side.positive]
    if growing:
        first = max(growing, key=lambda side: float(side.rate or 0))
        return Assumption(False, f"{first.reason}.", first.evidence), constant
    for side in sides:
        if side.rate is None:
            return Assumption(None, f"Not decided: {side.reason}."), None
    right, left = (side.reason for side in sides)
    if left == right.replace("+infinity", "-infinity"):
        right = left = right.replace("x tends to +infinity", "|x| grows")
    reason = "; ".join(dict.fromkeys((right, left)))
    return Assumption(True, reason + ".", sides[1].evidence + sides[0].evidence), constant
