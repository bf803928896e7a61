"""Scenarios as statistical models: what records say about the assumptions."""
