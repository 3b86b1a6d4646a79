"""The small resident program of a node: it wires the rooms together, keeps what they say until the server has it,
and watches its own weight. Standard library only; no feature logic lives here.
"""
