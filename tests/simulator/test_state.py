import re

from ccproxy.simulator.script import HttpError, Message, Prompt
from ccproxy.simulator.state import Simulator


def test_ids_are_fresh_and_repeat_after_a_reset() -> None:
    sim = Simulator()
    first = [sim.new_id("msg_", b"same"), sim.new_id("msg_", b"same")]
    assert first[0] != first[1]
    assert all(re.fullmatch(r"msg_[0-9A-Za-z]{24}", name) for name in first)
    sim.reset()
    assert [sim.new_id("msg_", b"same"), sim.new_id("msg_", b"same")] == first


def test_a_fault_with_once_strikes_once_per_conversation() -> None:
    sim = Simulator()
    prompt = Prompt("m", (Message("user", ("sim:once error 529",)),))
    other = Prompt("m", (Message("user", ("again sim:once error 529",)),))
    assert sim.script(prompt).fault == HttpError(529)
    assert sim.script(prompt).fault is None
    assert sim.script(prompt).parts
    assert sim.script(other).fault == HttpError(529)
    sim.reset()
    assert sim.script(prompt).fault == HttpError(529)


def test_a_fault_without_once_strikes_always() -> None:
    sim = Simulator()
    prompt = Prompt("m", (Message("user", ("sim:error 529",)),))
    assert [sim.script(prompt).fault for _ in range(3)] == [HttpError(529)] * 3


def test_a_reset_reaches_the_upstreams() -> None:
    sim = Simulator()
    done: list[str] = []
    sim.on_reset(lambda: done.append("tokens"))
    sim.reset()
    assert done == ["tokens"]
