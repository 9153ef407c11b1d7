"""`/_simulator/codex`: what a test can change about the ChatGPT backend."""

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route


class Knobs(BaseModel):
    model_config = ConfigDict(extra="forbid")

    websocket: bool = True
    """Off: the upgrade is answered with 426, and a client falls back to HTTP."""
    workspace_backend_origin: str = "https://chatgpt.com"
    """Where `GET /wham/accounts/check` sends a client for everything else."""


def routes(knobs: Knobs) -> list[BaseRoute]:
    async def change(request: Request) -> Response:
        try:
            wanted = Knobs.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": {"type": "invalid_request_error", "message": str(error)}}, 400)
        for name in wanted.model_fields_set:
            setattr(knobs, name, getattr(wanted, name))
        return JSONResponse(knobs.model_dump())

    async def show(request: Request) -> Response:
        return JSONResponse(knobs.model_dump())

    return [
        Route("/_simulator/codex", change, methods=["POST"]),
        Route("/_simulator/codex", show, methods=["GET"]),
    ]


def reset(knobs: Knobs) -> None:
    for name, field in Knobs.model_fields.items():
        setattr(knobs, name, field.default)
