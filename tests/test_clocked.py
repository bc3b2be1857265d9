"""Tests of virtual time for systems that take no clock: what is replaced, and comes back."""

from __future__ import annotations

import datetime
import pickle
import time
import types
from collections.abc import Iterator
from datetime import UTC, timedelta
from types import ModuleType

import pytest
from pydantic import TypeAdapter
from threadline.clock import VirtualClock
from threadline.clocked import give, take_back

START_S = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
NOW_S, NOW_NS = START_S + 2.5, 1_700_000_002_500_000_000
AT = (2023, 11, 14, 22, 13, 22)
CLOCKS = ("time", "monotonic", "perf_counter")
DAY = datetime.datetime(2024, 2, 29)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    take_back()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def app(source: str) -> ModuleType:
    """Return a module of the system's, made of its source."""
    module = ModuleType("app")
    exec(source, vars(module))
    return module


def given(source: str, clock: VirtualClock) -> ModuleType:
    module = app(source)
    give((module,), clock, clock.advance)
    return module


@pytest.mark.parametrize(
    ("imports", "asked", "answer"),
    [
        *[("import time", f"time.{name}()", NOW_S) for name in CLOCKS],
        *[("import time", f"time.{name}_ns()", NOW_NS) for name in CLOCKS],
        ("import time as t", "t.time()", NOW_S),
        ("from time import time", "time()", NOW_S),
        ("from time import time_ns as ns", "ns()", NOW_NS),
        ("from time import monotonic as m", "m()", NOW_S),
        ("from time import sleep, time", "sleep(60), time()", (None, NOW_S + 60)),
        (
            "import datetime as d",
            "d.datetime.now(d.UTC)",
            datetime.datetime.fromtimestamp(NOW_S, UTC),
        ),
        ("import datetime as d", "d.date.today()", datetime.date.fromtimestamp(NOW_S)),
        ("from datetime import datetime as dt", "dt.now()", datetime.datetime.fromtimestamp(NOW_S)),
        (
            "from datetime import datetime as dt",
            "dt.today()",
            datetime.datetime.fromtimestamp(NOW_S),
        ),
        ("from datetime import date", "date.today()", datetime.date.fromtimestamp(NOW_S)),
        (
            "from datetime import datetime, timedelta, timezone",
            "datetime.now(tz=timezone(timedelta(hours=2))).isoformat()",
            "2023-11-15T00:13:22.500000+02:00",
        ),
        # Without a DeprecationWarning, which would be an error here.
        ("from datetime import datetime", "datetime.utcnow()", datetime.datetime(*AT, 500_000)),
        (
            "from datetime import datetime, UTC\nnow = datetime.now\ndel datetime",
            "now(UTC).isoformat()",
            "2023-11-14T22:13:22.500000+00:00",
        ),
        ("import time", "time.gmtime()[:6]", AT),
        ("import time", "time.gmtime(None)[:6]", AT),
        ("import time", "time.localtime()", time.localtime(NOW_S)),
        ("import time", "time.ctime()", time.ctime(NOW_S)),
        ("import time", "time.asctime()", time.ctime(NOW_S)),
        ("import time", "time.strftime('%S')", "22"),
        ("from time import gmtime", "gmtime(0)[:3]", (1970, 1, 1)),
        ("from time import localtime", "localtime(0)", time.localtime(0)),
        ("from time import ctime", "ctime(0)", time.ctime(0)),
        ("from time import asctime, gmtime", "asctime(gmtime(0))", "Thu Jan  1 00:00:00 1970"),
        ("from time import gmtime, strftime", "strftime('%Y', gmtime(0))", "1970"),
    ],
)
def test_what_is_imported_tells_virtual_time(
    clock: VirtualClock, imports: str, asked: str, answer: object
) -> None:
    """Clocks, sleep, dates and conversions mean the virtual instant, under whatever name they were
    imported; an instant that is given is converted as it is.
    """
    module = given(imports, clock)
    clock.advance(2.5)
    told = eval(asked, vars(module))

    assert told == answer
    assert type(told) is type(answer)


def test_what_reads_no_clock_is_the_real_thing(clock: VirtualClock) -> None:
    """What a stand-in does not replace is the real module's."""
    module = given("import time, datetime", clock)

    assert module.time.process_time is time.process_time
    assert module.time.struct_time is time.struct_time
    assert module.datetime.timedelta is timedelta
    assert module.datetime.UTC is UTC


