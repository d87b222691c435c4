"""JSON and MessagePack with msgspec. Errors contain the path to the invalid value, never the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar, overload

import msgspec

from .exceptions import RequestEntityTooLarge, SerializationException, UsageError, ValidationException
from .types import Empty, Serializer, TypeDecoders, TypeEncoders

__all__ = (
    "decode_json",
    "decode_msgpack",
    "decode_params",
    "default_serializer",
    "encode_json",
    "encode_msgpack",
)

T = TypeVar("T")

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# Three messages of msgspec contain text of the client, which must not be in an error message.
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
# The path that msgspec appends to a message.
PLACE: Final = re.compile(r" - at `\$([^`]*)`$")

# Decoders are cached by type. Building one takes as long as decoding a small body, or up to ten times that
# for a typed body. The cache is bounded because an application can create types at runtime.
MAX_DECODERS: Final = 256
_json: Final = msgspec.json.Decoder()
_msgpack: Final = msgspec.msgpack.Decoder()
_json_by_type: dict[Any, msgspec.json.Decoder[Any]] = {}
_msgpack_by_type: dict[Any, msgspec.msgpack.Decoder[Any]] = {}
_plan_by_type: dict[Any, Any] = {}  # how _typed.params arranges text values

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
    """Build the table on first use, because most applications do not need these modules."""
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


# encode_json() without a serializer, and decode_json() without a type and with the errors of msgspec. For
# small WebSocket messages, each takes 5 % less time.
encode_plain_json: Final = _json_encoder.encode
decode_plain_json: Final = _json.decode


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
        target_type: Any type that msgspec or Pydantic can decode to; by default, builtin types. A type that
            contains Pydantic models is validated by Pydantic.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not support. They are
            used only with a ``target_type``.
        strict: Whether to reject values that need a conversion, for example ``"1"`` for an ``int``. Pydantic
            uses the configuration of the model instead.
        max_values: The maximum number of values in the document; ``None`` for no limit. It applies to the
            default type and to types that contain ``Any``, ``object`` or a container of them.

    Raises:
        SerializationException: The document is malformed, not UTF-8, or nested too deep.
        ValidationException: A value does not match ``target_type``; the message contains its path.
        RequestEntityTooLarge: The document has more than ``max_values`` values. Nothing was decoded.
        UsageError: ``target_type`` is not supported.
    """
    # A value takes at least one byte, and nearly every document has fewer bytes.
    if max_values is not None and len(value) > max_values:
        _check_json_values(value, target_type, max_values)
    try:
        if target_type is Empty:
            return _json.decode(value)
        if type_decoders or not strict:
            return _build_decoder(msgspec.json.Decoder, target_type, type_decoders, strict).decode(value)
        try:
            decoder = _json_by_type[target_type]
        except (KeyError, TypeError):
            decoder = _new_decoder(msgspec.json.Decoder, target_type, _json_by_type)
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
        target_type: As in :func:`decode_json`.
        type_decoders: As in :func:`decode_json`.
        strict: As in :func:`decode_json`.
        max_values: The maximum number of values, keys included; ``None`` for no limit. It applies to the same
            types as in :func:`decode_json`.

    Raises:
        SerializationException: The data is malformed, contains text that is not UTF-8, or is nested too deep.
        ValidationException: A value does not match ``target_type``; the message contains its path.
        RequestEntityTooLarge: The data has more than ``max_values`` values. Nothing was decoded.
        UsageError: ``target_type`` is not supported.
    """
    if max_values is not None and len(value) > max_values:
        _check_msgpack_values(value, target_type, max_values)
    try:
        if target_type is Empty:
            return _msgpack.decode(value)
        if type_decoders or not strict:
            return _build_decoder(msgspec.msgpack.Decoder, target_type, type_decoders, strict).decode(value)
        try:
            decoder = _msgpack_by_type[target_type]
        except (KeyError, TypeError):
            decoder = _new_decoder(msgspec.msgpack.Decoder, target_type, _msgpack_by_type)
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
    # strings, so a second pass counts exactly. Only documents over the limit, or with much text, need it.
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
    # Every value has a head with its length. The heads are consecutive, independent of the nesting.
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
    """Return the size of a value of several bytes; for a container, the size of its head."""
    head = data[position]
    if head < 0xC0:  # fixstr
        return 1 + (head & 0x1F)
    length, width = MSGPACK_HEADS[head]
    return length + int.from_bytes(data[position + 1 : position + 1 + width], "big")


def _is_untyped(target_type: Any) -> bool:
    """Return whether a type contains ``Any`` or a type with a decoder, which accept any values."""
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


@overload
def decode_params(
    values: Mapping[str, Any] | Iterable[tuple[str, Any]],
    type: type[T],
    *,
    type_decoders: TypeDecoders | None = ...,
) -> T: ...
@overload
def decode_params(
    values: Mapping[str, Any] | Iterable[tuple[str, Any]],
    type: Any,
    *,
    type_decoders: TypeDecoders | None = ...,
) -> Any: ...
def decode_params(
    values: Mapping[str, Any] | Iterable[tuple[str, Any]],
    type: Any,
    *,
    type_decoders: TypeDecoders | None = None,
) -> Any:
    """Decode text values by name, such as headers, cookies or path parameters, to a type with fields.

    Text is converted to the types of the fields. A field of a sequence type gets all values of its name,
    every other field the first one. Empty text counts as missing, unless the field accepts text. For
    a ``bool``, ``on``, ``off``, ``yes`` and ``no`` are valid too. Unknown names are ignored unless the type
    forbids them.

    Args:
        values: A mapping, a multidict or pairs. In the names, ``-`` and ``_`` are equal, and so are upper and
            lower case, so that ``x-request-id`` matches the field ``x_request_id``.
        type: A msgspec Struct, dataclass, attrs class, TypedDict, NamedTuple, Pydantic model or dataclass, a
            ``dict``, or a union of these that msgspec or Pydantic supports.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not support.

    Raises:
        ValidationException: A value does not match; the message contains its path, such as ``$.page``.
        UsageError: ``type`` is not supported, or has no fields.
    """
    from ._typed.params import flatten

    rename = _plan_for(type).rename
    pairs = [(rename(name), value) for name, value in flatten(values)]
    return _decode_pairs(pairs, type, type_decoders)


def _decode_pairs(
    pairs: Sequence[tuple[str, Any]], target_type: Any, type_decoders: TypeDecoders | None = None
) -> Any:
    """Decode as :func:`decode_params` does, with exact names."""
    plan = _plan_for(target_type)
    validator = plan.validator
    if validator is not None and type_decoders:
        validator = plan.validator_with(type_decoders)
    try:
        values = plan.arrange(pairs)
        if validator is not None:
            return validator.validate(values, lax=True)
        hook = _decoding_hook(type_decoders)
        if plan.is_mapping:
            return msgspec.convert(values, plan.target, strict=False, dec_hook=hook, str_keys=True)
        value = msgspec.convert(values, plan.target, strict=False, dec_hook=hook)
    except TypeError as error:
        raise _unsupported(target_type, error) from error
    except (ValueError, RecursionError) as error:
        raise _client_error(error, "text") from _cause(error)
    if plan.named_tuple is not None:
        return plan.named_tuple(*msgspec.structs.astuple(value))
    return value


def _plan_for(target_type: Any) -> Any:
    try:
        return _plan_by_type[target_type]
    except (KeyError, TypeError):
        from ._typed.params import Plan

        return _remember(_plan_by_type, target_type, Plan(target_type))


class _PydanticDecoder:
    """A decoder with the interface of msgspec's decoders, whose values Pydantic validates."""

    __slots__ = ("_decode", "_validate")

    def __init__(self, decode: Callable[[Any], Any], validate: Callable[[Any], Any]) -> None:
        self._decode = decode
        self._validate = validate

    def decode(self, value: Any) -> Any:
        return self._validate(self._decode(value))


