"""Headers, query parameters, forms, URLs, state, addresses and uploads of both classes."""

from __future__ import annotations

import copy
import pickle

import pytest
import starlette.datastructures as theirs

from asgiwire import datastructures as ours
from asgiwire.integrations.starlette.datastructures import (
    URL,
    Address,
    FormData,
    Headers,
    QueryParams,
    State,
    UploadFile,
)

pytestmark = pytest.mark.anyio

PAIRS = [("a", "1"), ("b", "2"), ("a", "3")]


@pytest.mark.parametrize("name", ["URL", "Address", "Headers", "State", "UploadFile"])
def test_classes_inherit_from_both(name: str) -> None:
    cls = globals()[name]
    assert issubclass(cls, getattr(ours, name))
    assert issubclass(cls, getattr(theirs, name))


def test_multidicts_inherit_from_both() -> None:
    assert issubclass(QueryParams, (ours.ImmutableMultiDict))
    assert issubclass(QueryParams, theirs.QueryParams)
    assert issubclass(FormData, ours.FormMultiDict)
    assert issubclass(FormData, theirs.FormData)


@pytest.mark.parametrize("cls", [QueryParams, FormData])
@pytest.mark.parametrize("base", [theirs.QueryParams, theirs.FormData])
def test_multidict_behaves_as_starlettes(cls: type, base: type) -> None:
    both, expected = cls(PAIRS), base(PAIRS)
    assert both["a"] == expected["a"] == "3"
    assert both.get("a") == expected.get("a")
    assert both.get("c") is expected.get("c") is None
    assert both.get("c", 1) == expected.get("c", 1)
    assert both.getlist("a") == expected.getlist("a") == ["1", "3"]
    assert both.multi_items() == expected.multi_items() == PAIRS
    for method in ("keys", "values", "items"):
        assert list(getattr(both, method)()) == list(getattr(expected, method)())
    assert (len(both), list(both), "a" in both) == (len(expected), list(expected), True)
    assert both == expected
    assert (both != expected) is False
    assert both != PAIRS


@pytest.mark.parametrize("cls", [QueryParams, FormData])
def test_multidict_has_the_other_members_of_asgiwires(cls: type) -> None:
    values = cls(PAIRS, d="4")
    assert values.getall("a") == ["1", "3"]
    assert values.getone("a") == "1"
    assert values.dict() == {"a": ["1", "3"], "b": ["2"], "d": ["4"]}
    assert list(values.mutable_copy().items()) == [*PAIRS, ("d", "4")]
    assert ours.MultiDict(values.multi_items()).getall("a") == ["1", "3"]
    with pytest.raises(TypeError):
        hash(values)


@pytest.mark.parametrize("cls", [QueryParams, FormData])
def test_multidict_copies_and_pickles(cls: type) -> None:
    values = cls(PAIRS)
    for other in (values.copy(), copy.copy(values), pickle.loads(pickle.dumps(values))):
        assert type(other) is cls
        assert other.getall("a") == other.getlist("a") == ["1", "3"]


def test_query_params_from_text() -> None:
    params = QueryParams("a=1&a=2&b")
    assert params.multi_items() == [("a", "1"), ("a", "2"), ("b", "")]
    assert str(params) == "a=1&a=2&b="
    assert repr(params) == "QueryParams('a=1&a=2&b=')"


async def test_form_closes_all_its_files() -> None:
    first, second = UploadFile("text/plain", "a", b"1"), UploadFile("text/plain", "b", b"2")
    form = FormData([("file", first), ("file", second), ("field", "x")])
    async with form:
        assert form["file"] is second
    for upload in (first, second):
        with pytest.raises(ValueError, match="closed"):
            await upload.read()


def test_form_from_a_mapping_of_lists() -> None:
    form = FormData.from_form_data({"a": ["1", "3"], "b": "2"})
    assert form.multi_items() == [("a", "1"), ("a", "3"), ("b", "2")]


def test_headers_behave_as_starlettes() -> None:
    raw = [(b"a", b"1"), (b"cookie", b"secret"), (b"a", b"\xe9")]
    headers, expected = Headers(raw), theirs.Headers(raw=raw)
    for method in ("keys", "values", "items"):
        assert getattr(headers, method)() == getattr(expected, method)()
    assert headers.getlist("A") == expected.getlist("A") == ["1", "é"]
    assert headers.getlist("b") == []
    assert headers.raw == expected.raw == raw
    assert headers["A"] == expected["A"]
    assert dict(headers) == dict(expected)
    assert headers.mutablecopy() == expected
    assert headers == expected
    assert expected == headers
    assert theirs.MutableHeaders(headers).getlist("a") == ["1", "é"]


def test_headers_have_the_other_members_of_asgiwires() -> None:
    headers = Headers([(b"a", b"1"), (b"Cookie", b"secret"), (b"a", b"2")])
    assert headers.getall("a") == ["1", "2"]
    assert headers.dict() == {"a": ["1", "2"], "cookie": ["secret"]}
    assert "secret" not in repr(headers)


def test_url_behaves_as_starlettes() -> None:
    text = "https://ada:secret@example.org:8000/a%20b?x=1&x=2#top"
    url, expected = URL(text), theirs.URL(text)
    for name in ("scheme", "netloc", "path", "query", "fragment", "username", "password", "hostname", "port"):
        assert getattr(url, name) == getattr(expected, name)
    assert url.is_secure
    assert url.components == expected.components
    for method, arguments in (
        ("replace", {"port": 80}),
        ("include_query_params", {"y": 3}),
        ("replace_query_params", {"y": 3}),
    ):
        changed = getattr(url, method)(**arguments)
        assert type(changed) is URL
        assert str(changed) == str(getattr(expected, method)(**arguments))
    assert str(url.remove_query_params("x")) == str(expected.remove_query_params("x"))
    assert url == expected == url
    assert "secret" not in repr(url)


def test_url_has_the_other_members_of_asgiwires() -> None:
    url = URL("https://example.org/a?x=1")
    assert url.query_params["x"] == "1"
    assert str(url.with_replacements(path="/b")) == "https://example.org/b?x=1"
    assert {url: 1}[URL("https://example.org/a?x=1")] == 1
    assert pickle.loads(pickle.dumps(url)) == url


def test_url_takes_the_arguments_of_starlettes() -> None:
    scope = {"type": "http", "path": "/a", "headers": [(b"host", b"example.org")], "scheme": "http"}
    assert str(URL(scope=scope)) == "http://example.org/a"
    assert str(URL(scheme="https", netloc="example.org", path="/")) == "https://example.org/"
    assert str(URL(theirs.URL("/a"))) == "/a"
    assert str(URL()) == ""


def test_state_attribute_hides_a_method_of_the_same_name() -> None:
    state = State({"items": [1]})
    state.values = 2
    assert state.items == [1]
    assert (state["values"], state.values) == (2, 2)
    assert list(state.keys()) == ["items", "values"]
    with pytest.raises(AttributeError, match="missing"):
        _ = state.missing
    del state.items
    assert list(state.items()) == [("values", 2)]


def test_address_is_a_tuple() -> None:
    assert Address("127.0.0.1", 80) == ("127.0.0.1", 80) == theirs.Address("127.0.0.1", 80)


def test_upload_of_an_application_has_the_content_type_it_was_given() -> None:
    upload = UploadFile("text/plain", "a.txt", b"abc")
    assert upload.content_type == "text/plain"
    upload.content_type = "text/html"
    assert upload.content_type == "text/html"
