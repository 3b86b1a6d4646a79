"""Words that every room shares. Standard library only; nothing here opens a socket, a database or a process."""
