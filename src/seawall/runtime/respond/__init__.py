"""What is done about what happens, and what it really achieved. Standard library only.

act.py answers alerts; guard.py has programs asked for before they run (gate.py, a process of its own); errand.py
carries out orders about processes, containers and files; ladder.py tells which means this node has.
"""
