"""Closed forms of E phi(sqrt(q) Z)^2 that the package does not use: a second way for the tests."""

import math

from scipy.special import erf, erfcx


def gelu(q):
    """From E Z^2 Phi(a Z)^2, differentiating Owen's integral twice."""
    root = math.sqrt(1 + 2 * q)
    angle = math.atan(q / root)  # asin(q / (1 + q)), which is worse for large q
    return q / 4 + q / (2 * math.pi) * (angle + 2 * q / ((1 + q) * root))


def elu(q, scale=1.0, alpha=1.0):
    """Half a second moment, and E (e^U - 1)^2 over U < 0 by completing squares."""
    s = math.sqrt(q)
    left = (erfcx(2 * s / math.sqrt(2)) - 2 * erfcx(s / math.sqrt(2)) + 1) / 2
    return scale**2 * (q / 2 + alpha**2 * left)


def selu(q):
    return elu(q, 1.0507009873554804934, 1.6732632423543772848)


def hardtanh(q):
    """E min(U^2, 1), by parts."""
    s = math.sqrt(q)
    inside = erf(1 / (s * math.sqrt(2)))
    return 1 + (q - 1) * inside - s * math.sqrt(2 / math.pi) * math.exp(-1 / (2 * q))
