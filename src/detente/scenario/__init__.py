"""The scenario language: text in, a checked and frozen `Scenario` out."""
