"""Forms, and closing their files."""

from __future__ import annotations

import pickle
from typing import Any

import anyio
import pytest

from asgiwire.datastructures import FormMultiDict, ImmutableMultiDict, UploadFile

pytestmark = pytest.mark.anyio


class Upload(UploadFile):
    """A file that counts its closes, and that can fail to close."""

    def __init__(self, failure: BaseException | None = None) -> None:
        super().__init__("text/plain", "a.txt", b"abc")
        self.failure = failure
        self.closed = 0

    async def close(self) -> None:
        await super().close()
        self.closed += 1
        if self.failure is not None:
            raise self.failure


def test_from_form_data_expands_lists() -> None:
    upload = UploadFile("text/plain", "a.txt")
    form = FormMultiDict.from_form_data(
        {"a": ["1", "2"], "file": upload, "b": "3", "none": [], "t": ("x", "y")}
    )
    assert list(form.multi_items()) == [
        ("a", "1"),
        ("a", "2"),
        ("file", upload),
        ("b", "3"),
        ("t", ("x", "y")),
    ]
    upload.file.close()


def test_from_form_data_of_a_subclass() -> None:
    class Form(FormMultiDict):
        pass

    assert type(Form.from_form_data({"a": "1"})) is Form
    assert isinstance(Form(), ImmutableMultiDict)


async def test_close_closes_all_files() -> None:
    uploads = [Upload(), Upload()]
    form = FormMultiDict([("a", "1"), ("f", uploads[0]), ("b", b"raw"), ("f", uploads[1])])
    await form.close()
    assert [upload.closed for upload in uploads] == [1, 1]
    assert all(upload.file.closed for upload in uploads)
    assert form["a"] == "1"


async def test_close_without_files() -> None:
    await FormMultiDict([("a", "1")]).close()


async def test_close_closes_all_files_and_raises_the_first_error() -> None:
    uploads = [Upload(), Upload(OSError("first")), Upload(OSError("second")), Upload()]
    with pytest.raises(OSError, match="first"):
        await FormMultiDict([("f", upload) for upload in uploads]).close()
    assert [upload.closed for upload in uploads] == [1, 1, 1, 1]


async def test_cancellation_takes_precedence_over_errors() -> None:
    class Waiting(Upload):
        async def close(self) -> None:
            await super().close()
            scope.cancel()
            await anyio.sleep(10)

    uploads = [Upload(OSError("lost")), Waiting(), Upload(OSError("lost too")), Upload()]
    with anyio.CancelScope() as scope:
        await FormMultiDict([("f", upload) for upload in uploads]).close()
    assert scope.cancelled_caught
    assert [upload.closed for upload in uploads] == [1, 1, 1, 1]


async def test_form_is_an_asynchronous_context_manager() -> None:
    upload = Upload()
    async with FormMultiDict([("f", upload)]) as form:
        assert await form["f"].read() == b"abc"
        assert not upload.closed
    assert upload.closed


async def test_context_manager_closes_on_error() -> None:
    upload = Upload()
    with pytest.raises(ZeroDivisionError):
        async with FormMultiDict([("f", upload)]):
            raise ZeroDivisionError
    assert upload.closed


def test_pickle() -> None:
    form: Any = FormMultiDict([("a", "1"), ("b", "2"), ("a", "3")])
    assert list(pickle.loads(pickle.dumps(form)).items()) == list(form.items())
