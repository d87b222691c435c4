"""Bytes in, builtins out: the parsers, none of which awaits."""
