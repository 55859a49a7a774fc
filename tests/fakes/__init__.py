"""Fake providers that speak real HTTP on loopback: for tests, the demo and chaos runs."""
