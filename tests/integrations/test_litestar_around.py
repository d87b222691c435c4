"""Sessions, authentication, guards, hooks, middleware and mounted applications of Litestar."""

from dataclasses import dataclass
from typing import Any

import pytest
from litestar import Litestar, Request, Response, asgi, delete, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.params import FromQuery
from litestar.security.jwt import JWTAuth, JWTCookieAuth, Token
from litestar.security.session_auth import SessionAuth
from litestar.stores.memory import MemoryStore
from litestar.testing import TestClient
from litestar.types import Empty

from asgiwire.exceptions import ClientException
from asgiwire.types import Empty as OurEmpty

from .litestar_apps import ASGIWIRE_CLASSES, ask_asgiwire, ask_both, content

Client = TestClient[Litestar]


@dataclass
class User:
    name: str


SESSIONS = {
    "client-side": lambda: CookieBackendConfig(secret=b"0123456789abcdef"),
    "server-side": ServerSideSessionConfig,
}
sessions = pytest.mark.parametrize("make_config", SESSIONS.values(), ids=SESSIONS)


@get("/")
async def show(request: Request[Any, Any, Any]) -> Any:
    return request.session


@post("/")
async def store(request: Request[Any, Any, Any]) -> None:
    request.set_session(await request.json())


@post("/add")
async def add(request: Request[Any, Any, Any]) -> Any:
    request.session.update(await request.json())
    return request.session


@delete("/")
async def clear(request: Request[Any, Any, Any]) -> None:
    request.clear_session()


@sessions
def test_store_change_and_clear_a_session(make_config: Any) -> None:
    def talk(client: Client) -> list[Any]:
        return [
            client.get("/"),
            client.post("/", json={"user": "jo"}),
            client.get("/"),
            client.post("/add", json={"tea": "mint"}),
            client.get("/"),
            client.delete("/"),
            client.get("/"),
            len(client.cookies),
        ]

    answers = ask_both([show, store, add, clear], talk, middleware=[make_config().middleware])
    sessions = [content for _, content in answers[:-1]]
    both = {"user": "jo", "tea": "mint"}
    assert sessions == [{}, None, {"user": "jo"}, both, both, "", {}]


@sessions
def test_a_cleared_session_can_be_written_to(make_config: Any) -> None:
    @post("/again")
    async def clear_and_write(request: Request[Any, Any, Any], empty: FromQuery[str]) -> Any:
        if empty == "clear":
            request.clear_session()
        else:
            request.set_session({"litestar": Empty, "asgiwire": OurEmpty}[empty])
        assert request.scope["session"] is Empty
        before = dict(request.session)
        assert request.scope["session"] is Empty
        old = request.session
        request.session["new"] = 1
        old["late"] = 1  # the same object
        return [before, request.session]

    def talk(client: Client) -> list[Any]:
        answers: list[Any] = []
        for empty in ("clear", "litestar", "asgiwire"):
            client.post("/", json={"user": "jo"})
            answers += [client.post(f"/again?empty={empty}"), client.get("/")]
        return answers

    answers = ask_asgiwire([show, store, clear_and_write], talk, middleware=[make_config().middleware])
    new = {"new": 1, "late": 1}
    assert answers == [(201, [{}, new]), (200, new)] * 3


@sessions
def test_a_session_of_a_dataclass(make_config: Any) -> None:
    @post("/user")
    async def user(request: Request[Any, Any, Any]) -> Any:
        request.set_session(User("jo"))
        return request.session

    middleware = [make_config().middleware]
    answers = ask_asgiwire(
        [show, user], lambda client: [client.post("/user"), client.get("/")], middleware=middleware
    )
    assert answers == [(201, {"name": "jo"}), (200, {"name": "jo"})]


