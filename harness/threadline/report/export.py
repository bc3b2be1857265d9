"""A failing trace as a pytest test: plain calls on the driver, without model and engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..clocked import take_back
from ..driver import Driver, end
from ..failure import Failure
from ..handle import Handle
from ..lifecycle import CLOSE, START
from ..loading import Target, load
from ..lockstep.handed import handed
from ..operation import atoms_in, handles_in, map_atoms
from ..outcome import Hung, Ok, Refuse, Refused
from ..printable import printable, quoted
from .literal import NoSource, Source, variable
from .watched import TOLD, Path, Played, Watched

EXACT = '''
def exact(value: Any) -> Any:
    """Return a value with the types of its items: 1 is not True. A tuple is the same as a list."""
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {(type(key), key): exact(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return type(value), {(type(item), item) for item in value}
    return type(value), value
'''
DONE = '''
def done(driver: Any, work: Any = None) -> Any:
    """Return what a call comes to on the driver's loop, and do all that is ready beside it."""

    async def awaited() -> Any:
        return await work

    try:
        return driver.pump.call(awaited()) if inspect.isawaitable(work) else work
    finally:
        driver.pump.settle()
        if driver.pump.has_failed_task():
            gc.collect()  # so that asyncio tells of it
        assert not driver.pump.errors, "a task or a callback has failed"
'''
TOLD_TEXT = '''
def told(driver: Any) -> dict[Any, list[Any]]:
    """Return what was told since this was asked last, by whom it was told to."""
    heard, driver._told = driver._told or {}, None
    return heard
'''
ANSWER = '''
def answer(returned: Any) -> Any:
    """Return the value of an outcome, where a driver returns outcomes."""
    return returned.value if isinstance(returned, Ok) else returned
'''
REASON = '''
def refused_for(driver: Any, call: Any) -> str | None:
    """Return the reason for which a call is refused; None if it is not."""
    try:
        returned = call()
    except Refuse as refusal:
        return refusal.reason
    except tuple(driver.refuses) as error:
        why = next(why for kind, why in driver.refuses.items() if isinstance(error, kind))
        return why if isinstance(why, str) else why(error)
    return returned.reason if isinstance(returned, Refused) else None
'''
TIME_LIMIT = '''
@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in a call that takes longer."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
'''
REPLAYED = '''\
"""A failure of operations at once: python -m pytest, where the driver is imported from."""

# Made by threadline export of {trace}:
# {signature}.
# It replays that trace, which stays beside this file: plain calls would come one after another.

import subprocess
import sys
from pathlib import Path

TRACE = Path(__file__).with_name({file!r})


def test_{name}() -> None:
    command = [sys.executable, "-m", "threadline", "replay", str(TRACE){more}]
    replay = subprocess.run(command, capture_output=True, text=True, check=False)
    assert replay.returncode == 0, replay.stdout + replay.stderr
