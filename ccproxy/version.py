"""Which version this is."""

from functools import cache
from importlib.metadata import version


@cache
def ccproxy_version() -> str:
    return version("ccproxy")
