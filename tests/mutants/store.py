"""Conversation stores with one bug each."""

from __future__ import annotations

from functools import partial

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant
from threadline.contracts.conversation_store import Store

from drivers.memory_store import MemoryStoreDriver
from tests.mutants.line import line

mutant = partial(line, MemoryStoreDriver, "drivers.memory_store.MemoryStore", scenario=Store)

HistoryOfAnotherThread = mutant(
    "HistoryOfAnotherThread",
    "Finds the history by the user alone, and so shows whichever thread comes first.",
    "history",
    old="self._turns_of(conversation)",
    new="next((held for (user, _), held in self._turns.items() if user == conversation.user), [])",
    isolation_history=4,
    continuity_history=6,
    memory_history=6,
)
LimitTakesTheOldest = mutant(
    "LimitTakesTheOldest",
    "Cuts the history at the wrong end: the first turns instead of the latest.",
    "history",
    old="turns[max(0, len(turns) - limit) :]",
    new="turns[:limit]",
    continuity_history=4,
)
PopsTheFirst = mutant(
    "PopsTheFirst",
    "Takes back the oldest turn instead of the latest.",
    "pop",
    old="turns.pop()",
    new="turns.pop(0)",
    continuity_pop=4,
    continuity_history=6,
)
ClearLeavesOne = mutant(
    "ClearLeavesOne",
    "Clears all turns but the first, as when a loop over a list removes from it.",
    "clear",
    old="self._turns_of(conversation).clear()",
    new="del self._turns_of(conversation)[1:]",
    memory_clear=3,
)
OrderLostOnReopen = mutant(
    "OrderLostOnReopen",
    "Loads turns in the order of their text, because the query has no ORDER BY of its own.",
    "reopen",
    old="list(turns)",
    new="sorted(turns)",
    continuity_history=6,
    continuity_pop=6,
)
ListsAnotherUsersThread = mutant(
    "ListsAnotherUsersThread",
    "Lists the threads of every user whose id begins alike (LIKE 'ana%').",
    "threads",
    old="owner == user",
    new="owner.startswith(user)",
    isolation_threads=3,
    memory_threads=5,
)
DeletesByPrefix = mutant(
    "DeletesByPrefix",
    "Deletes every thread of the user whose id begins alike (DEL ana:t*).",
    "delete",
    old="del self._turns[key], self._saved[key]",
    new="for key in [(o, t) for o, t in self._turns if o == user and t.startswith(thread)]:\n"
    "    del self._turns[key], self._saved[key]",
    keys_delete=5,
)
JoinsKeys = mutant(
    "JoinsKeys",
    "Joins user and thread with ':', so that two pairs can be one key.",
    "_key",
    old="return user, thread",
    new="joined = {':'.join(pair): pair for pair in self._turns}\n"
    "return joined.get(f'{user}:{thread}', (user, thread))",
    keys_delete=3,
    continuity_append=4,
    continuity_clear=4,
    isolation_history=4,
    isolation_pop=4,
)
HandsOutItsOwnList = mutant(
    "HandsOutItsOwnList",
    "Returns the list that it keeps, which the caller then changes.",
    "history",
    old="turns[:] if limit is None",
    new="turns if limit is None",
    continuity_history=3,
)
LosesAppendsOfTheOther = mutant(
    "LosesAppendsOfTheOther",
    "Reads the turns when a conversation is opened, and writes them all back with each append.",
    "append",
    old="self._turns.setdefault(key, []).append(text)",
    new="conversation.read.append(text)\nself._turns[key] = conversation.read[:]",
    also=(
        Change(
            "drivers.memory_store.MemoryStore.open",
            old="return Conversation(user, thread)",
            new="conversation = Conversation(user, thread)\n"
            "conversation.read = self.history(conversation)\n"
            "return conversation",
        ),
    ),
    memory_append=4,
    continuity_append=4,
)
TrimsOnWrite = mutant(
    "TrimsOnWrite",
    "Trims the thread's id when it writes, and not when it reads.",
    "append",
    old="self._key(conversation.user, conversation.thread)",
    new="self._key(conversation.user, conversation.thread.strip())",
    keys_append=2,
    continuity_append=4,
)
ReadingCreates = mutant(
    "ReadingCreates",
    "Makes a conversation when one that is not there is read (a defaultdict).",
    "_turns_of",
    old=".get(",
    new=".setdefault(",
    memory_history=2,
    memory_pop=2,
    memory_clear=2,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
