from collections.abc import Iterator

import pytest

from ccproxy.agent.guard import Guard


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    yield guard
    guard.close()
