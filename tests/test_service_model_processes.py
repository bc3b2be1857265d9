"""The kernel that lets the model's processes go on beside each other."""

from __future__ import annotations

from models.chat_service.processes import Gate, Place, Places, Processes, Steps, Until, Word
from models.session_manager.clock import Clock


class Told:
    """A kernel, its clock, and what its processes tell."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.processes = Processes(self.clock)
        self.said: list[str] = []

    def sleeper(self, name: str, until_s: float) -> Steps:
        yield Until(until_s)
        self.said.append(name)

    def holder(self, name: str, places: Places, held_until_s: float) -> Steps:
        """Take a place, or give up after ten seconds; keep it until then."""
        if not (yield Place(places, self.clock.now_s + 10)):
            self.said.append(f"{name} gave up")
            return
        try:
            self.said.append(name)
            yield Until(held_until_s)
        finally:
            self.processes.give_back(places)

    def go_to(self, second: float) -> None:
        self.clock.now_s = second
        self.processes.wake()
        self.processes.run()


def test_wakes_in_the_order_in_which_the_waits_began() -> None:
    """
    Of those that wait for one second the first to wait is the first to go on.
    """
    told = Told()
    told.processes.start(told.sleeper("one", 5))
    told.processes.start(told.sleeper("two", 5))
    told.processes.start(told.sleeper("later", 6))
    told.processes.run()

    assert told.processes.next_s() == 5
    told.go_to(5)
    assert told.said == ["one", "two"]
    assert told.processes.next_s() == 6


def test_what_is_past_is_not_waited_for() -> None:
    """
    A wait that is over as it begins is none.
    """
    told = Told()
    told.processes.start(told.sleeper("one", 0))

    assert told.processes.run()
    assert told.said == ["one"]
    assert not told.processes.run()


def test_serves_who_came_first() -> None:
    """
    A place that is given back goes to the first in the line.
    """
    told = Told()
    places = Places(1)
    for name in ("one", "two", "three"):
        told.processes.start(told.holder(name, places, 5))
    told.processes.run()
    told.go_to(5)

    assert told.said == ["one", "two", "three"]
    assert places.taken == 0


def test_hands_no_place_to_one_who_is_due() -> None:
    """
    A wait that ends at the very second at which a place comes free has been in vain.
    """
    told = Told()
    places = Places(1)
    holder = told.processes.start(told.holder("one", places, 20))
    told.processes.start(told.holder("two", places, 20))
    told.processes.run()
    told.clock.now_s = 10
    told.processes.end(holder)
    told.go_to(10)

    assert told.said == ["one", "two gave up"]
    assert places.taken == 0


def test_cancelled_one_gives_back_its_place() -> None:
    """
    Whether it holds one, waits for one, or was handed one and has not gone on yet.
    """
    told = Told()
    places = Places(1)
    one, two, three = (
        told.processes.start(told.holder(name, places, 5)) for name in ("one", "two", "three")
    )
    told.processes.run()
    told.processes.end(three)
    told.processes.end(one)

    assert places.taken == 1
    told.processes.end(two)
    assert places.taken == 0
    assert not told.processes.run()


def passer(told: Told, name: str, key: tuple[str, str] | None = None) -> Steps:
    yield Gate(key)
    told.said.append(name)


def test_a_gate_is_a_moment_of_its_own_where_operations_overlap() -> None:
    """
    Who waits at one goes on when it is let pass, in whatever order; a gate that is shut is none
    that can be passed, and who belongs to no step waits at none.
    """
    told = Told()
    told.processes.gated = True
    told.processes.start(passer(told, "one"), 1)
    told.processes.start(passer(told, "two", ("ana", "t")), 2)
    told.processes.start(passer(told, "by itself"))
    told.processes.run()
    assert told.said == ["by itself"]

    told.processes.shut.append(("ana", "t"))
    assert told.processes.at_gates() == [1]
    told.processes.shut.clear()
    assert told.processes.at_gates() == [1, 2]
    told.processes.pass_gate(2)
    told.processes.run()
    assert told.said == ["by itself", "two"]


def test_a_gate_is_nothing_where_operations_do_not_overlap() -> None:
    """
    Then all is done at once.
    """
    told = Told()
    told.processes.start(passer(told, "one"), 1)
    told.processes.run()
    assert told.said == ["one"]


def test_who_waits_for_a_word_hears_that_word_alone() -> None:
    """
    Or goes on when it has waited for long enough.
    """
    told = Told()

    def listener(word: str) -> Steps:
        yield Word(word, 5)
        told.said.append(word)

    told.processes.start(listener("hello"))
    told.processes.start(listener("goodbye"))
    told.processes.run()
    told.processes.say("goodbye")
    told.processes.run()
    assert told.said == ["goodbye"]
    told.go_to(5)
    assert told.said == ["goodbye", "hello"]
