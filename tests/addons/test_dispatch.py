"""Hooks reach our chain in its order, whatever an addon does."""

from collections.abc import Callable

import pytest
from mitmproxy import exceptions, options
from mitmproxy.hooks import UpdateHook
from mitmproxy.master import Master

from ccproxy.addons.dispatch import LeanAddons

calls: list[str] = []


class Listener:
    """Notes that it was called."""

    def __init__(self, name: str, problem: Exception | None = None) -> None:
        self.name = name
        self.problem = problem

    def update(self, flows: list[object]) -> None:
        calls.append(self.name)
        if self.problem:
            raise self.problem


class Waiting(Listener):
    """One whose hook is a coroutine."""

    async def update(self, flows: list[object]) -> None:  # type: ignore[override]
        calls.append(self.name)


@pytest.fixture
def addons() -> Callable[[], LeanAddons]:
    calls.clear()

    def make() -> LeanAddons:
        master = Master(options.Options())
        master.addons = LeanAddons(master)
        return master.addons

    return make


async def test_order_and_awaiting(addons: Callable[[], LeanAddons]) -> None:
    manager = addons()
    manager.add(Listener("a"), Waiting("b"), object(), Listener("c"))
    await manager.trigger_event(UpdateHook([]))
    assert calls == ["a", "b", "c"]


async def test_who_comes_and_goes_later(addons: Callable[[], LeanAddons]) -> None:
    manager, first = addons(), Listener("a")
    manager.add(first)
    await manager.trigger_event(UpdateHook([]))
    manager.add(Listener("b"))
    manager.remove(first)
    await manager.trigger_event(UpdateHook([]))
    assert calls == ["a", "b"]


async def test_an_addon_that_raises_does_not_stop_the_others(
    addons: Callable[[], LeanAddons], caplog: pytest.LogCaptureFixture
) -> None:
    manager = addons()
    manager.add(Listener("a", ValueError("broken")), Listener("b"))
    await manager.trigger_event(UpdateHook([]))
    assert calls == ["a", "b"]
    assert "Addon error: broken" in caplog.text


async def test_an_addon_may_halt_the_chain(addons: Callable[[], LeanAddons]) -> None:
    manager = addons()
    manager.add(Listener("a", exceptions.AddonHalt()), Listener("b"))
    await manager.trigger_event(UpdateHook([]))
    assert calls == ["a"]
