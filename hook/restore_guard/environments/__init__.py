"""Environments: whose Python builds, what is installed for it, and what a commit's lock file wants installed."""
