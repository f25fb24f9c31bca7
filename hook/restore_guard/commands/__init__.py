"""Commands: one module a command of `cli.py` that does more than look something up, and what only they need."""
