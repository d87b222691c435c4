"""A CSRF middleware that reads the token from the form, and leaves the form to the endpoint."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from starlette.middleware.base import BaseHTTPMiddleware

from asgiwire.exceptions import ClientException

if TYPE_CHECKING:
    from starlette.middleware.base import RequestResponseEndpoint
    from starlette.requests import Request
    from starlette.responses import Response

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class CSRFMiddleware(BaseHTTPMiddleware):
    """Requires the token of the session in the field ``token`` of each form."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Check the token and call the application.

        Raises:
            ClientException: The form has another token; the response is a 403.
        """
        session: dict[str, Any] = request.session
        if request.headers.get("content-type", "").startswith(FORMS):
            async with request.form() as form:
                token = form.get("token")
            if not isinstance(token, str) or not secrets.compare_digest(token, session.get("token", "")):
                raise ClientException(
                    "the token of the form is invalid; load the form again", status_code=403
                )
        session.setdefault("token", secrets.token_urlsafe())
        return await call_next(request)