def test_an_attribute_that_the_time_module_lacks_is_lacking(clock: VirtualClock) -> None:
    """A stand-in refuses what the real module refuses, in its words."""
    module = given("import time", clock)

    with pytest.raises(AttributeError, match="module 'time' has no attribute 'clock'"):
        _ = module.time.clock


def test_sleep_is_passed_on(clock: VirtualClock) -> None:
    """time.sleep calls the sleep that was given, under each of its names, and returns None."""
    slept: list[float] = []
    module = app("import time\nfrom time import sleep as nap")
    give((module,), clock, slept.append)

    assert module.time.sleep(3) is None
    assert module.nap(0.5) is None
    assert slept == [3, 0.5]


def test_what_is_made_is_plain(clock: VirtualClock) -> None:
    """What the virtual classes make are instances of the real ones, which can be pickled."""
    module = given("from datetime import datetime, date", clock)
    now = module.datetime.now()

    assert type(now) is datetime.datetime
    assert type(module.datetime.utcnow()) is datetime.datetime
    assert type(module.date.today()) is datetime.date
    assert pickle.loads(pickle.dumps(now)) == now


@pytest.mark.parametrize(
    "source",
    [
        "datetime(2024, 2, 29)",
        "datetime(year=2024, month=2, day=29)",
        "datetime.fromisoformat('2024-02-29')",
        "datetime.strptime('29.02.2024', '%d.%m.%Y')",
        "datetime.combine(date(2024, 2, 29), datetime.min.time())",
        "datetime.fromordinal(738945)",
        "datetime.fromtimestamp(1709164800, UTC).replace(tzinfo=None)",
    ],
)
def test_every_way_to_make_a_datetime_makes_a_plain_one(clock: VirtualClock, source: str) -> None:
    """The other constructors are the real ones, and make real datetimes."""
    module = given("from datetime import datetime, date, UTC", clock)
    made = eval(source, vars(module))

    assert type(made) is datetime.datetime
    assert made == DAY


def test_real_instances_are_instances(clock: VirtualClock) -> None:
    """isinstance and issubclass answer of the virtual classes what they answer of the real ones."""
    module = given("from datetime import datetime, date", clock)

    assert isinstance(datetime.datetime(2024, 1, 1), module.datetime)
    assert isinstance(datetime.datetime(2024, 1, 1), module.date)
    assert not isinstance(datetime.date(2024, 1, 1), module.datetime)
    assert issubclass(datetime.datetime, module.date)
    assert issubclass(module.datetime, datetime.datetime)
    assert not issubclass(datetime.date, module.datetime)


def test_arithmetic_is_ordinary(clock: VirtualClock) -> None:
    """What the virtual classes make is added to, subtracted from and compared with real values."""
    module = given("from datetime import datetime, timedelta, UTC", clock)
    before = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    clock.advance(90)
    now = module.datetime.now(UTC)

    assert now - before == timedelta(seconds=90)
    assert now - module.timedelta(seconds=90) == before
    assert before < now < module.datetime.max.replace(tzinfo=UTC)


def test_pydantic_reads_a_virtual_class_as_the_real_one(clock: VirtualClock) -> None:
    """A system may build pydantic's types, or FastAPI's routes, while it has virtual time."""
    module = given("from datetime import datetime", clock)
    made = TypeAdapter(module.datetime).validate_python("2024-02-29T00:00:00")

    assert type(made) is datetime.datetime
    assert made == DAY


def test_takes_back_exactly_what_was_there() -> None:
    """After take_back each name leads to the very object it led to, in the order it had."""
    module = app(
        "import time, datetime as d\nfrom time import sleep, monotonic as m\n"
        "from datetime import datetime as dt, date\nown = {}"
    )
    before = dict(vars(module))
    give((module,), VirtualClock(), lambda _: None)
    take_back()

    assert list(vars(module)) == list(before)
    assert [name for name, value in vars(module).items() if value is not before[name]] == []


def test_replaces_only_what_leads_to_time(clock: VirtualClock) -> None:
    """Whatever else is in a namespace stays the object that it was."""
    module = app("import time, json\nfrom datetime import datetime, time as t, timezone\nx = []")
    before = dict(vars(module))
    give((module,), clock, clock.advance)

    changed = sorted(name for name, value in vars(module).items() if value is not before[name])
    assert changed == ["datetime", "time"]


