"""The values of a connection, as Litestar's own checks want to see them.

Annotations in handlers name Litestar's classes (``headers: Headers``, ``data: UploadFile``), and the
signature model asks whether what is injected is one. Left out: ``Address``, a tuple that equals Litestar's.
"""

from __future__ import annotations

from typing import TypeVar

import litestar.datastructures as theirs

from asgiwire import datastructures as ours

from ._adoption import become, faced

__all__ = ("with_face",)

T = TypeVar("T")

_FACES: dict[type, type] = {
    ours.Accept: faced(ours.Accept, theirs.Accept),
    ours.FormMultiDict: faced(ours.FormMultiDict, theirs.FormMultiDict),
    ours.Headers: faced(ours.Headers, theirs.Headers),
    ours.MultiDict: faced(ours.MultiDict, theirs.MultiDict),
    ours.State: faced(ours.State, theirs.State),
    ours.UploadFile: faced(ours.UploadFile, theirs.UploadFile),
    ours.URL: faced(ours.URL, theirs.URL),
}


def with_face(value: T) -> T:
    """The same object, which ``isinstance`` takes for Litestar's too from now on."""
    face = _FACES.get(type(value))
    if face is not None:
        become(value, face)
    return value
