"""What is done about an alert, and what it really achieved. Standard library only; runs in the agent."""

from seawall.runtime.respond.act import act

__all__ = ["act"]
