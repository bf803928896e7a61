"""From the values of a file to a checked scenario: shapes, names, entities, and what they say together."""
