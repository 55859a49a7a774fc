"""Verbs: what the edges ask for, written once. Database session first, flush, never commit."""
