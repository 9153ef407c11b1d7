"""Nothing on a stage may pass for one of mitmproxy's hooks by its name alone."""

import inspect
from pathlib import Path

from mitmproxy import hooks

from ccproxy.addons.chain import make_chain
from ccproxy.settings import load


def test_what_is_named_like_a_hook_is_one(tmp_path: Path) -> None:
    chain = make_chain(load({}, environ={}, cwd=tmp_path).settings)
    for stage in chain:
        for name in hooks.all_hooks:
            assert callable(getattr(stage, name, print)), f"{stage.name}.{name}"
    chain[0].server.stop()


def test_stages_have_names_of_their_own(tmp_path: Path) -> None:
    chain = make_chain(load({}, environ={}, cwd=tmp_path).settings)
    names = [stage.name for stage in chain]
    assert len(set(names)) == len(names)
    assert all(name.startswith("ccproxy_") for name in names)
    assert not any(inspect.iscoroutinefunction(getattr(stage, "done", None)) for stage in chain)
    chain[0].server.stop()
