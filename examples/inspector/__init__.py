"""The inspector: an ASGI application, made of asgiwire alone, that shows whatever a client sends.

Start it with ``python -m examples.inspector``. A browser gets a page with a form, an upload and a
WebSocket console; any other client gets the same report as JSON::

    curl -F note=hello -F file=@README.md 'http://127.0.0.1:8000/any/path?x=1'

Where things are: ``app`` answers, ``report`` reads a request, ``conversation`` talks to a WebSocket,
``page`` writes HTML, ``responses`` sends, and ``static`` has what the browser loads.
"""

from __future__ import annotations

from .app import app

__all__ = ("app",)
