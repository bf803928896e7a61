"""Results in words, tables and pictures: described once, rendered by `detente.render`."""
