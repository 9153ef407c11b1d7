"""What differs between two conversations."""

from ccproxy.inspector.differences import differences


def test_changes_stand_below_their_heading_and_the_rest_is_folded() -> None:
    turn = [
        "User  (messages.0)",
        *(f"  line {number}" for number in range(20)),
        "",
        "Assistant  (messages.1)",
    ]
    assert list(differences([*turn, "  old"], [*turn, "  new"])) == [
        "  … 21 unchanged lines",
        "",
        "  Assistant  (messages.1)",
        "-   old",
        "+   new",
    ]
    changed = [*turn[:15], "  another", *turn[16:]]
    assert list(differences(turn, changed)) == [
        "  User  (messages.0)",
        "  … 12 unchanged lines",
        "    line 12",
        "    line 13",
        "-   line 14",
        "+   another",
        "    line 15",
        "    line 16",
        "  … 5 unchanged lines",
    ]


def test_where_a_turn_stands_is_no_difference() -> None:
    before = ["User  (messages.0)", "  Hi", "", "System  (messages.1)", "  Be kind."]
    assert (
        list(differences(before, ["User  (input.3)", "  Hi", "", "System  (instructions)", "  Be kind."]))
        == []
    )
    # what people wrote is indented
    assert list(differences(["  Hi  (input.3)"], ["  Hi  (input.4)"])) == [
        "-   Hi  (input.3)",
        "+   Hi  (input.4)",
    ]


def test_a_few_lines_are_not_folded_and_long_ones_not_cut() -> None:
    long = "x" * 5000
    before = ["a", "b", "c", "d", "e", f"  {long}"]
    assert list(differences(before, [*before[:5], f"  {long}y"])) == [
        "  a",
        "  b",
        "  c",
        "  d",
        "  e",
        f"-   {long}",
        f"+   {long}y",
    ]


def test_nothing() -> None:
    assert list(differences([], [])) == []
    assert list(differences(["a"], ["a"])) == []
    assert list(differences([], ["a"])) == ["+ a"]
