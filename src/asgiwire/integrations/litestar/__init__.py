"""asgiwire's ``Request`` and ``WebSocket`` for a Litestar 2 application.

::

    from asgiwire.integrations.litestar import Request, WebSocket

    app = Litestar([...], request_class=Request, websocket_class=WebSocket)

asgiwire then reads the body, forms, headers, cookies, query and URL, enforces its limits, and handles the
WebSocket. Routing, injection, sessions, guards and responses stay Litestar's. Annotations of handlers need no
change: each object passes ``isinstance`` for the classes of both libraries. Each exception subclasses one of
both, and Litestar answers it: with 400, 413 or 500, or with the close code of a WebSocket.

Litestar uses more than the public members of a connection. This is the whole list, as of Litestar 2.25:

- **Classes.** Litestar calls ``issubclass(request_class, ...)`` for the annotations of a handler, so the
  classes inherit from Litestar's (``_classes.py``). The signature model calls ``isinstance`` on injected
  objects: ``Request[User, Token, State]``, ``Headers``, ``UploadFile``. The logging middleware calls it for
  ``Request``. Objects are created by ``request_class(scope=..., receive=..., send=...)``; the rate limit
  passes only the scope.
- **State in the scope** (``ScopeState``, one key of ``scope["state"]``). The session middleware reads and
  writes ``session_id`` through ``connection._connection_state``. The extractors of ``data`` use ``form``, and
  so does the route, which closes the files after the response. Other requests of Litestar on the scope use
  ``body``. ``url``, ``cookies``, ``accept``, ``json`` and similar fields are caches that only Litestar's own
  request reads.
- **Injection** (``_kwargs/extractors.py``). ``_parsed_query`` is the source of query parameters. ``cookies``,
  ``path_params``, ``headers``, ``query_params``, ``scope`` and ``app.state`` are injected by name. Header
  parameters are read from the scope. For ``data``, Litestar calls ``body()``, treats an empty body as no
  data, then calls ``json()`` or ``msgpack()``; a DTO gets the bytes of ``body()``. Litestar has its own
  parser for forms (``_data.py``). Validation errors contain ``method`` and ``url``.
- **Route handlers.** ``request_max_body_size`` and ``type_decoders`` are read with ``resolve_...()``. Before
  routing there is no route handler: ``route_handler`` raises the ``KeyError`` that the 404 response expects.
- **Exceptions.** Litestar uses ``status_code``, ``detail``, ``headers`` and ``extra`` of an ``HTTPException``
  only. ``SerializationException`` becomes a 400 only while ``data`` is extracted. Listeners and streams end
  with a ``WebSocketDisconnect``, and a ``WebSocketException`` has the close code (``_exceptions.py``).
- **Sessions.** ``scope["session"]`` is ``litestar.types.Empty`` if the session is to be removed.
- **Hooks and middleware.** CSRF reads ``cookies``, ``headers``, ``content_type`` and ``form()`` before the
  handler, through the same ``receive``; logging reads the body in the same way. The response cache reads
  ``method``, ``url`` and ``query_params``; the rate limit reads ``client``. Authentication creates a plain
  connection of Litestar. Guards, hooks and exception handlers get the connection object.
- **WebSockets.** Listeners and streams use ``accept``, ``receive_data(mode=)``, ``send_data(data=, mode=)``,
  ``close`` and ``connection_state``; the channels plugin also uses ``receive()``. A DTO reads
  ``route_handler``.
- **Extensions.** ``HTMXDetails`` of litestar-htmx reads ``headers`` and ``scope`` of any request.

OpenAPI omits a parameter by its name (``request``, ``socket``), never by its class.
"""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("litestar") is None:
    msg = "asgiwire.integrations.litestar needs Litestar 2, which is not installed: pip install 'litestar<3'"
    raise ModuleNotFoundError(msg, name="litestar")

from . import _data
from .request import Request
from .websocket import WebSocket

__all__ = ("Request", "WebSocket")

_data.parse_forms_of_data()
