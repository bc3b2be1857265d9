"""cachetools' TTLCache under Threadline, whole: three keys at most, each for five seconds."""

from collections.abc import Iterator

from cachetools import TTLCache
from threadline import Census, Driver, Model, Operation, Pool, Refuse, operation, pool

SIZE, TTL_S = 3, 5
KEYS = pool("k", "l", "m", "n")  # one more than there is room for
VALUES = Pool(lambda now: [f"v{now.step}"])


class TtlCache(Model):
    """A cache; what is used least recently makes room, and what is too old is gone."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.held: dict[str, tuple[str, float]] = {}  # value and end; least recently used first

    @operation(weight=4, key=KEYS, value=VALUES)
    def put(self, key: str, value: str) -> None:
        """A value is stored under a key, in the place of another if the cache is full."""
        self.held.pop(key, None)
        if len(self.held) == SIZE:
            self.popitem()
        self.held[key] = (value, self.now_s + TTL_S)

    @operation(weight=2, key=KEYS)
    def get(self, key: str) -> str | None:
        """The value of a key is read, which is a use of it."""
        if key not in self.held:
            return None
        self.held[key] = self.held.pop(key)
        return self.held[key][0]

    @operation(key=KEYS)
    def pop(self, key: str) -> str:
        """A key is removed, and its value returned."""
        if key not in self.held:
            raise Refuse("no such key")
        return self.held.pop(key)[0]

    @operation
    def popitem(self) -> tuple[str, str]:
        """The key that is used least recently is removed, and returned with its value."""
        if not self.held:
            raise Refuse("no such key")
        key = next(iter(self.held))
        return key, self.pop(key)

    @operation(key=KEYS, value=VALUES)
    def setdefault(self, key: str, value: str) -> str | None:
        """The value of a key is read, or else this one is stored."""
        if key not in self.held:
            self.put(key, value)
        return self.get(key)

    @operation
    def clear(self) -> None:
        """All keys are removed."""
        self.held.clear()

    @operation(weight=2, seconds=pool(1, TTL_S - 1, TTL_S))
    def wait(self, seconds: float) -> None:
        """Time passes, and what has come to its end is gone."""
        self.now_s += seconds
        self.held = {key: item for key, item in self.held.items() if item[1] > self.now_s}

    def census(self) -> Census:
        return {"keys": set(self.held), "size": len(self.held)}

    def teardown(self) -> Iterator[Operation]:
        yield TtlCache.clear()


class TtlCacheDriver(Driver[TtlCache]):
    """Calls one TTLCache, whose own methods are as the model's; it is only put into otherwise."""

    refuses = {KeyError: "no such key"}
    through = "cache"

    def __init__(self) -> None:
        self.cache: TTLCache[str, str] = TTLCache(SIZE, TTL_S, timer=self.clock)

    def put(self, key: str, value: str) -> None:
        self.cache[key] = value

    def census(self) -> Census:
        return {"keys": set(self.cache), "size": len(self.cache)}
