import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.formats.names import Renamer, is_legal, wire_id, wire_name

LONG = "mcp__a_server_with_a_long_name__and_a_tool_with_an_even_longer_name_1"


@pytest.mark.parametrize("name", ["add", "a-b_C9", "x" * 64])
def test_a_legal_name_stays(name: str) -> None:
    assert wire_name(name, 64, {name}) == name


def test_illegal_characters_become_underscores() -> None:
    assert wire_name("files.read", 64, ()) == "files_read"
    assert wire_name("größe", 64, ()) == "gr__e"


def test_a_long_name_ends_in_its_hash() -> None:
    digest = hashlib.sha256(LONG.encode()).hexdigest()
    assert wire_name(LONG, 64, ()) == f"{LONG[:55]}_{digest[:8]}"
    assert wire_name(LONG, 128, ()) == LONG


def test_names_with_the_same_beginning_stay_apart() -> None:
    assert wire_name(LONG + "a", 64, ()) != wire_name(LONG + "b", 64, ())


def test_a_taken_name_gets_a_longer_hash() -> None:
    first = wire_name(LONG, 64, ())
    second = wire_name(LONG, 64, {first})
    digest = hashlib.sha256(LONG.encode()).hexdigest()
    assert second == f"{LONG[:47]}_{digest[:16]}"
    assert wire_name("a.b", 64, {"a_b"}) == f"a_b_{hashlib.sha256(b'a.b').hexdigest()[:8]}"


@given(st.text(max_size=200), st.sampled_from([16, 64, 128]))
def test_every_name_becomes_legal(name: str, limit: int) -> None:
    assert is_legal(wire_name(name, limit, ()), limit)


@given(st.lists(st.text(alphabet="ab._", max_size=4), max_size=20))
def test_no_two_names_meet(names: list[str]) -> None:
    renamer = Renamer(64, names)
    wires = {name: renamer.wire(name) for name in names}
    assert len(set(wires.values())) == len(wires)
    back = renamer.names().original
    assert all(back.get(wire, wire) == name for name, wire in wires.items())


def test_a_legal_name_is_never_given_away_even_when_it_comes_later() -> None:
    renamer = Renamer(64, ["a.b", "a_b"])
    assert renamer.wire("a.b") != "a_b"
    assert renamer.wire("a_b") == "a_b"


def test_only_changed_names_and_custom_tools_are_remembered() -> None:
    renamer = Renamer(64)
    renamer.wire("plain")
    renamer.wire("a.b")
    renamer.wire("apply_patch", custom=True)
    names = renamer.names()
    assert dict(names.original) == {"a_b": "a.b"}
    assert names.custom == {"apply_patch"}


def test_ids() -> None:
    assert wire_id("call_1-A") == "call_1-A"
    assert wire_id("call:1") == f"call_{hashlib.sha256(b'call:1').hexdigest()[:24]}"
    assert wire_id("x" * 65) != "x" * 65
    assert re.fullmatch(r"call_[0-9a-f]{24}", wire_id(""))
    assert wire_id("\ud800") == wire_id("\ud800")
