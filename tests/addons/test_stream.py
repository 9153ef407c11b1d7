"""The stream itself is tested over sockets, in tests/scenarios."""

from ccproxy.addons.stream import Limits


def test_limits() -> None:
    assert Limits(1, 300).connect == 30
    assert Limits(1, 2).connect == 2
    assert Limits(1, 300).tick < 5
    assert Limits(1, 0.4).tick == 0.05
