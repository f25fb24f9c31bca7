"""What the team promised to keep restorable."""
