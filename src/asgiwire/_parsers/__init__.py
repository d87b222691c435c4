"""Parsers without I/O: they take bytes or text and return builtin types."""
