"""A bug shape: five operations in one order, of eight that are always possible."""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from hypothesis import stateful
from threadline import Driver, Model, Scenario, operation, rule

STEPS_LEAST = 5


class Buttons:
    """Counts how often a button was pressed, and starts over after one sequence of five."""

    sequence: ClassVar[tuple[int, ...]] = ()

    def __init__(self) -> None:
        self.operations = 0
        self.is_wrong = False
        self._latest: tuple[int, ...] = ()

    def press(self, button: int) -> int:
        self.operations += 1
        self._latest = (*self._latest[-4:], button)
        self.is_wrong = self._latest == self.sequence
        return 0 if self.is_wrong else self.operations


def hide(seed: int) -> None:
    """Choose the sequence of a seed: any five, so that none was picked to suit an engine."""
    Buttons.sequence = tuple(Random(f"sequence/{seed}").choices(range(8), k=STEPS_LEAST))


class ByHand(stateful.RuleBasedStateMachine):
    """The test as a user of Hypothesis writes it, with nothing of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.system = Buttons()
        self.presses = 0

    def press(self, button: int) -> None:
        self.presses += 1
        assert self.system.press(button) == self.presses

    @stateful.rule()
    def press_0(self) -> None:
        self.press(0)

    @stateful.rule()
    def press_1(self) -> None:
        self.press(1)

    @stateful.rule()
    def press_2(self) -> None:
        self.press(2)

    @stateful.rule()
    def press_3(self) -> None:
        self.press(3)

    @stateful.rule()
    def press_4(self) -> None:
        self.press(4)

    @stateful.rule()
    def press_5(self) -> None:
        self.press(5)

    @stateful.rule()
    def press_6(self) -> None:
        self.press(6)

    @stateful.rule()
    def press_7(self) -> None:
        self.press(7)


class ButtonsModel(Model):
    """Counts presses; it cannot see how near the bug a run is."""

    name = "buttons"

    def __init__(self) -> None:
        self._presses = 0

    @operation
    def press(self, button: int) -> int:
        """A button is pressed."""
        self._presses += 1
        return self._presses


class ButtonsDriver(Driver[ButtonsModel]):
    """Presses the buttons of one system."""

    through = "system"

    def __init__(self) -> None:
        self.system = Buttons()


def pressing(button: int) -> Any:
    """Return the rule that presses one button."""
    return rule(ButtonsModel.press, button=button)


class Pressing(Scenario[ButtonsModel], bare=True):
    """Eight rules, one a button, none of which needs anything."""

    press_0, press_1, press_2, press_3 = map(pressing, range(4))
    press_4, press_5, press_6, press_7 = map(pressing, range(4, 8))
