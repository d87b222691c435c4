"""A Django application for tests; Django allows one configuration per process, so all tests share it."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["*"],
    "DATA_UPLOAD_MAX_MEMORY_SIZE": None,
    "LOGGING_CONFIG": None,
    "ROOT_URLCONF": type("urls", (), {"urlpatterns": []}),
    "SECRET_KEY": "x",
    "USE_I18N": False,
}


def django_handler(*routes: Any) -> Any:
    """Return an ASGI application with these routes, which replace those of the previous call."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure()
        django.setup()
    # Set one by one: a benchmark that runs in the same process may have configured Django already.
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    settings.ROOT_URLCONF.urlpatterns[:] = routes
    from django.core.handlers.asgi import ASGIHandler

    return ASGIHandler()
