from dataclasses import dataclass
from typing import Any, cast

from ccproxy.agent.asked import Asked, read
from ccproxy.agent.session import Session, besides_results, results_in
from ccproxy.agent.worker import Worker
from ccproxy.conversation.parts import JsonObject


@dataclass
class Process:
    alive: bool = True


def user(text: str) -> JsonObject:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def model(text: str) -> JsonObject:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def asking(*messages: JsonObject, system: str = "") -> Asked:
    return read({"messages": list(messages), "system": system}, {})


def session(name: str | None = None, *answer: JsonObject, alive: bool = True) -> Session:
    """One in which "one" was asked and `answer`, or "1", was the answer."""
    made = Session(name, "", worker=cast("Worker", Process(alive)))
    made.keep(made.plan(asking(user("one"))), answer or [model("1")])
    return made


class TestByHistory:
    def test_only_what_is_new_is_said(self) -> None:
        plan = session().plan(asking(user("one"), model("1"), user("two")))
        assert plan.goes_on
        assert plan.new == (user("two"),)
        assert plan.said == (user("one"), model("1"))

    def test_and_again_after_the_next_turn(self) -> None:
        held = session()
        held.keep(held.plan(asking(user("one"), model("1"), user("two"))), [model("2")])
        plan = held.plan(asking(user("one"), model("1"), user("two"), model("2"), user("three")))
        assert plan.goes_on
        assert plan.new == (user("three"),)

    def test_what_another_has_answered_meanwhile_is_told_to_a_fresh_process(self) -> None:
        """A process hears the user only: what the model is said to have said would be the user's words."""
        plan = session().plan(asking(user("one"), model("1"), user("two"), model("2"), user("three")))
        assert not plan.goes_on
        assert plan.said == (user("one"), model("1"))
        assert plan.new == (user("two"), model("2"), user("three"))

    def test_another_history_begins_anew(self) -> None:
        plan = session().plan(asking(user("one"), model("another answer"), user("two")))
        assert not plan.goes_on
        assert plan.said == ()
        assert len(plan.new) == 3

    def test_the_same_again_begins_anew(self) -> None:
        assert not session().plan(asking(user("one"))).goes_on

    def test_another_system_prompt_begins_anew(self) -> None:
        assert not session().plan(asking(user("one"), model("1"), user("two"), system="be brief")).goes_on

    def test_a_process_that_has_died_hears_everything_again(self) -> None:
        plan = session(alive=False).plan(asking(user("one"), model("1"), user("two")))
        assert not plan.goes_on
        assert plan.said == (user("one"), model("1"))
        assert plan.new == (user("two"),)

    def test_a_new_turn_alone_belongs_to_nobody(self) -> None:
        assert session().plan(asking(user("two"))).said == ()


class TestByName:
    def test_the_new_turn_alone_goes_on(self) -> None:
        plan = session("s").plan(asking(user("two")))
        assert plan.goes_on
        assert plan.said == (user("one"), model("1"))

    def test_the_first_turn_again_begins_anew(self) -> None:
        assert session("s").plan(asking(user("one"))).said == ()

    def test_the_whole_history_goes_on(self) -> None:
        assert session("s").plan(asking(user("one"), model("1"), user("two"))).new == (user("two"),)

    def test_a_system_prompt_need_not_be_said_again(self) -> None:
        held = session("s")
        held.system = "be brief"
        assert held.plan(asking(user("two"))).goes_on
        assert not held.plan(asking(user("two"), system="be long")).goes_on


class TestCalls:
    CALL: JsonObject = {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}],
    }

    def result(self, *ids: str, more: str = "") -> JsonObject:
        content: list[Any] = [{"type": "tool_result", "tool_use_id": one, "content": "sunny"} for one in ids]
        return {"role": "user", "content": [*content, *([{"type": "text", "text": more}] if more else [])]}

    def test_the_turn_waits_for_exactly_these_results(self) -> None:
        held = session(None, self.CALL)
        assert held.calls == {"toolu_1"}
        assert held.plan(asking(user("one"), self.CALL, self.result("toolu_1", more="well?"))).goes_on
        assert not held.plan(asking(user("one"), self.CALL, self.result("toolu_2"))).goes_on
        assert not held.plan(asking(user("one"), self.CALL, user("never mind"))).goes_on

    def test_results_that_nobody_waits_for_are_history(self) -> None:
        assert not session().plan(asking(user("one"), model("1"), self.result("toolu_9"))).goes_on

    def test_results_and_what_is_said_besides(self) -> None:
        said = [self.result("a", "b", more="and?")]
        assert list(results_in(said)) == ["a", "b"]
        assert besides_results(said) == [{"type": "text", "text": "and?"}]

    def test_cache_marks_are_left_out(self) -> None:
        marked = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
        assert besides_results([{"role": "user", "content": [marked]}]) == [{"type": "text", "text": "x"}]


def test_a_turn_that_was_left_before_any_answer() -> None:
    held = Session("s", "", worker=cast("Worker", Process()))
    held.keep(held.plan(asking(user("one"))), [])
    assert held.plan(asking(user("two"))).goes_on
    assert held.said == (user("one"),)


def test_an_answer_from_elsewhere_to_a_turn_that_was_left() -> None:
    held = Session(None, "", worker=cast("Worker", Process()))
    held.keep(held.plan(asking(user("one"))), [])
    assert not held.plan(asking(user("one"), model("from elsewhere"), user("two"))).goes_on


def test_the_size_of_what_a_named_one_remembers() -> None:
    assert session("s").size > 50
    assert session().size == 0


def test_whether_it_is_free_and_alive() -> None:
    assert session().is_free
    assert session().is_live
    assert not Session(None, "").is_live
