"""How things that Responses has no field for are said in text."""

from ccproxy.conversation.parts import Document, SearchResult

ERROR_PREFIX = "[tool error] "
"""In front of the result of a tool that failed."""


def of_document(document: Document) -> str:
    """A plain text with its title and context above it."""
    return "\n\n".join(piece for piece in (document.title, document.context, document.text) if piece)


def of_search_result(result: SearchResult) -> str:
    return "\n\n".join(piece for piece in (result.title, result.source, *result.texts) if piece)
