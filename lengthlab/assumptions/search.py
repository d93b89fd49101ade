"""Find the points near which a formula may be unbounded, and know that there are no others."""

import itertools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from lengthlab.assumptions.coefficients import Real, real
from lengthlab.assumptions.enclosure import above, below, enclose
from lengthlab.assumptions.expression import ZERO, Expression, UndecidedError
from lengthlab.assumptions.hazards import hazards, period, resolved, switches
from lengthlab.assumptions.roots import INF, Point, zeros
from lengthlab.assumptions.workspace import OutOfTimeError, mp, tick

_START = [Fraction(0), Fraction(1, 4), *(Fraction(2**k) for k in range(7))]
_HALVINGS, _MOST_CELLS = 7, 60


class Search:
    """Visit all points near which `f` may be unbounded.

    Parameters
    ----------
    f : Expression
        The function.
    visit : callable
        ``visit(point)`` looks at `f` near a point, and is True when enough has been seen.

    Attributes
    ----------
    hazards : list of Expression
        Functions at whose zeros alone `f` may be unbounded.
    doubts : list of str
        Why there may be further points.
    """

    def __init__(self, f: Expression, visit: Callable[[Point], bool]) -> None:
        self.f, self.visit = f, visit
        self.period = period(f)
        self.points: set[Point] = {s * p for p in _START for s in (1, -1)}
        self.settled: set[Expression] = set()  # all their zeros are among the points
        self.seen: set[tuple[Expression, bool]] = set()
        self.visited: set[Point] = set()
        self.hazards: list[Expression] = []
        self.doubts: list[str] = []
        self.done = False

    def run(self) -> None:
        """Go through the hazards of `f`, from the inside out."""
        self._visit([Fraction(p) for p in (0, 1, -1)])
        self.hazards = hazards(self.f)
        for g in self.hazards:
            self._go_through(g)

    def _visit(self, points: Iterable[Point]) -> None:
        for point in sorted(set(points) - self.visited, key=real):
            self.visited.add(point)
            self.done = self.visit(point) or self.done

    def _go_through(self, g: Expression) -> None:
        """Visit the zeros of a hazard, once the switches inside it are settled."""
        if self.done or (g, True) in self.seen:
            return
        self.seen.add((g, True))
        for s in switches(g):
            if (s, False) not in self.seen and s not in self.settled:
                self.seen.add((s, False))
                for h in hazards(s, everything=True):
                    self._go_through(h)
                self._scan(s)
        self.doubts += self._scan(g)

    def _scan(self, g: Expression) -> list[str]:
        """Visit all zeros of `g` and add them to the points; give reasons why more may exist."""
        found, doubts, cells = set(), [], [(*cell, 0) for cell in self._cells(g)]
        while cells and not self.done:
            tick()
            a, b, level = cells.pop(0)
            try:
                here = self._zeros_in(g, a, b)
                self._visit(here)
                found.update(here)
            except OutOfTimeError:
                raise
            except UndecidedError as why:
                if level < _HALVINGS and len(cells) < _MOST_CELLS:
                    middle = _inside(a, b)
                    cells += [(a, middle, level + 1), (middle, b, level + 1)]
                else:
                    doubts.append((a, b, str(why)))
        self.points |= found
        if period(g) and not self.period and found:
            doubts.append((-INF, INF, f"{g} has infinitely many zeros"))
        if not doubts:
            self.settled.add(g)
        return [why for a, b, why in doubts if not self._bounded_between(a, b)]

    def _cells(self, g: Expression) -> list[tuple[Point, Point]]:
        """Intervals between the points: of the whole line, or of a period to each side."""
        turns = self.period or period(g)
        end = Fraction(math.ceil(turns * Fraction(63, 10))) if turns else INF
        inner = [p for p in self.points if -end < real(p) < end]
        ends = [-end, *sorted(inner, key=real), end]
        return list(itertools.pairwise(ends))

    def _zeros_in(self, g: Expression, a: Point, b: Point) -> list[Point]:
        branch = resolved(g, _middle(a, b), self.settled)
        if branch == ZERO:
            return []
        smooth = set(switches(g)) <= self.settled
        found = zeros(branch, a, b) if smooth else zeros(branch, a, b, 0)
        return [z for z in found if abs(z) != INF]

    def _bounded_between(self, a: Point, b: Point) -> bool:
        if INF in (abs(a), abs(b)):
            return False
        branch = resolved(self.f, _middle(a, b), self.settled)
        bounds = enclose(branch, below(float(a)), above(float(b)))
        return bounds is None or max(map(abs, bounds)) < INF


def _middle(a: Point, b: Point) -> Real:
    """Give a point inside [a, b] where nothing special is likely to be."""
    if a == -INF:
        a = min(-128, 2 * real(b)) if b != INF else mp().mpf(-128)
    if b == INF:
        b = max(128, 2 * real(a))
    return real(a) * mp().mpf("0.5183") + real(b) * mp().mpf("0.4817")


def _inside(a: Point, b: Point) -> Fraction:
    """Give a fraction that cuts [a, b]."""
    if a == -INF:
        return Fraction(math.floor(real(b))) * 16 - 100
    if b == INF:
        return Fraction(math.ceil(real(a))) * 16 + 100
    return (Fraction(float(a)) + Fraction(float(b))) / 2
