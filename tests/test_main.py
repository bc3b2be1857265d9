"""What goes wrong on our side exits with a status of its own."""

from __future__ import annotations

import pytest
from threadline import __main__


def test_a_traceback_exits_with_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 says that a system failed; an exception that nobody expected says nothing of one."""

    def broken(**_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(__main__, "threadline", broken)

    with pytest.raises(SystemExit) as raised:
        __main__.main()

    assert raised.value.code == 3
    assert "ZeroDivisionError: ours" in capsys.readouterr().err
