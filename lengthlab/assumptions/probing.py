"""What values alone tell of a plain Python function: suspicions, never certainty."""

import math
import time
from dataclasses import dataclass

import numpy as np

from lengthlab.activations import Activation, Array
from lengthlab.assumptions.report import Assessment, Assumption, Evidence, Singularity

MEASURABLE = Assumption(
    True,
    "phi is a program: on floats, of which there are finitely many, every function is measurable, "
    "and no program can hold one that is not.",
)
_REACH, _GRID, _PEAKS = 50.0, 8001, 12
_LOCATE, _ZOOM = 15, 8.0
_SHELLS = 0.1 * _ZOOM ** -np.arange(11.0)[:, None] * np.geomspace(1 / _ZOOM, 1, 24)
_FAR = 2.0 ** np.arange(-1, 31, 0.25)
_RESTS = "this rests on probing phi at some points, and is not certain"


def probe(phi: Activation, seconds: float) -> Assessment:
    """Assess a plain Python function from its values."""
    clock = _Clock(phi, time.monotonic() + seconds, seconds)
    bounded, poles = _boundedness(clock)
    growth, constant = _growth(clock)
    critical = _critical_variance(bounded.holds, constant, poles)
    return Assessment(bounded, growth, MEASURABLE, False, critical, constant, poles)


class _OutOfTimeError(Exception):
    pass


@dataclass(frozen=True)
class _Clock:
    """|phi|, asked only until the deadline."""

    phi: Activation
    deadline: float
    seconds: float

    def size(self, x: Array) -> Array:
        if time.monotonic() > self.deadline:
            raise _OutOfTimeError
        return np.abs(self.phi(x))

    @property
    def late(self) -> Assumption:
        return Assumption(None, f"Not decided within {self.seconds:g} s: phi is slow to compute.")


# --- boundedness ----------------------------------------------------------------------------------


def _boundedness(clock: _Clock) -> tuple[Assumption, tuple[Singularity, ...]]:
    phi = clock.phi
    if phi.poles:
        where = ", ".join(f"{pole.location:.6g}" for pole in phi.poles)
        poles = tuple(Singularity(p.location, side, p.order) for p in phi.poles for side in (-1, 1))
        return Assumption(False, f"phi is declared to be unbounded near {where}."), poles
    try:
        looks = [_look(clock, x, side) for x in _suspects(clock) for side in (-1, 1)]
    except _OutOfTimeError:
        return clock.late, ()
    found = sorted((look for look in looks if look.pole), key=lambda look: abs(look.x))
    if found:
        nearest = found[0]
        poles = tuple(sorted((look.pole for look in found if look.pole), key=lambda p: p.location))
        reason = f"|phi| keeps growing near x = {nearest.x:.6g}; {_RESTS}."
        return Assumption(False, reason, nearest.evidence), poles
    for look in looks:
        if look.doubtful:
            reason = f"near x = {look.x:.6g}, |phi| grows too slowly to tell whether it ends"
            return Assumption(None, f"Not decided: {reason}; {_RESTS}.", look.evidence), ()
    highest = max((look.evidence[-1] for look in looks if look.evidence), key=lambda e: e.value)
    reason = f"No point was seen near which |phi| keeps growing; {_RESTS}."
    return Assumption(True, reason, (highest,)), ()


def _suspects(clock: _Clock) -> list[float]:
    """0, the declared kinks, and where |phi| peaks."""
    x = np.linspace(-_REACH, _REACH, _GRID)
    sizes = np.nan_to_num(clock.size(x), nan=-1.0, posinf=np.inf)
    left, here, right = sizes[:-2], sizes[1:-1], sizes[2:]
    peaks = np.flatnonzero(
        (here >= left) & (here >= right) & (here > 0) & (np.maximum(left, right) < np.inf)
    )
    order = np.argsort(-here[peaks], kind="stable")[:_PEAKS]
    located = [_located(clock, float(x[k + 1]), float(x[1] - x[0])) for k in peaks[order]]
    return list(dict.fromkeys([0.0, *clock.phi.kinks, *located]))


def _located(clock: _Clock, x: float, width: float) -> float:
    """Follow the largest |phi| around x through ever smaller windows."""
    for _ in range(_LOCATE):
        points = x + width * np.linspace(-1, 1, 65)
        sizes = np.nan_to_num(clock.size(points), nan=-1.0, posinf=np.inf)
        x, width = float(points[sizes.argmax()]), width / _ZOOM
    return x


@dataclass(frozen=True)
class _Look:
    """What approaching a point from one side has shown."""

    x: float
    evidence: tuple[Evidence, ...] = ()
    pole: Singularity | None = None
    doubtful: bool = False


