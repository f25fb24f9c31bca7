"""GitHub Actions: what an event compares, and where its reports go. `action.yml` runs this package."""
