"""The few pages a person sees during a login."""

from html import escape

from starlette.responses import HTMLResponse


def page(title: str, text: str, status: int = 200, more: str = "") -> HTMLResponse:
    """A title and a text; `more` is HTML."""
    head = f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title>"
    body = f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{more}"
    return HTMLResponse(head + body, status, {"cache-control": "no-store"})


def link(href: str, label: str) -> str:
    return f'<p><a href="{escape(href)}">{escape(label)}</a></p>'


def consent_page(client_id: str, scopes: list[str], choices: dict[str, str]) -> HTMLResponse:
    """`choices` maps the words of a link to where it leads."""
    wanted = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
    links = "".join(link(href, label) for label, href in choices.items())
    return page("Sign in (simulator)", f"{client_id} asks for:", more=f"<ul>{wanted}</ul>{links}")


def code_page(code: str, state: str) -> HTMLResponse:
    """What a person copies into the terminal: `CODE#STATE`."""
    shown = f"<pre id=code>{escape(code)}#{escape(state)}</pre>"
    return page("Authentication code", "Paste this into your terminal:", more=shown)


def device_page(message: str, user_code: str = "") -> HTMLResponse:
    form = (
        '<form method=post action="/codex/device">'
        f'<input name=user_code value="{escape(user_code)}" autocomplete=off>'
        "<button name=decision value=allow>Allow</button>"
        "<button name=decision value=deny>Deny</button></form>"
    )
    return page("Enter the code shown in your terminal", message, more=form)
