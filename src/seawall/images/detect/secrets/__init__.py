"""Judges of secrets: from bytes and rules to findings that hold no secret any more."""
