"""Complete programs of the recipes in the documentation."""
