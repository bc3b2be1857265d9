"""Doubling: what goes on growing is told from what stops, in however few cycles."""

from __future__ import annotations

from threadline.leaks.growth import CYCLES_MAX, Suspect, blocks, suspect


def watched(count: list[int], cycles_max: int = CYCLES_MAX) -> Suspect:
    """Return a suspect that had this many entries after 2, 6, 14, 30, ... cycles."""
    seen = suspect((2, count[0]), (6, count[1]), cycles_max)
    played = 6
    for size, now in zip(blocks(6), count[2:], strict=False):
        played += size
        if seen.open:
            seen.see(played, now)
    return seen


def test_the_blocks_double_up_to_4096_cycles() -> None:
    """Each block is twice as long as the one before."""
    assert list(blocks(6)) == [8, 16, 32, 64, 128, 256, 512, 1024, 2048]


def test_what_grows_in_every_block_leaks() -> None:
    """One entry a cycle, to the last."""
    seen = watched([2, 6, 14, 30, 62, 126, 254, 510, 1022, 2046])

    assert (seen.leaks, seen.rate, seen.grown) == (True, 1.0, 2044)


def test_what_grows_in_every_second_cycle_leaks() -> None:
    """Half an entry a cycle is a rate like any other."""
    seen = watched([1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047])

    assert (seen.leaks, seen.rate) == (True, 0.5)


def test_what_stops_is_bounded() -> None:
    """A cache of 64 that takes one a cycle is full in the block that ends after 126."""
    seen = watched([2, 6, 14, 30, 62, 64])

    assert (seen.bounded, seen.leaks, seen.levels[-1]) == (True, False, (126, 64))


def test_a_cache_of_1000_is_no_leak() -> None:
    """It is not full before 1,000 cycles, and is watched for longer."""
    seen = watched([2, 6, 14, 30, 62, 126, 254, 510, 1000, 1000])

    assert (seen.bounded, seen.leaks) == (True, False)


def test_a_cache_of_1000_that_fills_fast_is_no_leak() -> None:
    """Fifty entries a cycle fill it within 30 cycles."""
    seen = watched([100, 300, 700, 1000])

    assert (seen.bounded, seen.leaks) == (True, False)


def test_2000_entries_are_enough_to_call_it_a_leak() -> None:
    """What grows by 100 a cycle need not be watched for 4,096 of them."""
    seen = watched([200, 600, 1400, 3000])

    assert (seen.leaks, seen.levels[-1]) == (True, (30, 3000))


def test_what_slows_down_by_more_than_half_is_bounded() -> None:
    """
    A block with less than half the first rate ends the suspicion; one with half of it does not.
    """
    assert watched([4, 8, 12]).open
    assert watched([4, 8, 11]).bounded
