"""Fuzzing of the parsers; ``nox -s fuzz`` runs it. Not a part of the tests, because it takes minutes."""
