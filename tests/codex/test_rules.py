"""The data that ages has the shape that the code reads."""

import pytest

from ccproxy.codex.rules import client_version, private_events, rules
from ccproxy.simulator.codex.rules import UNSUPPORTED


@pytest.mark.parametrize("of", ["plan", "siwc"])
def test_a_table_is_whole(of: str) -> None:
    table = rules(of)
    assert table.name
    assert set(table.keep) <= set(table.strip)
    assert not set(table.strip) & (set(table.refused) | set(table.hints))
    assert all(isinstance(values, list) for values in (*table.strip.values(), *table.keep.values()))
    assert "reasoning.encrypted_content" in table.include
    assert 0 < table.most_item_id <= 64


def test_nothing_is_sent_that_the_plans_backend_refuses() -> None:
    assert set(UNSUPPORTED) <= set(rules("plan").strip)


def test_what_is_asked_of_the_catalogue_and_kept_from_clients() -> None:
    assert all(part.isdigit() for part in client_version().split("."))
    assert "codex." in private_events()
