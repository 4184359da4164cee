"""Tools: the registry that makes them data, and the families of tools themselves."""
