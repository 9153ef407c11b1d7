import asyncio
from pathlib import Path

import pytest

from ccproxy.addons.chain import make_chain
from ccproxy.addons.client_sides import RECORDING
from ccproxy.cli.tape import Tape
from ccproxy.cli.tape_chain import chain_with
from ccproxy.records.cassette import CassetteError, create
from ccproxy.settings import Settings, load


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({}, environ={}, cwd=tmp_path).settings


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    create(tmp_path / "c")
    return tmp_path / "c"


def names(chain: list[object]) -> list[str]:
    return [str(getattr(addon, "name", "")) for addon in chain]


def test_without_a_cassette_it_is_the_usual_chain() -> None:
    assert chain_with(None) is make_chain


async def test_a_recording_is_the_last(cassette: Path, settings: Settings) -> None:
    chain = chain_with(Tape("record", str(cassette)))(settings)
    assert names(chain)[-1] == RECORDING
    assert len(chain) == len(make_chain(settings)) + 1
    await asyncio.sleep(0)


async def test_a_replay_has_no_stage_with_a_credential(cassette: Path, settings: Settings) -> None:
    found = names(chain_with(Tape("replay", str(cassette)))(settings))
    assert "ccproxy_replaying" in found
    assert not {"ccproxy_authoriser", "ccproxy_rewriter", "ccproxy_agent_host", RECORDING} & set(found)


def test_a_replay_reads_its_cassette_first(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="cannot be read"):
        chain_with(Tape("replay", str(tmp_path / "none")))
