"""docs/simulator.md has every scenario, control endpoint and knob."""

from collections.abc import Callable

import pytest
from starlette.routing import BaseRoute, Route

from ccproxy.simulator import app, codex, oauth
from ccproxy.simulator.codex.knobs import Knobs as CodexKnobs
from ccproxy.simulator.ledger import CONTROL
from ccproxy.simulator.oauth.knobs import Change
from ccproxy.simulator.scenarios import SCENARIOS
from ccproxy.simulator.state import Simulator
from tests.docs.pages import page, section

PAGE = page("simulator")
FACES: tuple[Callable[[Simulator], list[BaseRoute]], ...] = (app._control, oauth.routes, codex.routes)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_in_the_table(name: str) -> None:
    table = section(PAGE, "## What you can make it do")
    assert f"\n| `sim:{name} " in table or f"\n| `sim:{name}` |" in table


def test_every_control_endpoint_is_there() -> None:
    simulator = Simulator()
    routes = [route for face in FACES for route in face(simulator) if isinstance(route, Route)]
    control = [route for route in routes if route.path.startswith(CONTROL)]
    assert len(control) > 5
    table = section(PAGE, "## What it got")
    for route in control:
        for method in (route.methods or set()) - {"HEAD"}:
            assert any(f"`{method}" in line and f"{route.path}`" in line for line in table.splitlines()), (
                method,
                route.path,
            )


@pytest.mark.parametrize("name", [*Change.model_fields, *CodexKnobs.model_fields])
def test_every_knob_is_there(name: str) -> None:
    assert f"`{name}`" in PAGE
