"""Django has one configuration for a process; whoever needs an application takes it from here."""

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
    """An ASGI application of these routes, which take the place of those before."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure()
        django.setup()
    # Set one by one: the benchmarks may have configured it before, for a process of their own.
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    settings.ROOT_URLCONF.urlpatterns[:] = routes
    from django.core.handlers.asgi import ASGIHandler

    return ASGIHandler()
