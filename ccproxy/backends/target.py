"""A place that a request can be sent to."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ccproxy.settings.kinds import host_for_url, is_loopback


@dataclass(frozen=True, slots=True)
class Target:
    """An upstream's base URL, taken apart. `prefix` is its path, without a slash at the end."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, url: str) -> "Target":
        """From a base URL that the settings have checked."""
        parts = urlsplit(url)
        scheme: Literal["http", "https"] = "http" if parts.scheme == "http" else "https"
        port = parts.port or (80 if scheme == "http" else 443)
        return cls(scheme, parts.hostname or "", port, parts.path.rstrip("/"))

    @property
    def origin(self) -> str:
        host = host_for_url(self.host)
        default = 80 if self.scheme == "http" else 443
        return f"{self.scheme}://{host}" + ("" if self.port == default else f":{self.port}")

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)
