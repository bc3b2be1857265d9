"""Who has a database to itself, and what becomes of the tables that it finds."""

from __future__ import annotations

from threadline import Ok, Refused

from models.database_start import ALONE, INDEX, UNVERSIONED
from tests.conformance.talks import StartTalk

TALK = StartTalk


def test_the_first_process_has_the_file(talk: StartTalk) -> None:
    """
    A second one is refused until it ends.
    """
    assert talk.do.serve("one") == Ok(None)
    assert talk.do.serve("another") == Refused("taken")
    talk.do.leave("one")

    assert talk.do.serve("another") == Ok(None)


def test_a_lease_is_not_what_a_server_has_forgotten(talk: StartTalk) -> None:
    """
    Who finds out takes it again, if nobody else has it by then.
    """
    talk.do.serve("on a server")
    talk.do.restart_server()
    talk.do.serve("on its schema")

    assert talk.do.renew("on a server", 2) == Refused("taken")
    assert talk.held("unsure") == {"on a server"}


def test_tables_without_a_version_get_one(talk: StartTalk) -> None:
    """
    The thread that they have is kept.
    """
    talk.do.tables_become(UNVERSIONED)
    talk.do.serve("one")

    assert talk.held("version") == "0002"
    assert talk.held("threads") == 1


def test_a_start_that_fails_leaves_nothing(talk: StartTalk) -> None:
    """
    No table is made where one statement of all fails, and nobody has the file.
    """
    talk.do.tables_become(INDEX)

    assert talk.do.serve("one") == Refused("storage")
    assert talk.held("threads") is None
    assert talk.do.serve(ALONE) == Ok(None)
