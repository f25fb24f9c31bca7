"""What the rules share: how a rule is declared, and what it may look at. Below `judging`, of which it knows nothing."""
