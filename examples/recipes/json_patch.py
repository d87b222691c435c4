"""JSON Patch (RFC 6902): typed operations, applied all or not at all, with limits on what they cost."""

import re
from copy import deepcopy
from typing import Annotated, Any

import msgspec

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect, ClientException, ValidationException
from asgiwire.sending import send_response
from asgiwire.serialization import decode_json
from asgiwire.types import Receive, Scope, Send

MEDIA_TYPE = "application/json-patch+json"
MAX_DOCUMENT_SIZE = 10_000
END = 10**9  # the index after the last item, "-" in a pointer

Pointer = Annotated[str, msgspec.Meta(pattern="^(/|$)")]  # RFC 6901


class Operation(msgspec.Struct, tag_field="op"):
    """Base class of all operations."""

    path: Pointer


class Add(Operation, tag="add"):
    """Set a member of an object, or insert an item into an array."""

    value: Any


class Replace(Operation, tag="replace"):
    """Set a member or an item that exists."""

    value: Any


class Test(Operation, tag="test"):
    """Compare; all operations fail if the value differs."""

    value: Any


class Remove(Operation, tag="remove"):
    """Delete a member or an item."""


class Move(Operation, tag="move"):
    """Remove a value from one place and add it in another."""

    source: Pointer = msgspec.field(name="from")


class Copy(Operation, tag="copy"):
    """Add a copy of a value in another place."""

    source: Pointer = msgspec.field(name="from")


Patch = Annotated[list[Add | Replace | Test | Remove | Move | Copy], msgspec.Meta(max_length=100)]


class Tea(msgspec.Struct, forbid_unknown_fields=True):
    """The document; the result of a patch has to match this type."""

    name: str
    price: Annotated[int, msgspec.Meta(gt=0)]
    tags: list[str] = []


class PatchRequest(Request):
    """A request with a small body."""

    limits = Limits(max_body_size=10_000, max_values=1000)


def key_in(container: Any, name: str) -> Any:
    """Return the key or index of one reference token of a JSON Pointer."""
    if isinstance(container, dict):
        return name
    if isinstance(container, list) and name == "-":
        return END
    if isinstance(container, list) and re.fullmatch("0|[1-9][0-9]{0,8}", name):
        return int(name)
    raise LookupError


def find(root: Any, pointer: str) -> tuple[Any, Any]:
    """Return the container that a pointer refers to, and the key in it."""
    # `root` is {"": document}, because the first name of a pointer is empty: "" is the document itself.
    *parents, last = (name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/"))
    for name in parents:
        root = root[key_in(root, name)]
    return root, key_in(root, last)


def add(root: Any, pointer: str, value: Any) -> None:
    """Set a member, or insert an item."""
    container, key = find(root, pointer)
    if isinstance(container, dict):
        container[key] = value
    elif key <= len(container) or key == END:
        container.insert(key, value)
    else:
        raise LookupError


def apply(root: Any, operation: Operation) -> None:
    """Apply one operation.

    Raises:
        LookupError: A place does not exist.
    """
    if isinstance(operation, Add):
        return add(root, operation.path, operation.value)
    container, key = find(root, operation.source if isinstance(operation, Move | Copy) else operation.path)
    current = container[key]
    match operation:
        case Replace(_, value):
            container[key] = value
        case Test(_, value) if value != current:
            raise ClientException("the value differs from that of a test", status_code=409)
        case Remove():
            del container[key]
        case Move(path):
            del container[key]
            add(root, path, current)
        case Copy(path):
            add(root, path, deepcopy(current))
        case _:  # a test that succeeded
            pass
    return None


def patched(tea: Tea, patch: Patch) -> Tea:
    """Return a changed copy of the document, or raise an error and change nothing."""
    root = {"": msgspec.to_builtins(tea)}
    try:
        for operation in patch:
            apply(root, operation)
            if len(msgspec.json.encode(root)) > MAX_DOCUMENT_SIZE:  # each copy can double the document
                raise ClientException("the document becomes too large", status_code=413)
        return decode_json(msgspec.json.encode(root.get("")), Tea)
    except (LookupError, RecursionError):
        raise ClientException("a place in the document does not exist", status_code=422) from None
    except ValidationException as error:
        raise ClientException(error.detail, status_code=422) from None


tea = Tea("Assam", 5)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """``GET`` returns the document, ``PATCH`` changes it."""
    global tea  # noqa: PLW0603 - used in place of a database
    request = PatchRequest(scope, receive, send)
    try:
        if request.method == "PATCH":
            if request.content_type[0] != MEDIA_TYPE:
                headers = {"accept-patch": MEDIA_TYPE}
                raise ClientException(f"expected {MEDIA_TYPE}", status_code=415, headers=headers)
            patch = await request.json(type=Patch)
            tea = patched(tea, patch)  # without an await in between, so that no other change is lost
        await send_response(send, 200, msgspec.json.encode(tea), {"content-type": "application/json"})
    except ClientException as error:
        await send_response(send, error.status_code, error.detail.encode(), error.headers)
    except ClientDisconnect:
        pass
