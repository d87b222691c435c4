"""asgiwire in a Litestar 2 application: ``Request`` and ``WebSocket`` to be given to it by two keywords.

::

    from asgiwire.integrations.litestar import Request, WebSocket

    app = Litestar([...], request_class=Request, websocket_class=WebSocket)

Body, forms, headers, cookies, query, URL and socket are asgiwire's then, with its limits; routing,
injection, sessions, guards and responses stay Litestar's. Handlers keep their annotations: every object is an
instance of both libraries' class. What goes wrong is an exception of both, and Litestar answers it: 400, 413,
500, or the close code of a WebSocket.

Litestar reaches for more than a connection's public members. All of it, as of 2.25, and where it is:

- **Classes.** ``issubclass(request_class, ...)`` where a handler's annotation is looked at, so the classes
  inherit from Litestar's (``_adoption``). ``isinstance`` by the signature model for what is injected:
  ``Request[User, Token, State]``, ``Headers``, ``UploadFile``; by the logging middleware for ``Request``. The
  call is ``request_class(scope=..., receive=..., send=...)``, and without the last two in the rate limit.
- **State in the scope** (``ScopeState``, under one key of ``scope["state"]``). ``session_id``, by the session
  middleware, through ``connection._connection_state``. ``form``, by the extractors of ``data`` and by the
  route, which closes the files after the response. ``body``, by other requests of Litestar's on the scope.
  ``url``, ``cookies``, ``accept``, ``json`` and the like are Litestar's own caches; nobody else reads them.
- **Injection** (``_kwargs/extractors.py``). ``_parsed_query`` for query parameters, ``cookies``,
  ``path_params``, ``headers``, ``query_params``, ``scope`` and ``app.state`` by name; header parameters are
  read from the scope. ``data``: ``body()`` first, of which an empty one is no data, then ``json()`` or
  ``msgpack()``; a DTO gets the bytes of ``body()``. For forms it has a parser of its own (``_data``).
  ``method`` and ``url`` for the sentence of a validation error.
- **Route handlers.** ``request_max_body_size`` and ``type_decoders``, asked for by ``resolve_...()``. Before
  routing there is none, and ``route_handler`` raises the ``KeyError`` that the answer to a 404 expects.
- **Exceptions.** Only an ``HTTPException`` is answered with its ``status_code``, ``detail``, ``headers`` and
  ``extra``. ``SerializationException`` becomes a 400 only while ``data`` is extracted.
  ``WebSocketDisconnect`` ends listeners and streams, and a ``WebSocketException`` says the code to close with
  (``_exceptions``).
- **Sessions.** ``scope["session"]`` is ``litestar.types.Empty`` where the session is to be removed.
- **Hooks and middleware.** CSRF reads ``cookies``, ``headers``, ``content_type`` and ``form()`` before the
  handler does, through the same ``receive``; logging reads the body in the same way. The response cache reads
  ``method``, ``url`` and ``query_params``, the rate limit ``client``, authentication a plain connection of
  Litestar's own. Guards, hooks and exception handlers are given the object itself.
- **Sockets.** Listeners and streams use ``accept``, ``receive_data(mode=)``, ``send_data(data=, mode=)``,
  ``close`` and ``connection_state``; the channels plugin also ``receive()``. A DTO reads ``route_handler``.
- **Extensions.** ``HTMXDetails`` of litestar-htmx reads ``headers`` and ``scope`` of any request.

OpenAPI leaves out a parameter by its name (``request``, ``socket``), never by its class.
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
