"""Contexts: what one may hold, that nobody can change it, and how it is got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import pytest

from sessions import UnifiedIdGenerator, UserExecutionContext
from sessions.default import create_user_execution_context
from sessions.errors import InvalidContextError, InvalidIdRequestError
from sessions.session_manager import ChatSystem
from tests.sessions_peers import make_system


def make_context(**changes: object) -> UserExecutionContext:
    context = UserExecutionContext("ana", "t", "r", "q")
    return replace(context, **changes)  # type: ignore[arg-type]  # wrong types are the point


def test_contexts_of_one_run_differ_in_their_request_only() -> None:
    """Two gets at different times are equal but for the request id."""
    system, clock = make_system()
    first = system.contexts.get_user_execution_context("ana", "t")
    clock.now_s += 10
    second = system.contexts.get_user_execution_context("ana", "t")

    assert first != second
    assert replace(first, request_id=second.request_id) == second


@pytest.mark.parametrize("field", ["user_id", "thread_id", "run_id", "request_id"])
@pytest.mark.parametrize(
    "value", ["", "  ", None, 7, "Null", " none ", "placeholder", "\x1f", "\udfff"]
)
def test_bad_id_is_refused(field: str, value: object) -> None:
    """Each id of a context refuses what names nobody."""
    with pytest.raises(InvalidContextError) as refusal:
        make_context(**{field: value})

    assert (refusal.value.field, refusal.value.value) == (field, value)


@pytest.mark.parametrize("length", [255, 256])
def test_id_up_to_256_characters_is_accepted(length: int) -> None:
    """An id may have two hundred and fifty-six characters."""
    assert make_context(thread_id="t" * length).thread_id == "t" * length


def test_id_of_257_characters_is_refused() -> None:
    """An id may not have two hundred and fifty-seven characters."""
    with pytest.raises(InvalidContextError, match="must have at most 256 characters"):
        make_context(thread_id="t" * 257)


@pytest.mark.parametrize("depth", [0, 9, 10])
def test_depth_up_to_ten_is_accepted(depth: int) -> None:
    """A context may be ten deep."""
    assert make_context(operation_depth=depth).operation_depth == depth


@pytest.mark.parametrize("depth", [-1, 11, True, 1.0, "1"])
def test_other_depths_are_refused(depth: object) -> None:
    """A context is not eleven deep, nor any depth that is no whole number."""
    with pytest.raises(InvalidContextError, match="operation_depth"):
        make_context(operation_depth=depth)


def test_refusal_names_field_value_and_rule() -> None:
    """The message of a refusal says what was given and what is wanted."""
    with pytest.raises(InvalidContextError) as refusal:
        make_context(run_id=" todo ")

    wanted = "run_id is ' todo '; it must name somebody, not stand in for a name"
    assert str(refusal.value) == wanted


def test_id_is_kept_as_given() -> None:
    """White space and case around a good id stay."""
    assert make_context(user_id=" Ana ").user_id == " Ana "


def test_context_cannot_be_changed() -> None:
    """No field of a context can be set."""
    with pytest.raises(FrozenInstanceError):
        make_context().thread_id = "other"  # type: ignore[misc]  # that it is refused is the point


def change_top(context: UserExecutionContext) -> None:
    context.additional_context["new"] = 1  # type: ignore[index]  # that it is refused is the point


def change_nested(context: UserExecutionContext) -> None:
    nested = context.additional_context["nested"]
    nested["list"] = ()  # type: ignore[index]  # that it is refused is the point


def change_list(context: UserExecutionContext) -> None:
    values = context.additional_context["list"]
    values[0] = 2  # type: ignore[index]  # that it is refused is the point


@pytest.mark.parametrize("change", [change_top, change_nested, change_list])
def test_additional_context_cannot_be_changed(
    change: Callable[[UserExecutionContext], None],
) -> None:
    """Nothing in additional_context can be changed, at any depth."""
    context = make_context(additional_context={"nested": {"list": [1]}, "list": [1]})
    with pytest.raises(TypeError):
        change(context)


def test_additional_context_is_a_copy() -> None:
    """What was handed in can change without the context changing."""
    given = {"list": [1]}
    context = make_context(additional_context=given)
    given["list"].append(2)

    assert context.additional_context == {"list": (1,)}


def test_additional_context_is_compared_by_value() -> None:
    """Two contexts with equal additional data are equal, and with other data are not."""
    one = make_context(additional_context={"a": {"b": 1}})

    assert one == make_context(additional_context={"a": {"b": 1}})
    assert one != make_context(additional_context={"a": {"b": 2}})


def test_context_can_be_hashed() -> None:
    """Equal contexts have equal hashes, so that they can be keys."""
    assert len({make_context(), make_context(), make_context(run_id="s")}) == 2


def test_objects_are_refused_in_additional_context() -> None:
    """A database session, or any other object, is no part of a context."""
    with pytest.raises(InvalidContextError, match="must hold plain data only"):
        make_context(additional_context={"db_session": object()})


def test_child_keeps_the_conversation() -> None:
    """A child differs from its parent in request and depth, and the parent does not change."""
    system, _ = make_system()
    parent = system.contexts.get_user_execution_context("ana", "t")
    child = parent.child("search", system.ids)

    assert child.request_id.startswith("req_search_")
    assert replace(child, request_id=parent.request_id, operation_depth=0) == parent
    assert (child.operation_depth, parent.operation_depth) == (1, 0)


def test_child_of_the_deepest_context_is_refused() -> None:
    """A context ten deep has no child."""
    with pytest.raises(InvalidContextError, match="operation_depth is 11"):
        make_context(operation_depth=10).child("search", UnifiedIdGenerator())


def test_child_name_of_65_characters_is_refused() -> None:
    """The name of a child is an operation, and no longer than one."""
    with pytest.raises(InvalidIdRequestError):
        make_context().child("n" * 65, UnifiedIdGenerator())


def test_websocket_request_begins_a_conversation() -> None:
    """Each request at the WebSocket entry has a registered session of its own."""
    system, _ = make_system()
    first = system.contexts.from_websocket_request("ana", "c1", {"locale": "es"})
    second = system.contexts.from_websocket_request("ana")

    assert [key.thread_id for key in system.registry.live()] == [first.thread_id, second.thread_id]
    assert first.websocket_connection_id == "c1"
    assert first.additional_context == {"locale": "es"}


REFUSED: list[Callable[[ChatSystem], object]] = [
    lambda system: system.contexts.from_websocket_request("none"),
    lambda system: system.contexts.from_websocket_request("ana", "\n"),
    lambda system: system.contexts.from_websocket_request("ana", None, {"a": object()}),
]


@pytest.mark.parametrize("call", REFUSED)
def test_refused_websocket_request_registers_nothing(call: Callable[[ChatSystem], object]) -> None:
    """A refused request at the WebSocket entry leaves no session."""
    system, _ = make_system()
    with pytest.raises(InvalidContextError):
        call(system)

    assert system.registry.live() == {}


def test_deprecated_function_warns_where_it_is_called() -> None:
    """The deprecated function blames the line that calls it."""
    with pytest.warns(DeprecationWarning, match="use get_user_execution_context") as warned:
        create_user_execution_context("ana", "t")

    assert warned[0].filename == __file__


def test_deprecated_method_warns_where_it_is_called() -> None:
    """The deprecated method of a system blames the line that calls it, too."""
    system, _ = make_system()
    with pytest.warns(DeprecationWarning, match="use get_user_execution_context") as warned:
        system.contexts.create_user_execution_context("ana", "t")

    assert warned[0].filename == __file__


def test_deprecated_function_finds_the_session() -> None:
    """The deprecated function goes on with the conversation, and keeps the connection id."""
    system, _ = make_system()
    got = system.contexts.get_user_execution_context("ana", "t")
    with pytest.warns(DeprecationWarning, match="use get_user_execution_context"):
        created = system.contexts.create_user_execution_context(
            "ana", "t", db_session=object(), websocket_connection_id="c1"
        )

    assert created.run_id == got.run_id
    assert created.websocket_connection_id == "c1"
