"""Scenes that are played in real containers: attacks, escapes, evasions and ordinary work, and the images they need."""
