"""What is stored of a thread, in which order, and under which run."""

from __future__ import annotations

from threadline import Ok, Refused

from tests.conformance.talks import Begin, TurnsTalk

TALK = TurnsTalk


def test_positions_count_the_turns_of_both(begin: Begin[TurnsTalk]) -> None:
    """
    The user's turns and the agent's have one count, in each thread its own.
    """
    talk = begin()

    assert talk.do.say("ana", "t", "r", "m") == Ok(1)
    assert talk.do.answer("ana", "t", "r") == Ok(2)
    assert talk.do.say("ana", "u", "r", "m") == Ok(1)
    assert talk.do.say("ben", "t", "r", "m") == Ok(1)
    assert talk.do.history("ana", "t", 1) == Ok([[2, "agent", "r"]])


def test_an_answer_needs_the_run_that_goes_on(begin: Begin[TurnsTalk]) -> None:
    """
    After another run, an end or a removal there is nothing to answer.
    """
    talk = begin()
    talk.do.say("ana", "t", "r", "m")

    assert talk.do.answer("ana", "t", "s") == Refused("ended")
    talk.do.end("ana")
    assert talk.do.answer("ana", "t", "r") == Refused("ended")
    talk.do.say("ana", "t", "r", "n")
    assert talk.do.answer("ana", "t", "r") == Ok(3)
    talk.do.delete("ana", "t")
    assert talk.do.answer("ana", "t", "r") == Refused("ended")


def test_an_end_leaves_the_turns(begin: Begin[TurnsTalk]) -> None:
    """
    The end of a user's runs is nobody else's, and removes no turn.
    """
    talk = begin()
    talk.do.say("ana", "t", "r", "m")
    talk.do.say("ben", "t", "r", "m")
    talk.do.end("ana")

    assert talk.do.answer("ben", "t", "r") == Ok(2)
    assert talk.do.threads_of("ana") == Ok(["t"])
    assert talk.do.handled("ana", "t", "m") == Ok(True)
    assert talk.do.handled("ana", "t", "n") == Ok(False)


def test_a_removed_thread_is_gone_whole(begin: Begin[TurnsTalk]) -> None:
    """
    It begins anew at 1, and is in no list meanwhile.
    """
    talk = begin()
    talk.do.say("ana", "t", "r", "m")
    talk.do.delete("ana", "t")

    assert talk.do.threads_of("ana") == Ok([])
    assert talk.do.history("ana", "t", 100) == Ok([])
    assert talk.do.say("ana", "t", "s", "m") == Ok(1)


def test_a_turn_in_time_keeps_its_thread(begin: Begin[TurnsTalk]) -> None:
    """
    One that is stored while its thread is being removed as due is the first of a new one.
    """
    talk = begin(retention_s=4)
    talk.do.say("ana", "t", "r", "m")
    talk.do.say("ana", "u", "r", "m")
    talk.do.wait(4)

    assert talk.do.say_first("ana", "t", "s", "n") == Ok([1, 1])
    assert talk.do.threads_of("ana") == Ok(["t"])
    assert talk.do.history("ana", "t", 100) == Ok([[1, "user", "s"]])