def _new_decoder(decoder_type: Callable[..., Any], target_type: Any, cache: dict[Any, Any]) -> Any:
    return _remember(cache, target_type, _build_decoder(decoder_type, target_type, None, True))


def _remember(cache: dict[Any, T], target_type: Any, value: T) -> T:
    if len(cache) >= MAX_DECODERS:
        cache.clear()
    with suppress(TypeError):  # `Annotated` with unhashable metadata has no hash
        cache[target_type] = value
    return value


def _build_decoder(
    decoder_type: Callable[..., Any], target_type: Any, type_decoders: TypeDecoders | None, strict: bool
) -> Any:
    from ._typed.pydantic import validator_for

    validator = validator_for(target_type, type_decoders)
    if validator is not None:
        return _PydanticDecoder(decoder_type().decode, validator.validate)
    try:
        return decoder_type(target_type, strict=strict, dec_hook=_decoding_hook(type_decoders))
    except TypeError as error:
        raise _unsupported(target_type, error) from error


def _decoding_hook(type_decoders: TypeDecoders | None) -> Callable[[Any, Any], Any]:
    if not type_decoders:
        return _decode_custom
    decoders = tuple(type_decoders)

    def decode(target_type: Any, value: Any) -> Any:
        for matches, decoder in decoders:
            if matches(target_type):
                return decoder(target_type, value)
        return _decode_custom(target_type, value)

    return decode


def _decode_custom(target_type: Any, value: Any) -> Any:
    """Decode to a type that neither msgspec nor ``type_decoders`` support."""
    if isinstance(target_type, type):
        if isinstance(value, target_type):
            return value
        if getattr(target_type, "_is_received", False):  # such as UploadFile: no value is converted to it
            from ._typed import InvalidValueError

            # The message of msgspec without a hook.
            raise InvalidValueError(f"Expected `{target_type.__name__}`, got `{type(value).__name__}`")
    from ._typed.pydantic import validator_for

    validator = validator_for(target_type)
    if validator is not None:
        return validator.validate(value)
    raise _unsupported(target_type)


def _unsupported(target_type: Any, error: TypeError | None = None) -> UsageError:
    name = getattr(target_type, "__qualname__", None) or repr(target_type)
    reason = "msgspec does not support it" if error is None else str(error)
    return UsageError(f"cannot decode to {name}: {reason}; add a decoder for it to type_decoders")


def _client_error(error: Exception, format_name: str) -> SerializationException | ValidationException:
    if isinstance(error, RecursionError):
        return SerializationException(f"{format_name} is nested too deep")
    if isinstance(error, UnicodeError):
        return SerializationException(f"{format_name} contains text that is not UTF-8")
    from ._typed import InvalidValueError

    invalid = error.__cause__ or error
    if isinstance(invalid, InvalidValueError):
        outer = PLACE.search(str(error))
        place = (outer[1] if outer else "") + invalid.place
        return ValidationException(f"{invalid.message} - at `${place}`" if place else invalid.message)
    message = str(error)
    if error.__cause__ is not None:
        # The message of a decoder, or of `__post_init__`, can contain the data. msgspec appends the path.
        quoted = str(error.__cause__)
        message = f"Invalid value{message[len(quoted) :] if message.startswith(quoted) else ''}"
    else:
        message = QUOTED_TEXT.sub(r"\1\2", message)
    if isinstance(error, msgspec.ValidationError):
        return ValidationException(message)
    return SerializationException(message)


def _cause(error: Exception) -> BaseException | None:
    """Return the error of a type decoder, because the errors of msgspec can contain the data."""
    return error.__cause__
