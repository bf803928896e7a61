"""What all routes share: requests that hold JSON, answers that do, and what is wrong in words."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from detente.errors import ScenarioError
from detente.render.data import to_json
from detente.workbench.worker import diagnostic_event


async def body(request: Request, *names: str) -> dict[str, Any]:
    """The object that was sent; it has these names and no others."""

    def no_constant(_: str) -> None:
        raise ValueError

    try:
        data = json.loads(await request.body(), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise HTTPException(400, "this is not JSON") from None
    if not isinstance(data, dict) or not set(data) <= set(names):
        raise HTTPException(400, f"this is not an object of {', '.join(names)}")
    return data


def answer(data: object, status: int = 200) -> Response:
    """Data as JSON."""
    return Response(to_json(data, indent=None), status, media_type="application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ScenarioError)
    return answer(diagnostic_event(error.diagnostics), 422)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


HANDLERS: Any = {ScenarioError: _refused, ClientDisconnect: _gone}
"""What is answered to mistakes, and to whom nobody listens any more."""
