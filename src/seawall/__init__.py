"""Seawall: container security through the whole life. docs/concepts/architecture.md is the map of this house."""

__version__ = "0.1.0"
