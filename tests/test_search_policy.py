"""Tests of policies and drawers: which rule comes next, and with which values."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from threadline.pool import Now, Pool, pool
from threadline.rule import Rule, make_rule
from threadline.search.policy import SHARES, Drawer, choices

from tests.toys.desk import Desk

KINDS = Desk.kinds()


press = make_rule("press", KINDS["press"], {"key": pool(1, True, 2)})
press_below = make_rule(
    "press_below", KINDS["press"], {"key": Pool(lambda now: list(range(now.step)))}
)
ring = make_rule("ring", KINDS["ring"], {}, when=lambda now: now.step > 1)


def drawn(of: Rule, *, step: int = 1, times: int = 100) -> list[str]:
    drawer, random = Drawer(of), Random(0)
    return [str(drawer.draw(Now(None, step), random.random)) for _ in range(times)]


def chosen(search_policy: str, *, seed: int = 0) -> Counter[str]:
    """Return how often each of four rules is the first to be tried in 400 steps."""
    drawers = [Drawer(make_rule(name, KINDS["ring"], {})) for name in "abcd"]
    random = Random(seed)
    choose = choices(search_policy, drawers, random)
    found: Counter[str] = Counter()
    for _ in range(400):
        first = next(iter(choose()))
        first.draw(Now(None), random.random)
        first.used += 1
        found[first.rule.name] += 1
    return found


def test_draws_every_value() -> None:
    """1 and True are two values, though Python calls them equal, and both are drawn."""
    assert set(drawn(press)) == {"press(key=1)", "press(key=True)", "press(key=2)"}


def test_draws_from_what_is_now() -> None:
    """A pool that changes is drawn from as it is at this step."""
    assert set(drawn(press_below, step=2)) == {"press(key=0)", "press(key=1)"}


def test_draws_nothing_from_an_empty_pool() -> None:
    """A rule whose pool is empty cannot fire."""
    assert set(drawn(press_below, step=0)) == {"None"}


@pytest.mark.parametrize(("step", "drawing"), [(1, "None"), (2, "ring()")])
def test_draws_nothing_against_a_precondition(step: int, drawing: str) -> None:
    """A rule whose precondition does not hold cannot fire."""
    assert set(drawn(ring, step=step)) == {drawing}


def test_makes_an_operation_of_constants_once() -> None:
    """The same draw gives the same object, whose line in a trace is made already."""
    drawer = Drawer(ring)

    assert drawer.draw(Now(None, 2), lambda: 0) is drawer.draw(Now(None, 2), lambda: 0)


def test_counts_what_it_draws() -> None:
    """A draw that is refused does not count as a use of the rule."""
    drawer = Drawer(ring)
    drawer.draw(Now(None, 1), lambda: 0)
    drawer.draw(Now(None, 2), lambda: 0)

    assert drawer.drawn == 1


def test_shares_runs_out_in_full() -> None:
    """The shares of the policies are per cent."""
    assert sum(SHARES.values()) == 100


def test_uniform_chooses_all_alike() -> None:
    """Each of four rules has about a quarter of 400 steps."""
    assert chosen("uniform") == {"a": 90, "b": 103, "c": 103, "d": 104}


def test_least_used_chooses_in_turn() -> None:
    """No rule is chosen twice more than another."""
    assert chosen("least-used") == {"a": 100, "b": 100, "c": 100, "d": 100}


def test_least_used_offers_the_others_too() -> None:
    """Where the least used rule cannot fire, the next one is tried."""
    drawers = [Drawer(ring), Drawer(press)]

    assert len(list(choices("least-used", drawers, Random(0))())) == 2


def test_swarm_leaves_rules_out() -> None:
    """A swarm run keeps each rule with even chances."""
    assert chosen("swarm").keys() == {"c", "d"}


def test_swarm_keeps_some_rule() -> None:
    """A swarm run whose draws would leave out every rule keeps them all."""
    assert chosen("swarm", seed=5).keys() == {"a", "b", "c", "d"}


def test_weights_prefer_some_rules() -> None:
    """A weighted run chooses some rule several times as often as another, and none never."""
    assert chosen("weights") == {"a": 167, "b": 135, "c": 63, "d": 35}
