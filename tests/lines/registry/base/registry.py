"""Layers by name."""

LAYERS = {}


def register(name):
    def add(factory):
        LAYERS[name] = factory
        return factory

    return add


def make(kind, **options):
    """Returns a new layer of a kind."""
    return LAYERS[kind](**options)
