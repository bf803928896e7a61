"""Shared by all tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run; no deadline, because machines differ.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")
