"""What make calls: one tier planned, applied or destroyed in one process. `python -m tierra.run --help`."""
