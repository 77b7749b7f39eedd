"""The machinery around the tiers."""
