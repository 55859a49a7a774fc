"""Homeline beside its peers: the same registrations, on one core, in one interleaved run."""
