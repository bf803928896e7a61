"""From the values of a file to a checked scenario: shapes, names, entities, all together."""
