"""Files that are used after their form was closed."""

from __future__ import annotations

import gc

import pytest

from asgiwire import Limits
from asgiwire.datastructures import FormMultiDict, UploadFile
from asgiwire.testing import RequestFactory

pytestmark = pytest.mark.anyio

sizes = pytest.mark.parametrize("spool_size", [0, 4, 100], ids=["on disk", "moved to disk", "in memory"])


async def upload_of(content: bytes, spool_size: int) -> UploadFile:
    upload = UploadFile("text/plain", "a.txt", None, {"x-a": "b"}, spool_size)
    await upload.write(content)
    await upload.seek(0)
    return upload


@sizes
async def test_closing_the_form_leaves_a_detached_file_open(spool_size: int) -> None:
    form = FormMultiDict([("f", await upload_of(b"hello", spool_size))])
    owner = form["f"].detach()
    await form.close()

    assert await owner.read() == b"hello"
    assert owner.rolled_to_disk is (spool_size < 5)
    assert owner.size == 5
    await owner.close()
    assert owner.file.closed


@sizes
async def test_detached_file_has_content_position_and_metadata(spool_size: int) -> None:
    upload = await upload_of(b"hello", spool_size)
    assert await upload.read(2) == b"he"
    async with upload.detach() as owner:
        assert (owner.filename, owner.content_type, owner.headers) == ("a.txt", "text/plain", {"x-a": "b"})
        assert await owner.tell() == 2
        assert await owner.read() == b"llo"
        assert await owner.write(b" there") == 6
        assert owner.rolled_to_disk is (spool_size < 11)
        assert await owner.read_at(0) == b"hello there"


@sizes
async def test_original_is_closed(spool_size: int) -> None:
    upload = await upload_of(b"hello", spool_size)
    owner = upload.detach()

    with pytest.raises(ValueError, match="closed"):
        await upload.read()
    with pytest.raises(ValueError, match="closed"):
        await upload.write(b"x")
    await upload.close()
    assert await owner.read() == b"hello"
    await owner.close()


async def test_detached_file_outlives_the_request() -> None:
    request = RequestFactory().post("/", files={"f": ("x.bin", b"0123456789", "image/png")})
    async with await request.form(limits=Limits(spool_size=3)) as form:
        owner = form["f"].detach()
    del request, form
    gc.collect()

    async with owner:
        assert [block async for block in owner] == [b"0123456789"]
