"""What users write in files for scans: policies."""
