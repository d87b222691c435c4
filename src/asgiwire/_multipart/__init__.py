"""``multipart/form-data`` (RFC 7578) without I/O: bytes in, events out, no await."""
