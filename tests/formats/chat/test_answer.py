from ccproxy.conversation.request import Tool
from ccproxy.formats.chat.answer import answer_id, refusal_of, wants_function_call
from tests.formats.chat.judges import asked, to


def test_the_id_is_that_of_a_chat_completion() -> None:
    assert answer_id(to()) == "chatcmpl-ab12"


def test_who_declares_functions_reads_function_calls() -> None:
    assert wants_function_call(to(request=asked(tools=(Tool("f", path="functions.0"),))))
    assert not wants_function_call(to(request=asked(tools=(Tool("f", path="tools.0"),))))


def test_a_refusal_without_words_gets_some() -> None:
    assert refusal_of("refusal", None, has_said=False)
    assert refusal_of("refusal", "Because.", has_said=False) == "Because."
    assert refusal_of("refusal", "Because.", has_said=True) is None
    assert refusal_of("end", None, has_said=False) is None
