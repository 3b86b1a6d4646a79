"""The live sensor: eBPF programs loaded by a short-lived child, two rings read by mmap, a table of processes."""
