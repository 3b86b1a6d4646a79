"""A client of the distribution protocol (registries), standard library only."""
