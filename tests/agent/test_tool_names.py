from ccproxy.agent.tool_names import LONGEST, wire_names


def test_legal_names_stay() -> None:
    assert wire_names(["get_weather", "x-y"]) == {"get_weather": "get_weather", "x-y": "x-y"}


def test_others_become_legal_and_lead_back() -> None:
    names = ["n\u00e4me with blanks", "x" * 128, "y" * LONGEST]
    found = wire_names(names)
    assert list(found.values()) == names
    assert all(len(wire) <= LONGEST and wire.isascii() and " " not in wire for wire in found)


def test_two_that_would_become_one_stay_two() -> None:
    assert len(wire_names(["a b", "a_b", "a.b"])) == 3
