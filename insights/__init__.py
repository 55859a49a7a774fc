"""Numbers about groups, read-only. Whatever leaves goes through disclosure.py."""
