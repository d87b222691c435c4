"""JSON and MessagePack through msgspec. Errors name the place in the data and never contain the data."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar, overload

import msgspec

from .exceptions import RequestEntityTooLarge, SerializationException, UsageError, ValidationException
from .types import Empty, Serializer, TypeDecoders, TypeEncoders

__all__ = (
    "decode_json",
    "decode_msgpack",
    "default_serializer",
    "encode_json",
    "encode_msgpack",
)

T = TypeVar("T")
DecoderT = TypeVar("DecoderT")

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# Three messages of msgspec quote text of the client, which must not appear in an error message.
QUOTED_TEXT: Final = re.compile(
    r"^(Invalid (?:enum )?value|Object contains unknown field) .*?((?: - at `[^`]*`(?: in `[^`]*`)?)?)$",
    re.DOTALL,
)

JSON_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)

# MessagePack values of one byte: small numbers, nil, booleans, and the heads of small arrays and maps.
MSGPACK_RUN: Final = re.compile(rb"[\x00-\x9f\xa0\xc0-\xc3\xe0-\xff]++")
# The other heads: the bytes of the value without its content, and the bytes that hold the length of the
# content. The items of an array or a map are values of their own.
MSGPACK_HEADS: Final = {
    0xC4: (2, 1), 0xC5: (3, 2), 0xC6: (5, 4),  # bin
    0xC7: (3, 1), 0xC8: (4, 2), 0xC9: (6, 4),  # ext
    0xCA: (5, 0), 0xCB: (9, 0),  # float
    0xCC: (2, 0), 0xCD: (3, 0), 0xCE: (5, 0), 0xCF: (9, 0),  # uint
    0xD0: (2, 0), 0xD1: (3, 0), 0xD2: (5, 0), 0xD3: (9, 0),  # int
    0xD4: (3, 0), 0xD5: (4, 0), 0xD6: (6, 0), 0xD7: (10, 0), 0xD8: (18, 0),  # fixext
    0xD9: (2, 1), 0xDA: (3, 2), 0xDB: (5, 4),  # str
    0xDC: (3, 0), 0xDD: (5, 0), 0xDE: (3, 0), 0xDF: (5, 0),  # array, map
}  # fmt: skip

# Decoders are cached by type: to build one takes as long as to decode a small body, and up to ten times that
# for a typed one. The cache is bounded because an application can create types at runtime.
MAX_DECODERS: Final = 256
_json: Final = msgspec.json.Decoder()
_msgpack: Final = msgspec.msgpack.Decoder()
_json_by_type: dict[Any, msgspec.json.Decoder[Any]] = {}
_msgpack_by_type: dict[Any, msgspec.msgpack.Decoder[Any]] = {}

_encoders_by_type: dict[type, Callable[[Any], Any]] = {}


def default_serializer(value: Any, type_encoders: TypeEncoders | None = None) -> Any:
    """Convert a value of a type that msgspec does not support to one that it supports.

    Supports paths, IP addresses and networks, deques, patterns, enums with any value, subclasses of the
    builtin types, and models with ``model_dump``.

    Args:
        value: The value that msgspec cannot encode.
        type_encoders: Encoders by type. They take precedence over the default ones; of several that match,
            the one for the most derived class is used.

    Raises:
        TypeError: The type is not supported.
    """
    defaults = _encoders_by_type or _default_encoders()
    given: TypeEncoders = type_encoders or {}
    for base in type(value).__mro__[:-1]:
        encoder = given.get(base) or defaults.get(base)
        if encoder is not None:
            return encoder(value)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump()
    msg = f"cannot encode {type(value).__qualname__}; add an encoder for it to type_encoders"
    raise TypeError(msg)


def _default_encoders() -> dict[type, Callable[[Any], Any]]:
    """Build the table on first use: most applications never need these modules."""
    import enum
    import ipaddress
    import pathlib
    from collections import deque

    texts = (
        pathlib.PurePath,
        ipaddress.IPv4Address,
        ipaddress.IPv4Interface,
        ipaddress.IPv4Network,
        ipaddress.IPv6Address,
        ipaddress.IPv6Interface,
        ipaddress.IPv6Network,
    )
    encoders: dict[type, Callable[[Any], Any]] = dict.fromkeys(texts, str)
    encoders[deque] = list
    encoders[enum.Enum] = lambda member: member.value
    encoders[re.Pattern] = lambda pattern: pattern.pattern
    # msgspec rejects subclasses of these; the last class but one in their __mro__ is the builtin.
    encoders.update((builtin, builtin) for builtin in (str, int, float, bytes, set, frozenset))
    _encoders_by_type.update(encoders)  # in one step, because another thread may read it
    return _encoders_by_type


# Reusing one encoder takes 10 % less time for a small value.
_json_encoder: Final = msgspec.json.Encoder(enc_hook=default_serializer)
_msgpack_encoder: Final = msgspec.msgpack.Encoder(enc_hook=default_serializer)


# decode_json() and encode_json() without type, serializer and error handling. For small WebSocket messages
# the call of the full functions takes 10 % of the time.
decode_untyped_json: Final = _json.decode
encode_plain_json: Final = _json_encoder.encode


def encode_json(value: Any, serializer: Serializer | None = None) -> bytes:
    """Encode a value as JSON (RFC 8259), in UTF-8 and without white space.

    Args:
        value: A value that msgspec can encode, or that the serializer converts to one.
        serializer: Called with each value that msgspec does not support; ``None`` means
            ``default_serializer``.

    Raises:
        TypeError: A value has a type that neither supports.
    """
    if serializer is None or serializer is default_serializer:
        return _json_encoder.encode(value)
    return msgspec.json.encode(value, enc_hook=serializer)


def encode_msgpack(value: Any, serializer: Serializer | None = default_serializer) -> bytes:
    """Encode a value as MessagePack.

    Args:
        value: A value that msgspec can encode, or that the serializer converts to one.
        serializer: Called with each value that msgspec does not support; ``None`` means
            ``default_serializer``.

    Raises:
        TypeError: A value has a type that neither supports.
    """
    if serializer is None or serializer is default_serializer:
        return _msgpack_encoder.encode(value)
    return msgspec.msgpack.encode(value, enc_hook=serializer)


@overload
def decode_json(value: str | bytes, *, strict: bool = ..., max_values: int | None = ...) -> Any: ...
@overload
def decode_json(
    value: str | bytes,
    target_type: type[T],
    type_decoders: TypeDecoders | None = ...,
    strict: bool = ...,
    max_values: int | None = ...,
) -> T: ...
@overload
def decode_json(
    value: str | bytes,
    target_type: Any = ...,
    type_decoders: TypeDecoders | None = ...,
    strict: bool = ...,
    max_values: int | None = ...,
) -> Any: ...
def decode_json(
    value: str | bytes,
    target_type: Any = Empty,
    type_decoders: TypeDecoders | None = None,
    strict: bool = True,
    max_values: int | None = None,
) -> Any:
    """Decode JSON (RFC 8259); a UTF-8 byte order mark at the start is skipped.

    Args:
        value: One JSON document; ``bytes`` are UTF-8.
        target_type: Any type that msgspec can decode to; by default, builtin types.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not support. They are
            used only with a ``target_type``.
        strict: Whether to reject values that need a conversion, for example ``"1"`` for an ``int``.
        max_values: The most values that the document may have; ``None`` for no limit. It applies to the
            default type and to types that contain ``Any``, ``object`` or a container of them.

    Raises:
        SerializationException: The document is malformed, not UTF-8, or nested too deep.
        ValidationException: A value does not match ``target_type``; the message names its place.
        RequestEntityTooLarge: The document has more than ``max_values`` values. Nothing was decoded.
        UsageError: msgspec and ``type_decoders`` do not support ``target_type``.
    """
    # A value takes at least one byte, and nearly every document has fewer bytes.
    if max_values is not None and len(value) > max_values:
        _check_json_values(value, target_type, max_values)
    try:
        if target_type is Empty:
            return _json.decode(value)
        if type_decoders or not strict:
            options = {"strict": strict, "dec_hook": _decoding_hook(type_decoders)}
            return _new_decoder(msgspec.json.Decoder, target_type, options).decode(value)
        try:
            decoder = _json_by_type[target_type]
        except (KeyError, TypeError):
            decoder = _cached_decoder(msgspec.json.Decoder, target_type, _json_by_type)
        return decoder.decode(value)
    except (ValueError, RecursionError) as error:
        mark: Any = "\ufeff" if isinstance(value, str) else BYTE_ORDER_MARK
        # Checked only after a failure, because nearly no document has a byte order mark. Two of them are
        # malformed, which also bounds the recursion to one call.
        if value.startswith(mark) and not value.startswith(mark, len(mark)):
            return decode_json(value[len(mark) :], target_type, type_decoders, strict)  # counted above
        raise _client_error(error, "JSON") from _cause(error)


@overload
def decode_msgpack(value: bytes, *, strict: bool = ..., max_values: int | None = ...) -> Any: ...
@overload
def decode_msgpack(
    value: bytes,
    target_type: type[T],
    type_decoders: TypeDecoders | None = ...,
    strict: bool = ...,
    max_values: int | None = ...,
) -> T: ...
@overload
def decode_msgpack(
    value: bytes,
    target_type: Any = ...,
    type_decoders: TypeDecoders | None = ...,
    strict: bool = ...,
    max_values: int | None = ...,
) -> Any: ...
def decode_msgpack(
    value: bytes,
    target_type: Any = Empty,
    type_decoders: TypeDecoders | None = None,
    strict: bool = True,
    max_values: int | None = None,
) -> Any:
    """Decode MessagePack.

    Args:
        value: One MessagePack value.
        target_type: Any type that msgspec can decode to; by default, builtin types.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not support. They are
            used only with a ``target_type``.
        strict: Whether to reject values that need a conversion, for example ``"1"`` for an ``int``.
        max_values: The most values, keys included, that the data may have; ``None`` for no limit. It applies
            to the same types as in :func:`decode_json`.

    Raises:
        SerializationException: The data is malformed, contains text that is not UTF-8, or is nested too deep.
        ValidationException: A value does not match ``target_type``; the message names its place.
        RequestEntityTooLarge: The data has more than ``max_values`` values. Nothing was decoded.
        UsageError: msgspec and ``type_decoders`` do not support ``target_type``.
    """
    if max_values is not None and len(value) > max_values:
        _check_msgpack_values(value, target_type, max_values)
    try:
        if target_type is Empty:
            return _msgpack.decode(value)
        if type_decoders or not strict:
            options = {"strict": strict, "dec_hook": _decoding_hook(type_decoders)}
            return _new_decoder(msgspec.msgpack.Decoder, target_type, options).decode(value)
        try:
            decoder = _msgpack_by_type[target_type]
        except (KeyError, TypeError):
            decoder = _cached_decoder(msgspec.msgpack.Decoder, target_type, _msgpack_by_type)
        return decoder.decode(value)
    except (ValueError, RecursionError) as error:
        raise _client_error(error, "MessagePack") from _cause(error)


def _check_json_values(value: str | bytes, target_type: Any, maximum: int) -> None:
    """Raise :class:`RequestEntityTooLarge` if a document has more values than the maximum.

    Objects, arrays, numbers, strings and literals are values, keys are not.
    """
    # Every value but one takes at least two bytes: "[]", or "0" and a comma.
    if len(value) // 2 < maximum or not _is_untyped(target_type):
        return
    data = value.encode("utf-8", "replace") if isinstance(value, str) else value
    # A container of n items has n - 1 commas. This counts empty containers twice, and commas and brackets in
    # strings, so a second pass decides. Only documents that are too large and those with much text need it.
    if 1 + _count_separators(data) <= maximum:
        return
    data = JSON_STRING.sub(b'"', data).translate(None, b" \t\n\r")
    if 1 + _count_separators(data) - data.count(b"[]") - data.count(b"{}") > maximum:
        raise RequestEntityTooLarge(limit="max_values", maximum=maximum)


def _count_separators(data: bytes) -> int:
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _check_msgpack_values(data: bytes, target_type: Any, maximum: int) -> None:
    """Raise :class:`RequestEntityTooLarge` if the data has more values than the maximum.

    Every object is a value: containers, the items of arrays, and the keys and values of maps.
    """
    if not _is_untyped(target_type):
        return
    count = position = 0
    size = len(data)
    # Every value has a head that tells its length. The heads follow one another, whatever the nesting.
    while position < size:
        run = MSGPACK_RUN.match(data, position)
        if run is not None:
            count += run.end() - position
            position = run.end()
        else:
            count += 1
            position += _msgpack_length(data, position)
        if count > maximum:
            raise RequestEntityTooLarge(limit="max_values", maximum=maximum)


def _msgpack_length(data: bytes, position: int) -> int:
    """Return the bytes of a value that is not a run of one byte; of a container, those of its head."""
    head = data[position]
    if head < 0xC0:  # fixstr
        return 1 + (head & 0x1F)
    length, width = MSGPACK_HEADS[head]
    return length + int.from_bytes(data[position + 1 : position + 1 + width], "big")


def _is_untyped(target_type: Any) -> bool:
    """Return whether a type contains ``Any`` or a type with a decoder, which the client fills at will."""
    if target_type is Empty or target_type is Any:
        return True
    seen: set[int] = set()
    pending: list[Any] = []
    with suppress(TypeError):
        pending.append(msgspec.inspect.type_info(target_type))
    while pending:
        info = pending.pop()
        # The decoder of a custom type takes a value of builtin types.
        if isinstance(info, msgspec.inspect.AnyType | msgspec.inspect.CustomType):
            return True
        if isinstance(info, msgspec.inspect.Type | msgspec.inspect.Field) and id(info) not in seen:
            seen.add(id(info))
            for name in info.__struct_fields__:
                value = getattr(info, name)
                pending += value if isinstance(value, tuple) else (value,)
    return False


def _new_decoder(
    decoder_type: Callable[..., DecoderT], target_type: Any, options: dict[str, Any] | None = None
) -> DecoderT:
    try:
        return decoder_type(target_type, **(options or {"dec_hook": _unsupported}))
    except TypeError as error:
        raise UsageError(f"cannot decode to {_type_name(target_type)}: {error}") from error


def _cached_decoder(
    decoder_type: Callable[..., DecoderT], target_type: Any, cache: dict[Any, DecoderT]
) -> DecoderT:
    decoder = _new_decoder(decoder_type, target_type)
    if len(cache) >= MAX_DECODERS:
        cache.clear()
    with suppress(TypeError):  # `Annotated` with unhashable metadata has no hash
        cache[target_type] = decoder
    return decoder


def _decoding_hook(type_decoders: TypeDecoders | None) -> Callable[[Any, Any], Any]:
    decoders = tuple(type_decoders or ())

    def decode(target_type: Any, value: Any) -> Any:
        for matches, decoder in decoders:
            if matches(target_type):
                return decoder(target_type, value)
        return _unsupported(target_type, value)

    return decode


def _unsupported(target_type: Any, value: Any) -> Any:
    """Return a value that already has a type that msgspec does not support, such as an abstract class."""
    with suppress(TypeError):  # a parametrized generic is no class
        if isinstance(value, target_type):
            return value
    raise UsageError(f"cannot decode to {_type_name(target_type)}; add a decoder for it to type_decoders")


def _type_name(target_type: Any) -> str:
    return str(getattr(target_type, "__qualname__", target_type))


def _client_error(error: Exception, format_name: str) -> SerializationException | ValidationException:
    if isinstance(error, RecursionError):
        return SerializationException(f"{format_name} is nested too deep")
    if isinstance(error, UnicodeError):
        return SerializationException(f"{format_name} contains text that is not UTF-8")
    message = str(error)
    if error.__cause__ is not None:
        # The message of a decoder, or of `__post_init__`, can quote the data. msgspec appends the place.
        quoted = str(error.__cause__)
        message = f"Invalid value{message[len(quoted) :] if message.startswith(quoted) else ''}"
    else:
        message = QUOTED_TEXT.sub(r"\1\2", message)
    if isinstance(error, msgspec.ValidationError):
        return ValidationException(message)
    return SerializationException(message)


def _cause(error: Exception) -> BaseException | None:
    """Return the error of a type decoder; the errors of msgspec can quote the data."""
    return error.__cause__
