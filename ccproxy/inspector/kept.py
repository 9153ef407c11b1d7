"""How much of flows is in memory, for whoever reports on it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Kept:
    """What a tool that keeps flows holds right now, and how much of it had to go since the start."""

    bytes: int = 0
    flows: int = 0
    dropped: int = 0
    """Flows that have lost their bodies, and turns that sockets have lost."""
