"""How each kind of message is handled, told as it goes (the contract, Messages)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from models.chat_service import agents, quality
from models.chat_service.delivery import Delivery
from models.chat_service.processes import Gate, Until, Wait, Word
from models.chat_service.requests import Request, Unavailable
from models.chat_service.settings import Settings
from models.chat_service.storage import PoolTimeout, Storage
from models.chat_service.subscriptions import Subscriptions
from models.chat_service.turns import AGENT, USER, StorageFailed, Turn, Turns
from models.session_manager.clock import Clock
from models.session_manager.ids import Key

HISTORY_TURNS = 20  # that an agent is shown
LIMIT = 50  # turns of a history, where none is given
HOUR_S = 3_600
PERIODS_HOURS = {"day": 24, "week": 168}
TRIES_UNAVAILABLE = 2  # of an agent that is unavailable twice


class AgentFailed(Exception):
    """The agent raised."""


class AgentTimeout(Exception):
    """The agent took too long."""


ERRORS: dict[type[Exception], str] = {
    PoolTimeout: "pool_timeout",
    StorageFailed: "storage_error",
    AgentFailed: "agent_failed",
    AgentTimeout: "agent_timeout",
}


@dataclass(slots=True)
class Handling:
    """Handles requests; whatever goes wrong but an agent that is unavailable ends in an answer.

    deleting: the threads whose turns are being removed, one entry for each time. released: the
    texts on which a held agent was let go on. running: how many agents are at work.
    """

    settings: Settings
    clock: Clock
    turns: Turns
    storage: Storage
    delivery: Delivery
    subscriptions: Subscriptions
    deleting: list[Key]
    released: set[str] = field(default_factory=set)
    running: int = 0

    def handle(self, request: Request) -> Generator[Wait, bool, None]:
        """Handle a request to its end; raises Unavailable."""
        if request.key in self.deleting:
            yield Gate(request.key)
        try:
            if request.is_agents:
                yield from self._ask_agent(request)
            elif request.kind == "get_thread_history":
                yield from self._tell_history(request)
            elif request.kind == "subscribe_quality_alerts":
                self._subscribe(request)
            elif request.kind == "get_quality_metrics":
                yield from self._measure(request)
            elif request.kind == "generate_quality_report":
                yield from self._report(request)
            else:
                self._validate(request)
        except tuple(ERRORS) as error:
            self.storage.note(error)
            self._answer(request, "error", code=ERRORS[type(error)])

    def _ask_agent(self, request: Request) -> Generator[Wait, bool, None]:
        if request.history is None:
            yield from self._begin(request)
        if request.history is None:
            return
        try:
            reply = yield from self._run_agent(request, request.history)
        except (AgentFailed, AgentTimeout):
            yield from self.give_up(request)
            raise
        position = yield from self.storage.write(
            lambda: self.turns.add_agent_turn(
                request.key, request.run, reply, request.heading.message
            )
        )
        if position is not None:
            self._publish(request, "agent_completed", position=position, response=reply)

    def give_up(self, request: Request) -> Generator[Wait, bool, None]:
        """Note that a request gets no answer, or else it is taken up again after a start."""
        try:
            yield from self.storage.write(lambda: self.turns.give_up(request.key, request.used))
        except (PoolTimeout, StorageFailed) as error:
            self.storage.note(error)

    def _begin(self, request: Request) -> Generator[Wait, bool, None]:
        """Store the user's turn, unless it was before."""
        key, began_s, message = request.key, request.began_s, request.heading.message

        def store() -> int | list[Turn]:
            handled = self.turns.of_message(key, began_s, message) if message else []
            if handled:
                return handled
            history = self.turns.of(key, began_s)[-HISTORY_TURNS:]
            position = self.turns.add_user_turn(
                key, began_s, request.run, request.used, request.question()
            )
            request.history = history
            return position

        stored = yield from self.storage.write(store)
        if isinstance(stored, list):
            self._answer(request, "already_handled", **_handled(stored))
        else:
            self._publish(request, "agent_started", position=stored)

    def _run_agent(self, request: Request, history: list[Turn]) -> Generator[Wait, bool, str]:
        """Run the agent, and return its reply; once nobody listens to it, it is closed."""
        self.running += 1
        try:
            return (yield from self._play_agent(request, history))
        finally:
            self.running -= 1

    def _play_agent(self, request: Request, history: list[Turn]) -> Generator[Wait, bool, str]:
        word, text = request.agent, _text(request)
        deadline_s = self.clock.now_s + self.settings.agent_timeout_s
        twice = word == agents.UNAVAILABLE_TWICE and request.failures < TRIES_UNAVAILABLE
        if twice or word == agents.UNAVAILABLE:
            raise Unavailable
        if word in (agents.REFUSES, agents.RAISES_EARLY):
            raise AgentFailed
        if word == agents.SLOW:
            yield from self._pause(agents.SLOW_S, deadline_s)
        if word == agents.PUNCTUAL:
            left_s = request.asked_s + agents.PUNCTUAL_S - self.clock.now_s
            yield from self._pause(left_s, deadline_s)
        references = request.fields.get("references")
        own = {"references": references} if references else {}
        self._publish(request, "agent_thinking", turns=len(history), **own)
        if word in (agents.RAISES_LATE, agents.LOST, agents.SILENT):
            raise AgentFailed
        if word == agents.NEVER_ENDS:
            yield from self._pause(float("inf"), deadline_s)
        if word == agents.HELD and text not in self.released:
            yield from self._until(Word(text, deadline_s), deadline_s)
        tool, words = "word_count", len(text.split())
        self._publish(request, "tool_executing", tool=tool, arguments={"text": text})
        self._publish(request, "tool_completed", tool=tool, result=words)
        if word == agents.SLOW:
            yield from self._pause(agents.SLOW_S, deadline_s)
        return _reply(text, history)

    def _pause(self, seconds: float, deadline_s: float) -> Generator[Wait, bool, None]:
        """Wait; what comes at the deadline comes too late."""
        return self._until(Until(min(self.clock.now_s + seconds, deadline_s)), deadline_s)

    def _until(self, wait: Wait, deadline_s: float) -> Generator[Wait, bool, None]:
        yield wait
        if self.clock.now_s >= deadline_s:
            raise AgentTimeout

    def _tell_history(self, request: Request) -> Generator[Wait, bool, None]:
        limit: Any = request.fields.get("limit") or LIMIT
        turns = yield from self._read(request)
        self._answer(request, "thread_history", turns=[turn.view() for turn in turns[-limit:]])

    def _subscribe(self, request: Request) -> None:
        if request.fields["action"] == "subscribe" and self.subscriptions.add(request.heading):
            self._answer(request, "quality_alerts_subscribed")
        else:
            self.subscriptions.remove(request.key)
            self._answer(request, "quality_alerts_unsubscribed")

    def _measure(self, request: Request) -> Generator[Wait, bool, None]:
        hours: Any = request.fields.get("period_hours") or PERIODS_HOURS["day"]
        name = request.fields.get("agent_name")
        scores = yield from self._scores(request, hours)
        if name not in (None, agents.NAME):
            scores = {}
        told = {"agent_name": name, "period_hours": hours, **_summary(scores)}
        self._answer(request, "quality_metrics", **told)

    def _report(self, request: Request) -> Generator[Wait, bool, None]:
        kind = request.fields.get("report_type") or "summary"
        period = str(request.fields.get("period") or "day")
        scores = yield from self._scores(request, PERIODS_HOURS[period])
        told = {"report_type": kind, "period": period, **_summary(scores)}
        if kind == "detailed":
            each = [{"position": position, "score": score} for position, score in scores.items()]
            told["scores"] = each
        self._answer(request, "quality_report_generated", **told)

    def _validate(self, request: Request) -> None:
        kind = str(request.fields.get("content_type") or "text")
        strict = bool(request.fields.get("strict_mode"))
        found = quality.judge(str(request.fields["content"]), kind, strict=strict)
        told = {"content_type": kind, "strict_mode": strict, "valid": found.is_valid}
        issues = found.issues
        self._answer(request, "content_validation_result", **told, score=found.score, issues=issues)

    def _scores(self, request: Request, hours: int) -> Generator[Wait, bool, dict[int, int]]:
        """Return the scores of the answers of the last hours, by position."""
        turns = yield from self._read(request)
        after_s = self.clock.now_s - hours * HOUR_S
        answers = (turn for turn in turns if turn.role == AGENT and turn.at_s > after_s)
        return {turn.position: quality.judge(turn.text).score for turn in answers}

    def _read(self, request: Request) -> Generator[Wait, bool, list[Turn]]:
        return self.storage.read(lambda: self.turns.of(request.key, request.began_s))

    def _answer(self, request: Request, kind: str, **own: object) -> None:
        self.delivery.answer(request.heading, request.asker, kind, **own)

    def _publish(self, request: Request, kind: str, **own: object) -> None:
        self.delivery.publish(request.heading, request.asker, kind, **own)


def _text(request: Request) -> str:
    return request.question().text


def _handled(turns: list[Turn]) -> dict[str, object]:
    """Return what is told of a message that was handled: its turn, and the answer if it has one."""
    asked, *answers = turns
    told: dict[str, object] = {"position": asked.position}
    for answer in answers:
        told |= {"answer_position": answer.position, "response": answer.text}
    return told


def _reply(text: str, history: list[Turn]) -> str:
    said = [turn.text for turn in history if turn.role == USER]
    return f"You said: {text} Before that: {said[-1]}" if said else f"You said: {text}"


def _summary(scores: dict[int, int]) -> dict[str, object]:
    return {"answers": len(scores), "average_score": quality.average([*scores.values()])}
