"""A web framework in 160 lines, built on asgiwire and itsdangerous, and a tea shop that uses it.

``framework`` is the framework; ``docs/tutorial.md`` explains it. ``app`` is the tea shop. Start it with
uvicorn in the root directory of the repository::

    uvicorn examples.framework:app
    curl -c jar -H 'content-type: application/json' -d '{"name": "ada"}' http://127.0.0.1:8000/login
    curl -b jar -H 'content-type: application/json' -d '{"tea": "green", "cups": 2}' http://127.0.0.1:8000/orders
    curl http://127.0.0.1:8000/orders/1
"""

from __future__ import annotations

from .app import app

__all__ = ("app",)
