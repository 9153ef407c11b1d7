from ccproxy.conversation.parts import Document, SearchResult
from ccproxy.formats.responses.text import of_document, of_search_result


def test_a_document_with_its_title() -> None:
    assert of_document(Document(text="body", title="notes.txt", context="of Monday")) == (
        "notes.txt\n\nof Monday\n\nbody"
    )
    assert of_document(Document(text="body")) == "body"


def test_a_search_result() -> None:
    result = SearchResult("https://example.com", "Title", ("one", "two"))
    assert of_search_result(result) == "Title\n\nhttps://example.com\n\none\n\ntwo"
