"""Runs: what decides one, how it is computed and stored, what it measures."""
