"""Target types that need more than msgspec: text values by field, and Pydantic."""
