"""Other kernels, booted under software emulation: what of the sensor loads there, and what enforcement achieves."""
