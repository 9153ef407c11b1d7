"""Commands that give a flow away: as a command line, as a program, as a HAR file; never with a credential."""

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

import pyperclip  # type: ignore[import-untyped]
from mitmproxy import command, exceptions, flow, http, types
from mitmproxy.addons.savehar import SaveHar

from ccproxy.addons.seal import MASK, REQUEST_SECRETS, RESPONSE_SECRETS, seal
from ccproxy.inspector.curl import curl_text
from ccproxy.inspector.hiding import is_secret_header, pieces_without_secrets, plain_url, without_secrets
from ccproxy.inspector.python_call import python_text
from ccproxy.inspector.sent import Sent, sent
from ccproxy.redact import redacted

logger = logging.getLogger(__name__)


class Export:
    """`ccproxy.export`, and `ccproxy.clip` for the clipboard."""

    name = "ccproxy_export"

    @command.command("ccproxy.export.formats")  # type: ignore[untyped-decorator]
    def formats(self) -> Sequence[str]:
        """The formats of ccproxy.export."""
        return list(FORMATS)

    @command.command("ccproxy.export")  # type: ignore[untyped-decorator]
    @command.argument("format", type=types.Choice("ccproxy.export.formats"))  # type: ignore[untyped-decorator]
    def file(self, format: str, flows: Sequence[flow.Flow], path: types.Path) -> None:  # noqa: A002
        """Write flows to a file, without credentials."""
        text = export_text(format, flows)
        try:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as problem:
            raise exceptions.CommandError(str(problem)) from problem

    @command.command("ccproxy.clip")  # type: ignore[untyped-decorator]
    @command.argument("format", type=types.Choice("ccproxy.export.formats"))  # type: ignore[untyped-decorator]
    def clip(self, format: str, flows: Sequence[flow.Flow]) -> None:  # noqa: A002
        """Put flows onto the clipboard, without credentials."""
        try:
            pyperclip.copy(export_text(format, flows))
        except pyperclip.PyperclipException as problem:
            raise exceptions.CommandError(str(problem)) from problem


def export_text(name: str, flows: Sequence[flow.Flow]) -> str:
    """The flows in one of the formats. CommandError says what is not possible."""
    if name not in FORMATS:
        raise exceptions.CommandError(f"No such export format: {name}")
    chosen = [one for one in flows if isinstance(one, http.HTTPFlow)]
    if not chosen:
        raise exceptions.CommandError("No HTTP flow is selected.")
    try:
        return FORMATS[name](chosen)
    except ValueError as problem:
        raise exceptions.CommandError(f"This flow cannot be exported as {name}: {problem}") from problem


def requests_as(text: Callable[[Sent], str]) -> Callable[[Sequence[http.HTTPFlow]], str]:
    """The requests of the flows, one after the other."""
    return lambda flows: "\n".join(text(sent_in(one)) for one in flows)


def sent_in(found: http.HTTPFlow) -> Sent:
    """The request of a flow, towards the upstream that the flow names."""
    request = found.request
    if (body := request.get_content()) is None:
        raise ValueError("its request has not been kept.")
    return sent(request.method, request.url, request.headers.items(multi=True), body)


def har_text(flows: Sequence[http.HTTPFlow]) -> str:
    """The flows as HAR 1.2."""
    har: dict[str, Any] = SaveHar().make_har([without_secrets_in(one) for one in flows])
    for entry in har["log"]["entries"]:
        # what HAR 1.2 asks for, and mitmproxy leaves out where there was no answer
        entry["response"]["content"] = {"size": 0, "mimeType": "", **entry["response"]["content"]}
    return json.dumps(har, indent=2) + "\n"


def without_secrets_in(found: http.HTTPFlow) -> http.HTTPFlow:
    """A copy of a flow without credentials in its headers, its address and its bodies."""
    clean: http.HTTPFlow = found.copy()
    clean.request.path = plain_url(clean.request.path)
    messages: list[http.Request | http.Response] = [clean.request]
    seal(clean.request, REQUEST_SECRETS)
    if clean.response:
        seal(clean.response, RESPONSE_SECRETS)
        messages.append(clean.response)
    for message in messages:
        message.headers.fields = tuple(map(clean_field, message.headers.fields))
        message.decode(strict=False)
        if message.raw_content:
            message.raw_content = without_secrets(message.raw_content)
    if clean.websocket:
        frames = clean.websocket.messages
        texts = [frame.content.decode("utf-8", "surrogateescape") for frame in frames]
        for frame, text in zip(frames, pieces_without_secrets(texts), strict=True):
            frame.content = text.encode("utf-8", "surrogateescape")
    return clean


def clean_field(field: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A header without what is a credential by its name or its look."""
    name, value = field
    if is_secret_header(name.decode("latin-1")):
        return name, MASK
    return name, redacted(plain_url(value.decode("latin-1"))).encode("latin-1")


FORMATS: dict[str, Callable[[Sequence[http.HTTPFlow]], str]] = {
    "curl": requests_as(curl_text),
    "python": requests_as(python_text),
    "har": har_text,
}
