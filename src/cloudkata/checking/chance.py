"""What chance does to counts: which counts of a draw still fit a share, and how often another share passes for it."""

from __future__ import annotations

import math


def likelihood(calls: int, share: float, counts: range) -> float:
    """The chance, exactly, that one of `counts` of `calls` independent draws with `share` hit."""
    return math.fsum(math.comb(calls, k) * share**k * (1 - share) ** (calls - k) for k in counts)


def fitting(calls: int, share: float, alarm: float) -> range:
    """The counts that fit `share`: the chance of one below them is `alarm` / 2 at most, and so is that of one above."""
    low, high = 0, calls
    while likelihood(calls, share, range(low + 1)) <= alarm / 2:
        low += 1
    while likelihood(calls, share, range(high, calls + 1)) <= alarm / 2:
        high -= 1
    return range(low, high + 1)
