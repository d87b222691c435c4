"""Example programs that use asgiwire; the tests run all of them."""
