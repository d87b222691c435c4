"""The documentation, and the Sphinx extensions that build it."""