def test_without_a_session_middleware() -> None:
    from litestar.exceptions import ImproperlyConfiguredException

    @get("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        failed = []
        for name in ("session", "user", "auth"):
            try:
                getattr(request, name)
            except ImproperlyConfiguredException:
                failed.append(name)
        return failed

    @get("/error")
    async def error(request: Request[Any, Any, Any]) -> Any:
        return request.user

    answers = ask_both([handler, error], lambda client: [client.get("/"), client.get("/error")])
    assert answers[0] == (200, ["session", "user", "auth"])
    assert answers[1][0] == 500


@pytest.mark.parametrize("kind", [JWTAuth, JWTCookieAuth])
@pytest.mark.filterwarnings("ignore:.*HMAC key is")
def test_jwt(kind: Any) -> None:
    async def retrieve(token: Token, _connection: ASGIConnection[Any, Any, Any, Any]) -> User | None:
        return User(token.sub) if token.sub != "nobody" else None

    auth = kind[User](retrieve_user_handler=retrieve, token_secret="0" * 64, exclude=["/login"])

    @post("/login")
    async def login(request: Request[Any, Any, Any], name: FromQuery[str]) -> Any:
        return auth.login(identifier=name, response_body=[name])

    @get("/")
    async def handler(request: Request[User, Token, Any]) -> Any:
        return [request.user.name, request.auth.sub]

    def talk(client: Client) -> list[Any]:
        answers = [client.get("/")]
        for name in ("jo", "nobody"):
            token = client.post(f"/login?name={name}").headers.get("authorization")
            answers.append(client.get("/", headers={} if token is None else {"authorization": token}))
        return answers

    answers = ask_both([login, handler], talk, on_app_init=[auth.on_app_init])
    assert [status for status, _ in answers] == [401, 200, 401]
    assert answers[1][1] == ["jo", "jo"]


def test_session_auth() -> None:
    async def retrieve(
        session: dict[str, Any], _connection: ASGIConnection[Any, Any, Any, Any]
    ) -> User | None:
        return User(session["user"]) if session.get("user") else None

    auth: Any = SessionAuth[User, Any](
        retrieve_user_handler=retrieve, session_backend_config=ServerSideSessionConfig(), exclude=["/login"]
    )

    @post("/login")
    async def login(request: Request[Any, Any, Any]) -> None:
        request.set_session({"user": "jo"})

    @get("/me")
    async def handler(request: Request[User, dict[str, Any], Any]) -> Any:
        return [request.user.name, request.auth, request.session, request.get_session_id() is not None]

    @post("/logout")
    async def logout(request: Request[Any, Any, Any]) -> None:
        request.clear_session()

    def talk(client: Client) -> list[Any]:
        paths = [("GET", "/me"), ("POST", "/login"), ("GET", "/me"), ("POST", "/logout"), ("GET", "/me")]
        return [client.request(method, path) for method, path in paths]

    answers = ask_both([login, handler, logout], talk, on_app_init=[auth.on_app_init])
    assert [status for status, _ in answers] == [401, 201, 200, 201, 401]
    assert answers[2][1] == ["jo", {"user": "jo"}, {"user": "jo"}, True]


class HeaderAuthentication(AbstractAuthenticationMiddleware):
    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        name = connection.headers.get("x-user")
        if name is None:
            raise NotAuthorizedException
        return AuthenticationResult(user=User(name), auth=name)


def test_guards_and_an_authentication_middleware() -> None:
    seen: list[str] = []

    async def known(connection: ASGIConnection[Any, User, Any, Any], _handler: Any) -> None:
        seen.append(connection.user.name)

    def admin(connection: ASGIConnection[Any, User, Any, Any], handler: Any) -> None:
        if connection.user.name != handler.opt["who"]:
            raise PermissionDeniedException

    @get("/", guards=[admin], opt={"who": "jo"})
    async def handler(request: Request[User, str, Any]) -> Any:
        return [request.user.name, request.auth]

    def talk(client: Client) -> list[Any]:
        return [client.get("/"), *(client.get("/", headers={"x-user": name}) for name in ("jo", "al"))]

    middleware = [DefineMiddleware(HeaderAuthentication)]
    answers = ask_both([handler], talk, guards=[known], middleware=middleware)
    assert [status for status, _ in answers] == [401, 200, 403]
    assert seen == ["jo", "al"] * 2


def test_hooks() -> None:
    called: list[str] = []

    async def before_request(request: Request[Any, Any, Any]) -> Any:
        request.state.before = (await request.body()).decode()
        return {"stopped": True} if request.query_params.get("stop") else None

    async def after_request(response: Response[Any]) -> Response[Any]:
        response.headers["x-after"] = "1"
        return response

    async def after_response(request: Request[Any, Any, Any]) -> None:
        called.append(f"{request.url.path} {(await request.json())!r}")

    async def before_send(message: Any, scope: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((b"x-path", scope["path"].encode()))

    async def after_exception(error: Exception, scope: Any) -> None:
        called.append(type(error).__name__)

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        if request.query_params.get("raise"):
            raise NotAuthorizedException
        return [request.state.before, await request.json()]

    def talk(client: Client) -> list[Any]:
        return [client.post(path, json=[1]) for path in ("/", "/?stop=1", "/?raise=1")]

    hooks: dict[str, Any] = {
        "before_request": before_request,
        "after_request": after_request,
        "after_response": after_response,
        "before_send": [before_send],
        "after_exception": [after_exception],
    }
    answers = ask_both([handler], talk, **hooks)
    assert [status for status, _ in answers] == [201, 201, 401]
    assert answers[0][1] == ["[1]", [1]]
    assert called == ["/ [1]", "/ [1]", "NotAuthorizedException"] * 2


def test_exception_handlers_for_the_classes_of_both_libraries() -> None:
    from litestar.exceptions import HTTPException
    from litestar.exceptions import SerializationException as TheirSerializationException

    def answer(name: str) -> Any:
        def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
            return Response([name, request.url.path, type(error).__name__], status_code=418)

        return handle

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        return await request.json()

    for key in (TheirSerializationException, HTTPException, ClientException, 400):
        handlers = {key: answer(str(key))}
        answers = ask_asgiwire([handler], lambda c: [c.post("/", content=b"{")], exception_handlers=handlers)
        assert answers == [(418, [str(key), "/", "SerializationException"])]


def test_csrf_reads_the_form_before_the_handler() -> None:
    from litestar.config.csrf import CSRFConfig

    @get("/")
    async def page() -> None: ...

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        return sorted((await request.form()).dict())

    def talk(client: Client) -> list[Any]:
        client.get("/")
        token = client.cookies["csrftoken"]
        return [
            client.post("/", data={"a": "1", "_csrf_token": token}),
            client.post("/", files={"a": (None, "1"), "_csrf_token": (None, token)}),
            client.post("/", headers={"x-csrftoken": token}),
            client.post("/", data={"a": "1"}),
        ]

    answers = ask_both([page, handler], talk, csrf_config=CSRFConfig(secret="secret"))
    fields = (201, ["_csrf_token", "a"])
    assert answers[:3] == [fields, fields, (201, [])]
    assert answers[3][0] == 403


def test_logging_reads_the_body_before_the_handler(caplog: pytest.LogCaptureFixture) -> None:
    from litestar.logging import LoggingConfig
    from litestar.middleware.logging import LoggingMiddlewareConfig

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        request.logger.info("from the handler")
        form = await request.form()
        return form.dict() if form else await request.json()

    def talk(client: Client) -> list[Any]:
        return [
            client.post("/", json={"tea": "mint"}),
            client.post("/", data={"a": "1"}),
            client.post("/", files={"a": ("f", b"file")}) and None,
        ]

    config = LoggingConfig(root={"level": "INFO", "handlers": []}, loggers={})
    answers = ask_both(
        [handler], talk, middleware=[LoggingMiddlewareConfig().middleware], logging_config=config
    )
    assert answers == [(201, {"tea": "mint"}), (201, {"a": ["1"]}), None]


def test_the_response_cache_and_the_rate_limit() -> None:
    calls: list[str] = []

    @get("/cached", cache=60)
    async def cached(request: Request[Any, Any, Any], q: FromQuery[str]) -> Any:
        calls.append(q)
        return [q, request.url.path]

    def talk(client: Client) -> list[Any]:
        return [client.get(f"/cached?q={q}") for q in ("a", "a", "b", "a")]

    rate = RateLimitConfig(rate_limit=("minute", 3), set_rate_limit_headers=False)
    answers = ask_both([cached], talk, middleware=[rate.middleware])
    assert [status for status, _ in answers] == [200, 200, 200, 429]
    assert calls == ["a", "b"] * 2


def test_mounted_asgi_applications() -> None:
    from asgiwire import Request as BareRequest
    from asgiwire.integrations.litestar import Request as OurRequest

    @asgi("/mounted", is_mount=True, copy_scope=True)
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        request = BareRequest(scope, receive, send)
        response = Response([request.url.path, await request.json(), request.headers["x-tea"]])
        await response.to_asgi_response(app=None, request=Request(scope))(scope, receive, send)

    @asgi("/limited", is_mount=True, copy_scope=True)
    async def limited(scope: Any, receive: Any, send: Any) -> None:
        request: OurRequest[Any, Any, Any] = OurRequest(scope, receive, send)
        response = Response([request.limits.max_body_size, len(await request.body())])
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        return await request.json()

    def talk(client: Client) -> list[Any]:
        headers = {"x-tea": "mint"}
        return [client.post(path, json=[1], headers=headers) for path in ("/mounted/a", "/", "/limited")]

    answers = ask_asgiwire([mounted, handler, limited], talk)
    assert answers[0] == (200, [answers[0][1][0], [1], "mint"])
    assert answers[1:] == [(201, [1]), (200, [10_000_000, 3])]


def test_a_mounted_litestar_application() -> None:
    @post("/inner")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        return [request.url.path, await request.json()]

    inner = Litestar([handler], openapi_config=None, logging_config=None, **ASGIWIRE_CLASSES)
    outer = asgi("/outer", is_mount=True, copy_scope=True)(inner)
    with TestClient(Litestar([outer], openapi_config=None, logging_config=None)) as client:
        assert content(client.post("/outer/inner", json=[1]))[0] == 201


def test_a_redirect_to_url_for() -> None:
    from litestar.response import Redirect

    @post("/redirect")
    async def redirect(request: Request[Any, Any, Any]) -> Redirect:
        return Redirect(request.url_for("target", tea="x"), status_code=303)

    @get("/target/{tea:str}", name="target")
    async def target(request: Request[Any, Any, Any]) -> Any:
        return request.path_params

    assert ask_both([redirect, target], lambda client: [client.post("/redirect")]) == [(200, {"tea": "x"})]


def test_a_session_in_a_store_of_the_application() -> None:
    memory = MemoryStore()
    config = ServerSideSessionConfig()
    answers = ask_asgiwire(
        [show, store],
        lambda client: [client.post("/", json={"user": "jo"}), client.get("/")],
        middleware=[config.middleware],
        stores={"sessions": memory},
    )
    assert answers[1] == (200, {"user": "jo"})
    assert len(memory._store) == 1


def test_a_cleared_session_is_one_object() -> None:
    @get("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        request.clear_session()
        first, second = request.session, request.session
        first["a"] = 1
        second["b"] = 2
        return request.scope["session"]

    backend = ServerSideSessionConfig()
    answers = ask_asgiwire([handler], lambda client: [client.get("/")], middleware=[backend.middleware])
    assert answers == [(200, {"a": 1, "b": 2})]


def test_a_missing_session_that_is_cleared_can_be_written_to() -> None:
    @get("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        request.scope["session"] = None  # type: ignore[typeddict-item]  # what other middleware may set
        assert request.session == {}
        request.clear_session()
        request.session["a"] = 1
        return request.scope["session"]

    assert ask_asgiwire([handler], lambda client: [client.get("/")]) == [(200, {"a": 1})]


def test_state_as_a_dict_has_no_private_key() -> None:
    """Litestar stores a value in the state that cannot be encoded."""

    @get("/")
    async def handler(request: Request[Any, Any, Any], state: State) -> Any:
        request.state.a = 1
        request.get_session_id()  # creates Litestar's private value
        return {"state": request.state.dict(), "injected": state.dict()}

    def talk(client: Client) -> list[Any]:
        return [client.get("/")]

    assert ask_both([handler], talk) == [(200, {"state": {"a": 1}, "injected": {}})]
