"""JSON and MessagePack through msgspec, with errors that name the place and show nothing of the data.

Left out: any other format, and any cache of what was decoded. A decoded value is new at each call, so
that nobody changes what another one reads.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

import msgspec

from .exceptions import SerializationException, ValidationException
from .types import Empty

if TYPE_CHECKING:
    from collections.abc import Callable

    from .types import Serializer, TypeDecoders, TypeEncoders

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

# msgspec quotes the offending value in two of its sentences; the data is not ours to repeat.
QUOTED_VALUE: Final = re.compile(
    r"^(Invalid (?:enum )?value) .*?((?: - at `[^`]*`(?: in `[^`]*`)?)?)$", re.DOTALL
)

# One decoder for all untyped values, and one for each type: building one costs as much as decoding a small
# body, and for a type up to ten times that. The types are the program's, which may make new ones for ever.
MOST_DECODERS: Final = 256
_json: Final = msgspec.json.Decoder()
_msgpack: Final = msgspec.msgpack.Decoder()
_json_by_type: dict[Any, msgspec.json.Decoder[Any]] = {}
_msgpack_by_type: dict[Any, msgspec.msgpack.Decoder[Any]] = {}

_encoders_by_type: dict[type, Callable[[Any], Any]] = {}


def default_serializer(value: Any, type_encoders: TypeEncoders | None = None) -> Any:
    """Turn a value that msgspec does not know into one that it does.

    Knows paths, IP addresses and networks, deques, patterns, enums of any value, subclasses of the
    builtin types, and model objects with ``model_dump``.

    Args:
        value: What the encoder could not encode.
        type_encoders: Encoders by type, asked before the default ones; the nearest class wins.

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
    msg = f"cannot encode {type(value).__qualname__}: give an encoder for it in type_encoders"
    raise TypeError(msg)


def _default_encoders() -> dict[type, Callable[[Any], Any]]:
    """Fill the table when the first exotic value is encoded: most programs never need these modules."""
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
    # msgspec refuses subclasses of these; the last but one class of their __mro__ is the builtin.
    encoders.update((builtin, builtin) for builtin in (str, int, float, bytes, set, frozenset))
    _encoders_by_type.update(encoders)  # at once, for another thread may be looking
    return _encoders_by_type


# One encoder of each kind for all values: it takes a tenth off a small one.
_json_encoder: Final = msgspec.json.Encoder(enc_hook=default_serializer)
_msgpack_encoder: Final = msgspec.msgpack.Encoder(enc_hook=default_serializer)


# What decode_json() and encode_json() come to without a type and a serializer, less the words of the errors.
# A WebSocket's messages are so small that calling those takes a tenth of their time.
decode_untyped_json: Final = _json.decode
encode_plain_json: Final = _json_encoder.encode


def encode_json(value: Any, serializer: Serializer | None = None) -> bytes:
    """Encode a value as JSON (RFC 8259), in UTF-8 and without white space.

    Args:
        value: Anything that msgspec encodes, or that the serializer turns into such.
        serializer: Called with each value that msgspec does not know; ``default_serializer`` if ``None``.

    Raises:
        TypeError: A value is of a type that neither supports.
    """
    if serializer is None or serializer is default_serializer:
        return _json_encoder.encode(value)
    return msgspec.json.encode(value, enc_hook=serializer)


def encode_msgpack(value: Any, serializer: Serializer | None = default_serializer) -> bytes:
    """Encode a value as MessagePack.

    Args:
        value: Anything that msgspec encodes, or that the serializer turns into such.
        serializer: Called with each value that msgspec does not know; ``default_serializer`` if ``None``.

    Raises:
        TypeError: A value is of a type that neither supports.
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
    """Decode JSON (RFC 8259); a UTF-8 byte order mark in front is skipped.

    Args:
        value: One JSON document; bytes are UTF-8.
        target_type: Any type that msgspec decodes to; builtins if absent.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not know. Without a
            ``target_type`` there is no such type, and they are not asked.
        strict: Whether ``"1"`` is refused where an ``int`` is wanted, and the like.

    Raises:
        SerializationException: The document is malformed, not UTF-8, or nested too deep.
        ValidationException: It does not fit ``target_type``; the sentence names the place.
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
        # Looked for only now: nearly no document has one, and each would pay for the question. Before the
        # second of two nothing is skipped, so that no document makes this call itself more than once.
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
        target_type: Any type that msgspec decodes to; builtins if absent.
        type_decoders: Pairs of predicate and decoder for types that msgspec does not know. Without a
            ``target_type`` there is no such type, and they are not asked.
        strict: Whether ``"1"`` is refused where an ``int`` is wanted, and the like.

    Raises:
        SerializationException: The data is malformed, has text that is not UTF-8, or is nested too deep.
        ValidationException: It does not fit ``target_type``; the sentence names the place.
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


def _new_decoder(kind: Callable[[Any], DecoderT], target_type: Any, kept: dict[Any, DecoderT]) -> DecoderT:
    decoder = kind(target_type)
    if len(kept) >= MOST_DECODERS:
        kept.clear()
    with suppress(TypeError):  # there are types without a hash
        kept[target_type] = decoder
    return decoder


def _decoding_hook(type_decoders: TypeDecoders | None) -> Callable[[Any, Any], Any] | None:
    if not type_decoders:
        return None
    decoders = tuple(type_decoders)

    def decode(target_type: Any, value: Any) -> Any:
        for fits, decoder in decoders:
            if fits(target_type):
                return decoder(target_type, value)
        # The words that msgspec uses where there is no hook at all.
        msg = f"Expected `{getattr(target_type, '__name__', target_type)}`, got `{type(value).__name__}`"
        raise ValueError(msg)

    return decode


def _client_error(error: Exception, format_name: str) -> SerializationException | ValidationException:
    if isinstance(error, RecursionError):
        return SerializationException(f"{format_name} is nested too deep")
    if isinstance(error, UnicodeError):
        return SerializationException(f"{format_name} has text that is not UTF-8")
    sentence = QUOTED_VALUE.sub(r"\1\2", str(error))
    if isinstance(error, msgspec.ValidationError):
        return ValidationException(sentence)
    return SerializationException(sentence)


def _cause(error: Exception) -> BaseException | None:
    """What may be shown in a traceback: a type decoder's own error, never one that quotes the data."""
    return error.__cause__
