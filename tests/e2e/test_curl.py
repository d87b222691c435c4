"""Requests of curl to real servers."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from .servers import HTTP1, HTTP2, each

if TYPE_CHECKING:
    from pathlib import Path

    from .processes import Running

CURL = shutil.which("curl")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(90),
    pytest.mark.skipif(CURL is None, reason="curl is not installed: apt-get install curl"),
    each(HTTP1 | HTTP2),
]


def curl(server: Running, target: str, *arguments: str) -> Any:
    """Run curl without the user's configuration, and return the decoded JSON response."""
    version = ["--http2", "--cacert", str(server.authority_file)] if server.server.http2 else ["--http1.1"]
    command = [
        str(CURL),
        "--disable",
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        "--noproxy",
        "*",
        *version,
    ]
    completed = subprocess.run(
        [*command, *arguments, f"{server.base_url}{target}"], capture_output=True, timeout=30, check=False
    )
    assert completed.returncode == 0, completed.stderr.decode()
    return json.loads(completed.stdout)


def test_several_cookie_headers(server: Running) -> None:
    response = curl(server, "/inspect", "-H", "Cookie: a=1; b=2", "-H", "Cookie: c=3", "-H", "Cookie: d=é")
    assert response["cookies"] == {"a": "1", "b": "2", "c": "3", "d": "é"}


def test_cookies_of_the_cookie_option(server: Running) -> None:
    assert curl(server, "/inspect", "--cookie", 'a=1; b="2"')["cookies"] == {"a": "1", "b": "2"}


def test_headers_and_url(server: Running) -> None:
    response = curl(
        server, "/inspect/%C3%A9%2F?q=%C3%A9", "-H", "X-One: 1", "-H", "X-One: 2", "-H", "Accept: text/html"
    )
    assert response["http_version"] == ("2" if server.server.http2 else "1.1")
    assert response["url"] == f"{server.base_url}/inspect/%C3%A9%2F?q=%C3%A9"
    assert [value for name, value in response["headers"] if name == "x-one"] == ["1", "2"]
    assert response["accept"] == ["text/html"]


def test_urlencoded_form(server: Running) -> None:
    assert curl(server, "/form", "-d", "a=1", "--data-urlencode", "b=x y&✓") == [["a", "1"], ["b", "x y&✓"]]


def test_multipart_form_with_a_file(server: Running, tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    path = tmp_path / 'größe "1".bin'
    path.write_bytes(data)
    # On the command line a quote is escaped with a backslash; curl sends it as browsers do.
    quoted = str(path).replace('"', '\\"')
    response = curl(server, "/form", "-F", "note=hello", "-F", f'file=@"{quoted}";type=image/png')
    assert response == [
        ["note", "hello"],
        [
            "file",
            {
                "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "filename": path.name,
                "content_type": "image/png",
                "on_disk": True,
            },
        ],
    ]


@pytest.mark.parametrize("arguments", [[], ["-H", "Expect: 100-continue"]], ids=["plain", "Expect"])
def test_upload_of_five_megabytes(server: Running, tmp_path: Path, arguments: list[str]) -> None:
    if arguments and server.server.http2:
        pytest.skip("no server answers Expect over HTTP/2, and curl waits a second for it")
    data = bytes(range(256)) * (5 * 4096)
    path = tmp_path / "upload.bin"
    path.write_bytes(data)
    response = curl(server, "/body", "--data-binary", f"@{path}", *arguments)
    assert response == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "again": True}
