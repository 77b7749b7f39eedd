"""The entry point of make: plans, applies or destroys one tier in one process. `python -m tierra.run
--help`."""
