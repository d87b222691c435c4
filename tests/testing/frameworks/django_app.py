"""A Django application, which has no WebSockets."""

from pathlib import Path
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.urls import path

from tests.django_handlers import django_handler

from . import FILE, numbers


async def home(_request: Any) -> Any:
    return JsonResponse({"a": 1})


async def echo(request: Any) -> Any:
    return HttpResponse(request.body)


async def stream(_request: Any) -> Any:
    return StreamingHttpResponse(numbers())


async def redirect(_request: Any) -> Any:
    return HttpResponseRedirect("/")


async def empty(_request: Any) -> Any:
    return HttpResponse(status=204)


async def cookie(_request: Any) -> Any:
    response = HttpResponse("x")
    response.set_cookie("a", "1")
    return response


async def file(_request: Any) -> Any:
    return HttpResponse(Path(FILE).read_bytes())


async def fail(_request: Any) -> Any:
    raise KeyError


VIEWS = (echo, stream, redirect, empty, cookie, file, fail)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Other tests of the same process have other routes."""
    routes = [path("", home), *(path(view.__name__, view) for view in VIEWS)]
    await django_handler(*routes)(scope, receive, send)
