"""The warm parent, and the process that does one task."""
