import re

from ccproxy.version import ccproxy_version


def test_it_is_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", ccproxy_version())