def _look(clock: _Clock, x: float, side: int) -> _Look:
    """Follow the largest |phi| through ever smaller distances from x.

    Its rises from one to the next grow for a pole of any order, stay equal for a logarithm, and
    shrink where phi is bounded.
    """
    points = x + side * _SHELLS * max(1.0, abs(x))
    sizes = np.nan_to_num(clock.size(points), nan=-1.0, posinf=np.inf)
    heights, best = sizes.max(axis=1), sizes.argmax(axis=1)
    evidence = tuple(
        Evidence("|phi(x)|", float(points[k, best[k]]), float(h))
        for k, h in enumerate(heights)
        if 0 <= h < math.inf
    )
    if np.isinf(heights).any():
        full = bool(np.isinf(heights[-1]) and np.isfinite(heights).any())
        return _Look(x, evidence, Singularity(x, side, math.inf) if full else None)
    rises = np.diff(heights)
    if heights[-1] < 0 or (rises[-6:] <= 1e-9 * abs(heights[-6:])).any():
        return _Look(x, evidence)
    ratio = float((rises[-1] / rises[-6]) ** (1 / 5))
    if ratio < 0.98:
        return _Look(x, evidence, doubtful=ratio > 0.7)
    order = math.log(ratio) / math.log(_ZOOM)
    order = round(order, 2) if order > 0.01 else 0.0
    return _Look(x, evidence, Singularity(x, side, order, 0.0 if order else 1.0))


# --- growth ---------------------------------------------------------------------------------------


def _growth(clock: _Clock) -> tuple[Assumption, float | None]:
    declared = clock.phi.growth
    if declared is not None:
        rate = max(float(declared), 0.0)
        reason = f"log|phi(x)| / x^2 is declared to tend to {rate:.6g}, at most, as |x| grows."
        return Assumption(rate == 0, reason), rate
    try:
        sides = [_growth_on(clock, side) for side in (1.0, -1.0)]
    except _OutOfTimeError:
        return clock.late, None
    rates = [rate for rate, _ in sides]
    evidence = (
        sides[0][1] if rates[0] is None or (rates[0] > 0 and rates[1] is not None) else sides[1][1]
    )
    if None in rates and not any(rates):
        reason = f"Not decided: log|phi(x)| grows nearly like x^2; {_RESTS}."
        return Assumption(None, reason, evidence), None
    constant = None if None in rates else max(rate for rate in rates if rate is not None)
    if any(rates):
        last = next(e for rate, e in sides if rate)[-1]
        reason = f"log|phi(x)| / x^2 is still {last.value:.4g} at x = {last.x:.6g}; {_RESTS}."
        return Assumption(False, reason, evidence), constant
    reason = f"log|phi(x)| / x^2 falls towards 0 as far as phi was computed; {_RESTS}."
    return Assumption(True, reason, (*sides[1][1], *sides[0][1])), constant


def _growth_on(clock: _Clock, side: float) -> tuple[float | None, tuple[Evidence, ...]]:
    """limsup log|phi| / x^2 on one side, from the power of x that log|phi| grows like."""
    windows = side * _FAR[:, None] * (1 + np.linspace(0, 0.18, 16))
    sizes = clock.size(windows)
    ends = ~np.isfinite(sizes)  # an overflow, or no value
    sizes = np.where(ends, 0.0, sizes)
    seen = np.flatnonzero(sizes.max(axis=1) > math.e)
    best = sizes.argmax(axis=1)
    found = [(abs(float(windows[k, best[k]])), math.log(sizes[k, best[k]])) for k in seen]
    evidence = tuple(Evidence("log|phi(x)| / x^2", side * x, log / x**2) for x, log in found[-4:])
    ended = len(seen) > 0 and bool(ends[-1].all()) and found[-1][1] > 50
    if not found or (not ended and found[-1][1] < 20):
        return 0.0, evidence
    if len(found) < 3:
        return None, evidence
    (x0, low), (x1, high) = found[max(-9, -len(found))], found[-1]
    p = math.log(high / low) / math.log(x1 / x0) if x1 > x0 else math.inf
    if p < 1.9:
        return 0.0, evidence
    if p < 1.97:
        return None, evidence
    return (high / x1**2 if p < 2.05 else math.inf), evidence


def _critical_variance(
    bounded: bool | None, constant: float | None, poles: tuple[Singularity, ...]
) -> float | None:
    if constant == math.inf or any(pole.order > 0.55 for pole in poles):
        return 0.0
    if constant is None or bounded is None or any(pole.order > 0.45 for pole in poles):
        return None
    return 1 / (4 * constant) if constant > 0 else math.inf
