"""What is known of the three assumptions, and what it rests on."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """One number that an answer rests on.

    Attributes
    ----------
    quantity : str
        What was computed: ``"phi(x)"``, ``"limit of phi from the right"``,
        ``"log|phi(x)| / x^2"``, ...
    x : float
        Where; inf for what holds on the whole line.
    value : float
        Its value, rounded to a float.
    """

    quantity: str
    x: float
    value: float


@dataclass(frozen=True)
class Assumption:
    """Whether an assumption holds.

    Attributes
    ----------
    holds : bool or None
        None: not decided.
    reason : str
        One sentence.
    evidence : tuple of Evidence
        Points and numbers, for a table.
    """

    holds: bool | None
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Singularity:
    """A point near which phi is unbounded, from one side.

    ``|phi(x)|`` grows like ``|x - location|^(-order) |log|x - location||^log_order``.

    Attributes
    ----------
    location : float
        The point.
    side : int
        1: from the right; -1: from the left.
    order : float
        Order of the pole: 0 for a logarithm, inf where phi grows faster than every power.
    log_order : float
        Power of the logarithm.
    """

    location: float
    side: int
    order: float
    log_order: float = 0.0

    @property
    def square_integrable(self) -> bool:
        """Whether phi^2 has a finite integral next to the point."""
        return self.order < 0.5 or (self.order == 0.5 and self.log_order < -0.5)


@dataclass(frozen=True)
class Assessment:
    """The three assumptions on phi of Long & Sedghi (2019), each decided or left open.

    Attributes
    ----------
    bounded : Assumption
        phi is bounded on every finite interval.
    growth : Assumption
        ``|phi(x)| <= exp(eps x^2)`` for every eps > 0 and all large |x|.
    measurable : Assumption
        phi is measurable.
    certain : bool
        False where the answers rest on probing a plain Python function.
    critical_variance : float or None
        Supremum of the variances q with ``E phi(sqrt(q) Z)^2`` finite: inf if phi is permissible;
        None if unknown.
    growth_constant : float or None
        ``limsup log|phi(x)| / x^2`` as |x| grows, away from poles, and 0 if that is negative; None
        if unknown.
    poles : tuple of Singularity
        Points near which phi is unbounded, by location; the first ones met where there are many.
    """

    bounded: Assumption
    growth: Assumption
    measurable: Assumption
    certain: bool = True
    critical_variance: float | None = None
    growth_constant: float | None = None
    poles: tuple[Singularity, ...] = ()

    @property
    def permissible(self) -> bool | None:
        """Whether all three assumptions hold; None if that was not decided."""
        holds = [a.holds for a in (self.bounded, self.growth, self.measurable)]
        return False if False in holds else None if None in holds else True


def critical_variance(
    bounded: bool | None,
    growth_constant: float | None,
    poles: tuple[Singularity, ...],
    *,
    all_poles: bool,
) -> float | None:
    """Supremum of the variances q with a finite E phi(sqrt(q) Z)^2, from what is known of phi.

    A pole that is not square integrable makes the mean infinite for every q > 0;
    exp(c x^2) makes it infinite from q = 1 / (4 c) on.
    """
    if growth_constant == math.inf or not all(pole.square_integrable for pole in poles):
        return 0.0
    if growth_constant is None or not (bounded or all_poles):
        return None
    return 1 / (4 * growth_constant) if growth_constant > 0 else math.inf
