"""JSON and MessagePack through msgspec. Errors name the place in the data and never contain the data."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar, overload

import msgspec

from .exceptions import SerializationException, ValidationException
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

# Two messages of msgspec quote the invalid value, which must not appear in an error message.
QUOTED_VALUE: Final = re.compile(
    r"^(Invalid (?:enum )?value) .*?((?: - at `[^`]*`(?: in `[^`]*`)?)?)$", re.DOTALL
)

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
def decode_json(value: str | bytes, *, strict: bool = ...) -> Any: ...
@overload
def decode_json(
    value: str | bytes, target_type: type[T], type_decoders: TypeDecoders | None = ..., strict: bool = ...
) -> T: ...
@overload
def decode_json(
    value: str | bytes, target_type: Any = ..., type_decoders: TypeDecoders | None = ..., strict: bool = ...
) -> Any: ...
def decode_json(
    value: str | bytes,
    target_type: Any = Empty,
    type_decoders: TypeDecoders | None = None,
    strict: bool = True,
) -> Any:
    """Decode JSON (RFC 8259); a UTF-8 byte order mark at the start is skipped.

    Args:
        value: One JSON document; ``bytes`` are UTF-8.
        target_type: Any type that msgspec can decode to; by default, builtin types.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not support. They are
            used only with a ``target_type``.
        strict: Whether to reject values that need a conversion, for example ``"1"`` for an ``int``.

    Raises:
        SerializationException: The document is malformed, not UTF-8, or nested too deep.
        ValidationException: A value does not match ``target_type``; the message names its place.
    """
    try:
        if target_type is Empty:
            return _json.decode(value)
        if type_decoders or not strict:
            hook = _decoding_hook(type_decoders)
            return msgspec.json.decode(value, type=target_type, strict=strict, dec_hook=hook)
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
            return decode_json(value[len(mark) :], target_type, type_decoders, strict)
        raise _client_error(error, "JSON") from _cause(error)


@overload
def decode_msgpack(value: bytes, *, strict: bool = ...) -> Any: ...
@overload
def decode_msgpack(
    value: bytes, target_type: type[T], type_decoders: TypeDecoders | None = ..., strict: bool = ...
) -> T: ...
@overload
def decode_msgpack(
    value: bytes, target_type: Any = ..., type_decoders: TypeDecoders | None = ..., strict: bool = ...
) -> Any: ...
def decode_msgpack(
    value: bytes,
    target_type: Any = Empty,
    type_decoders: TypeDecoders | None = None,
    strict: bool = True,
) -> Any:
    """Decode MessagePack.

    Args:
        value: One MessagePack value.
        target_type: Any type that msgspec can decode to; by default, builtin types.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not support. They are
            used only with a ``target_type``.
        strict: Whether to reject values that need a conversion, for example ``"1"`` for an ``int``.

    Raises:
        SerializationException: The data is malformed, contains text that is not UTF-8, or is nested too deep.
        ValidationException: A value does not match ``target_type``; the message names its place.
    """
    try:
        if target_type is Empty:
            return _msgpack.decode(value)
        if type_decoders or not strict:
            hook = _decoding_hook(type_decoders)
            return msgspec.msgpack.decode(value, type=target_type, strict=strict, dec_hook=hook)
        try:
            decoder = _msgpack_by_type[target_type]
        except (KeyError, TypeError):
            decoder = _new_decoder(msgspec.msgpack.Decoder, target_type, _msgpack_by_type)
        return decoder.decode(value)
    except (ValueError, RecursionError) as error:
        raise _client_error(error, "MessagePack") from _cause(error)


def _new_decoder(
    decoder_type: Callable[[Any], DecoderT], target_type: Any, cache: dict[Any, DecoderT]
) -> DecoderT:
    decoder = decoder_type(target_type)
    if len(cache) >= MAX_DECODERS:
        cache.clear()
    with suppress(TypeError):  # `Annotated` with unhashable metadata has no hash
        cache[target_type] = decoder
    return decoder


def _decoding_hook(type_decoders: TypeDecoders | None) -> Callable[[Any, Any], Any] | None:
    if not type_decoders:
        return None
    decoders = tuple(type_decoders)

    def decode(target_type: Any, value: Any) -> Any:
        for matches, decoder in decoders:
            if matches(target_type):
                return decoder(target_type, value)
        # The message of msgspec without a hook.
        msg = f"Expected `{getattr(target_type, '__name__', target_type)}`, got `{type(value).__name__}`"
        raise ValueError(msg)

    return decode


def _client_error(error: Exception, format_name: str) -> SerializationException | ValidationException:
    if isinstance(error, RecursionError):
        return SerializationException(f"{format_name} is nested too deep")
    if isinstance(error, UnicodeError):
        return SerializationException(f"{format_name} contains text that is not UTF-8")
    message = QUOTED_VALUE.sub(r"\1\2", str(error))
    if isinstance(error, msgspec.ValidationError):
        return ValidationException(message)
    return SerializationException(message)


def _cause(error: Exception) -> BaseException | None:
    """Return the error of a type decoder; the errors of msgspec can quote the data."""
    return error.__cause__