def test_taking_back_twice_is_taking_back_once(clock: VirtualClock) -> None:
    """
    A second take_back does nothing, not even to a stand-in that the system has put there itself.
    """
    module = given("import time", clock)
    stand_in = module.time
    take_back()
    vars(module)["time"] = stand_in
    take_back()

    assert module.time is stand_in


def test_leaves_alone_what_the_system_has_rebound(clock: VirtualClock) -> None:
    """A name that the system itself has bound anew, or deleted, keeps what the system gave it."""
    module = given("import time, datetime\nfrom time import sleep", clock)
    vars(module)["time"] = "its own"
    del module.sleep
    take_back()

    assert module.time == "its own"
    assert module.datetime is datetime
    assert not hasattr(module, "sleep")


def test_gives_anew_what_was_left_behind() -> None:
    """A module that still has the clock of a driver that failed gets the new one, then its own."""
    module = given("import time\nfrom datetime import datetime", VirtualClock(1.0))
    given_again = VirtualClock(50.0)
    give((module,), given_again, given_again.advance)

    assert module.time.time() == 50.0
    assert module.datetime.now(UTC).second == 50

    take_back()

    assert module.time is time
    assert module.datetime is datetime.datetime


def test_gives_to_one_beside_another(clock: VirtualClock) -> None:
    """To give to one module leaves another, though named twice, as it is; both come back."""
    first, second = given("import time", VirtualClock(1.0)), app("import time")
    give((second, second), clock, clock.advance)

    assert first.time.time() == 1.0
    assert second.time.time() == START_S

    take_back()

    assert first.time is time
    assert second.time is time


def test_the_real_modules_are_untouched(clock: VirtualClock) -> None:
    """No module but the named ones is changed: time and datetime themselves are as before."""
    before = dict(vars(time)), dict(vars(datetime))
    module = given("import time, datetime", clock)
    module.time.time = None
    module.datetime.datetime = None

    assert (dict(vars(time)), dict(vars(datetime))) == before
    assert time.time() > START_S + 1


def test_two_runs_read_the_same_times() -> None:
    """Two runs with clocks of their own that sleep alike read the same times."""
    source = "import time\nfrom datetime import datetime"
    first, second = given(source, VirtualClock()), given(source, VirtualClock())
    first.time.sleep(0.1)
    second.time.sleep(0.1)

    assert first.time.time() == second.time.time()
    assert first.time.time_ns() == second.time.time_ns()
    assert first.datetime.now() == second.datetime.now()


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        (
            types,
            "clocked is a tuple of modules, got the module types; write clocked = (types,)",
        ),
        (
            "my_app.cache",
            "clocked is a tuple of modules, got the text 'my_app.cache'; "
            "import my_app.cache and write clocked = (my_app.cache,)",
        ),
        (
            (types, "my_app.cache"),
            "clocked holds modules, got the text 'my_app.cache'; "
            "import my_app.cache and write clocked = (my_app.cache,)",
        ),
        (
            (VirtualClock,),
            "clocked holds modules, got VirtualClock, of type type; "
            "write clocked = (threadline.clock,)",
        ),
        (
            (3,),
            "clocked holds modules, got an object, of type int; write clocked = (my_app.cache,)",
        ),
    ],
)
def test_refuses_what_is_no_module(clock: VirtualClock, modules: object, said: str) -> None:
    """What is no module is refused with what was given, what was expected and what to write."""
    with pytest.raises(TypeError) as raised:
        give(modules, clock, clock.advance)  # type: ignore[arg-type]  # this is the point

    assert str(raised.value) == said


def test_refuses_before_it_changes_anything(clock: VirtualClock) -> None:
    """Where one of several things is no module, none of them is changed."""
    module = app("import time")
    with pytest.raises(TypeError):
        give((module, "my_app"), clock, clock.advance)  # type: ignore[arg-type]  # the point

    assert module.time is time


@pytest.mark.parametrize("module", [time, datetime])
def test_refuses_the_modules_that_everybody_reads(clock: VirtualClock, module: ModuleType) -> None:
    """time and datetime themselves are refused: the whole process reads them."""
    with pytest.raises(ValueError, match=f"got {module.__name__} itself, which"):
        give((module,), clock, clock.advance)
