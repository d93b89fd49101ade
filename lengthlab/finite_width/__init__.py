"""Width N: laws of the lengths without sampling, to first order in 1 / N and whole.

`first_order` is the band around the length map. The whole law, from the bottom up: `units` is the
quadrature of one unit, `splines` hold a law by a few numbers, `kernel` is the step from one layer
to the next, `scaling` finds where one column of it serves many, `chain` goes through the layers,
`lengths` and `conditional` turn what it carries into laws of q and v, `law` is the interface.
"""

from lengthlab.finite_width.first_order import (
    Band,
    InfiniteSpreadError,
    band,
    band_around,
    length_variance,
)
from lengthlab.finite_width.law import LengthLaw, length_law
from lengthlab.finite_width.units import UnresolvedError

__all__ = [
    "Band",
    "InfiniteSpreadError",
    "LengthLaw",
    "UnresolvedError",
    "band",
    "band_around",
    "length_law",
    "length_variance",
]
