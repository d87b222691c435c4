"""The inspector: an ASGI application, built on asgiwire alone, that shows what a client sends.

Start it with ``python -m examples.inspector``. A browser receives a page: what it sent, the
expressions that read it, a form, an upload and a WebSocket console. Any other client receives the report as
JSON::

    curl -F note=hello -F file=@README.md 'http://127.0.0.1:8000/any/path?x=1'

``app`` is the application, ``report`` reads a request, ``conversation`` handles a WebSocket, ``page``
renders HTML, ``responses`` sends responses, and ``static`` contains the files that the browser loads.
"""

from __future__ import annotations

from .app import app

__all__ = ("app",)