'''
AGREES = "it does not fail: there is nothing to export"
COMMENT_MAX = 80  # characters of a side, which the assertion says in full
FORGETS = "told(driver)  # forgets what was told before"
NEEDS = {
    EXACT: {"typing": "Any"},
    DONE: {"typing": "Any", "import": "gc inspect"},
    TOLD_TEXT: {"typing": "Any"},
    ANSWER: {"typing": "Any", "threadline": "Ok"},
    REASON: {"typing": "Any", "threadline": "Refuse Refused"},
    TIME_LIMIT: {
        "collections.abc": "Iterator",
        "contextlib": "contextmanager",
        "import": "signal",
    },
}


def exported(seen: Watched, target: Target, trace: str, *, changes: bool = False) -> str:
    """Return a pytest file that fails on a target as a trace did, and passes once it is fixed.

    `seen` is what playing the trace came to, `trace` the file to name; `changes` says that it only
    fails where its caller changes what is returned. Raises NoSource for a failure that plain calls
    cannot show.
    """
    if seen.failure is None:
        raise NoSource(AGREES)
    return _Test(seen, target, seen.failure, changes).file(trace)


def replaying(failure: Failure | None, trace: str, driver: str) -> str:
    """Return a pytest file that fails as long as the trace beside it does, on the driver given.

    `driver` is "" where the trace leads to it. Raises NoSource where nothing fails.
    """
    if failure is None:
        raise NoSource(AGREES)
    more = f", {'--driver'!r}, {driver!r}" if driver else ""
    signature = str(failure.signature)
    return REPLAYED.format(
        trace=printable(trace),
        file=trace,
        signature=printable(signature),
        name=_name(signature),
        more=more,
    )


def _name(signature: str) -> str:
    return re.sub(r"\W+", "_", signature, flags=re.ASCII)


@dataclass(slots=True)
class _Test:
    seen: Watched
    target: Target
    failure: Failure
    changes: bool
    source: Source = field(default_factory=Source)
    functions: dict[str, None] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)

    def file(self, trace: str) -> str:
        name = _name(str(self.failure.signature))
        body = self._body()
        started = f"{self._started()}.start()\n    " if self._starts() else ""
        ending = [f"{self.source.type_of(end)}(driver)"]
        if self.target.driver.clocked:
            ending.append(f"{self.source.type_of(take_back)}()")
        block = "\n".join(f"        {line}" for part in body for line in part.split("\n"))
        test = (
            f"def test_{name}() -> None:\n"
            f"    {started}driver = {self._made()}\n    try:\n{block}\n    finally:\n"
            + "\n".join(f"        {line}" for line in ending)
        )
        return "\n".join((self._head(trace), *self.functions, f"\n{test}\n"))

    def _head(self, trace: str) -> str:
        for text in self.functions:
            for module, names in NEEDS[text].items():
                if module == "import":
                    self.modules.update(names.split())
                else:
                    self.source.imports.setdefault(module, set()).update(names.split())
        imports = [*(f"import {name}" for name in sorted(self.modules)), *self.source.lines()]
        lines = [
            '"""A failure as plain calls: python -m pytest, where the driver is imported from."""',
            "",
            f"# Made by threadline export of {printable(trace)}:",
            f"# {printable(str(self.failure.signature))}.",
            "",
            *imports,
        ]
        return "\n".join(lines) + "\n"

    def _driver(self) -> str:
        module, _, name = self.target.name.rpartition(":")
        try:
            return self.source.named(self.target.make, module, name)
        except NoSource:
            return f"{self.source.type_of(load)}({self.target.name!r})"

    def _made(self) -> str:
        takes = self.target._takes
        settings = self.failure.settings.items()
        given = {name: value for name, value in settings if takes is None or name in takes}
        words = [f"{name}={self.source.text(value)}" for name, value in given.items()]
        inside = ", ".join(words)
        if len(inside) > 60:
            inside = "".join(f"\n        {word}," for word in words) + "\n    "
        return f"{self._driver()}({inside})"

    def _starts(self) -> bool:
        own: Any = self.target.driver.start
        shared: Any = Driver.start
        return own.__func__ is not shared.__func__

    def _started(self) -> str:
        if isinstance(self.target.make, type):
            return self._driver()
        if getattr(self.target.make, "driver", None) is self.target.driver:
            return f"{self._driver()}.driver"
        return self.source.type_of(self.target.driver)

    def _body(self) -> list[str]:
        """Return the lines of the test, between the driver's making and its end."""
        call = self.failure.step.operation
        if call is START:
            return ["pass  # to make the driver fails"]
        if self.failure.is_after_run:
            raise NoSource("a leak is no single answer; use threadline leaks")
        *before, last = [*self.seen.steps, None] if call is CLOSE else self.seen.steps
        needed = self._needed(last)
        lines = [line for step in before if step for line in self._step(step, needed)]
        if last is None:
            return [*lines, "pass  # the driver's close() fails"]
        return [*lines, *self._last(last)]

    def _needed(self, last: Played | None) -> set[Handle]:
        needed = {h for step in self.seen.steps for h in step.operation.handles()}
        if last is None:
            return needed
        wanted = self._wanted(last)
        needed |= set(handles_in(wanted))
        kinds = {handle.kind for handle in last.fresh if handle not in self.seen.real}
        places = {h: path for step in self.seen.steps for h, path in step.fresh.items()}
        needed |= {handle for handle in places if handle.kind in kinds}
        while more := {h for n in needed & {*places} for h in handles_in(places[n])} - needed:
            needed |= more  # which keys lead to those
        return needed

    def _wanted(self, last: Played) -> list[object]:
        """Return what the model expects of the last step, and of what is held after it."""
        expected = last.expected
        wanted: list[object] = [expected.value if isinstance(expected, Ok) else None]
        if isinstance(expected, (Ok, Refused)) and expected.told:
            wanted.append(dict(expected.told))
        if (part := self._part()) is not None:
            wanted.append(self.seen.census[part])
        return wanted

    def _part(self) -> str | None:
        of = self.failure.disagreement.of
        return of.removeprefix("census ") if of.startswith("census ") else None

    def _call(self, step: Played) -> str:
        arguments = ", ".join(map(self.source.text, step.operation.arguments().values()))
        call = f"driver.{step.operation.kind}({arguments})"
        if not self.seen.is_pumped:
            return call
        self.functions[DONE] = None
        return f"done(driver, {call})"

    def _step(self, step: Played, needed: set[Handle]) -> Iterator[str]:
        """Yield the lines of a step that both sides agree on."""
        fresh = {h: path for h, path in step.fresh.items() if h in needed and h in self.seen.real}
        in_value = {handle: path for handle, path in fresh.items() if path[:1] != (TOLD,)}
        in_told = {handle: path[1:] for handle, path in fresh.items() if path[:1] == (TOLD,)}
        if in_told:
            self.functions[TOLD_TEXT] = None
            yield FORGETS
        call = self._call(step)
        if self.changes:
            call = f"{self.source.type_of(handed)}({call})"
        if step.call.raised is not None or not step.agrees:
            yield f"with {self._raising(step)}:\n    {call}"
            if self.seen.is_pumped:
                yield "done(driver)"
        elif not in_value:
            yield call
        else:
            yield from self._taken(call, in_value, step)
        if in_told:
            yield from self._heard(in_told)

    def _heard(self, fresh: Mapping[Handle, Path]) -> Iterator[str]:
        """Yield the lines that take the ids from what was told."""
        yield "heard = told(driver)"
        yield from (f"{variable(h)} = heard{self._place(path)}" for h, path in fresh.items())

    def _raising(self, step: Played) -> str:
        error = step.call.raised
        if error is None or not step.agrees:
            self.source.imports.setdefault("contextlib", set()).add("suppress")
            return "suppress(Exception)"
        self.modules.add("pytest")
        kinds: list[type[BaseException]] = [Refuse, *self.target.driver.refuses, Exception]
        for kind in kinds:
            if isinstance(error, kind):
                try:
                    return f"pytest.raises({self.source.type_of(kind)})"
                except NoSource:
                    continue
        return "pytest.raises(BaseException)"

    def _taken(self, call: str, fresh: Mapping[Handle, Path], step: Played) -> Iterator[str]:
        """Yield the lines that take the ids from what a call returns."""
        call = self._answer(call, step)
        if list(fresh.values()) == [()]:
            yield f"{variable(next(iter(fresh)))} = {call}"
            return
        yield f"shown = {call}"
        for handle, path in fresh.items():
            yield f"{variable(handle)} = shown{self._place(path)}"

    def _place(self, path: Path) -> str:
        return "".join(f"[{self.source.text(key)}]" for key in path)

    def _answer(self, call: str, step: Played) -> str:
        if not (isinstance(step.call.returned, (Ok, Refused)) or self._mentions(step, "Ok")):
            return call
        self.functions[ANSWER] = None
        return f"answer({call})"

    def _mentions(self, step: Played, *names: str) -> bool:
        """Return whether the driver's method for an operation uses one of these names."""
        method: Any = getattr(self.target.driver, step.operation.kind, None)
        code = getattr(getattr(method, "__wrapped__", method), "__code__", None)
        return code is not None and not set(names).isdisjoint(code.co_names)

    def _last(self, step: Played) -> list[str]:
        """Return the lines of the step that failed, held to what the model expects."""
        of = self.failure.disagreement.of
        if of.startswith("invariant"):
            raise NoSource(f"{quoted(of)} needs the model beside the system; use threadline replay")
        lines = [*self._comments()]
        hears = of == "outcome" and self._hears()
        if hears:
            self.functions[TOLD_TEXT] = None
            lines.append(FORGETS)
        if (part := self._part()) is not None:
            held = self.seen.census[part]
            lines += ["driver.discard_notes()  # of the steps before"]
            lines += self._step(step, {*handles_in(held)})
            return [*lines, *self._compared(f"driver.census()[{part!r}]", held)]
        if of != "outcome":
            raise NoSource(f"{quoted(of)} cannot be asserted plainly; use threadline replay")
        lines += self._outcome(step)
        if hears:
            expected: Any = step.expected
            fresh = {h: path[1:] for h, path in step.fresh.items() if path[:1] == (TOLD,)}
            lines += self._heard(fresh)
            lines += [line for handle in fresh for line in self._new(handle)]
            lines += self._compared("heard", dict(expected.told or {}))
        return self._limited(lines)

    def _comments(self) -> Iterator[str]:
        if self.failure.disagreement.of == "outcome":
            yield f"# model: {quoted(str(self.failure.disagreement.expected))[:COMMENT_MAX]}"
            yield f"# system: {quoted(str(self.failure.disagreement.actual))[:COMMENT_MAX]}"

    def _limited(self, lines: list[str]) -> list[str]:
        """Return the lines under a time limit, where it was a call that did not come back."""
        actual = self.failure.disagreement.actual
        match = re.fullmatch(r"(\d+) s", actual.limit) if isinstance(actual, Hung) else None
        if match is None:
            return lines
        self.functions[TIME_LIMIT] = None
        text = "\n".join(lines).replace("\n", "\n    ")
        return [f"with time_limit({match[1]}):\n    {text}"]

    def _hears(self) -> bool:
        sides = (self.failure.disagreement.expected, self.failure.disagreement.actual)
        return any(isinstance(side, (Ok, Refused)) and side.told for side in sides)

    def _outcome(self, step: Played) -> list[str]:
        expected, actual = step.expected, self.failure.disagreement.actual
        call = self._call(step)
        if isinstance(expected, Refused):
            return self._refused(call, step, expected)
        if not isinstance(expected, Ok):
            raise NoSource("the model expects no answer here; use threadline replay")
        warned: tuple[str, ...] = getattr(actual, "warnings", ())
        if warned != expected.warnings and isinstance(actual, Ok):
            raise NoSource("it differs in the warnings that are given; use threadline replay")
        fresh = {h: path for h, path in step.fresh.items() if path[:1] != (TOLD,)}
        if not fresh:
            return self._compared(self._answer(call, step), expected.value, self._returned(step))
        lines = [*self._taken(call, fresh, step)]
        lines += [line for handle in fresh for line in self._new(handle)]
        if type(expected.value) is Handle:
            return lines
        return [*lines, *self._compared("shown", expected.value)]

    def _new(self, handle: Handle) -> Iterator[str]:
        """Yield the assertion that an id is a new one, where it was not."""
        if handle in self.seen.real:
            return
        others = [h for step in self.seen.steps for h in step.fresh if h.kind == handle.kind]
        names = [variable(h) for h in others if h != handle and h in self.seen.real]
        arguments = [s.operation.arguments() for s in self.seen.steps]
        texts = dict.fromkeys(
            repr(atom)
            for each in arguments
            for atom in atoms_in(list(each.values()))
            if type(atom) is str
        )
        yield f"assert {variable(handle)} not in [{', '.join(('None', *names, *texts))}]"

    def _returned(self, step: Played) -> object:
        returned = step.call.returned
        return returned.value if isinstance(returned, Ok) else returned

    def _compared(self, call: str, expected: object, actual: object = ...) -> list[str]:
        """Return the assertion that a call returns a value.

        Plainly where `==` tells it from what the system has returned, lists from tuples too.
        """
        real = map_atoms(expected, self._real)
        try:
            is_plain = actual is not ... and _is_like(real, actual) and real != actual
        except Exception:
            is_plain = False
        text = self.source.text(expected)
        if expected is None:
            return [f"assert {call} is None"]
        if is_plain or _is_scalar(expected):
            if type(expected) is bool:
                return [f"assert {call} is {text}"]
            if is_plain or type(expected) is str:
                return [f"assert {call} == {self.source.text(expected, len(call) + 19)}"]
        self.functions[EXACT] = None
        wide = self.source.text(expected, len(call) + 34)
        return [f"assert exact({call}) == exact({wide})"]

    def _real(self, atom: object) -> object:
        return self.seen.real.get(atom, atom) if type(atom) is Handle else atom

    def _refused(self, call: str, step: Played, expected: Refused) -> list[str]:
        refuses = self.target.driver.refuses
        kinds = [kind for kind, why in refuses.items() if why == expected.reason]
        raised, actual = step.call.raised, self.failure.disagreement.actual
        unsaid = expected.unsaid(actual) if isinstance(actual, Refused) else []
        if unsaid and raised:
            self.modules.add("pytest")
            kind = self.source.type_of(next(kind for kind in refuses if isinstance(raised, kind)))
            return [f"with pytest.raises({kind}, match={re.escape(unsaid[0])!r}):\n    {call}"]
        is_told_apart = len(kinds) == 1 and not (raised and isinstance(raised, kinds[0]))
        if is_told_apart and not self._mentions(step, "Refuse", "Refused"):
            self.modules.add("pytest")
            name = self.source.type_of(kinds[0])
            return [f"with pytest.raises({name}):  # {quoted(expected.reason)}\n    {call}"]
        self.functions[REASON] = None
        return [f"assert refused_for(driver, lambda: {call}) == {expected.reason!r}"]


def _is_scalar(value: object) -> bool:
    return type(value) is Handle or not isinstance(value, (dict, list, tuple, set, frozenset))


def _is_like(expected: object, actual: object) -> bool:
    """Return whether wherever a sequence is expected there is one of the same type."""
    if isinstance(expected, (list, tuple)) and type(expected) is not Handle:
        if type(expected) is not type(actual):
            return False
        assert isinstance(actual, (list, tuple))
        pairs = zip(expected, actual, strict=False)
        rest = expected[len(actual) :]
        return all(_is_like(*pair) for pair in pairs) and all(map(_is_scalar, rest))
    if isinstance(expected, dict):
        is_dict = isinstance(actual, dict)
        return all(
            _is_scalar(item) or (is_dict and key in actual and _is_like(item, actual[key]))  # type: ignore[operator, index]
            for key, item in expected.items()
        )
    return not isinstance(expected, (set, frozenset)) or type(expected) is type(actual)
