"""What users and vendors write in files for scans: policies, ignore files, statements on vulnerabilities (VEX)."""
