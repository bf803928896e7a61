"""The formula language: tokens, parsing, types, translation, evaluation with derivatives."""
