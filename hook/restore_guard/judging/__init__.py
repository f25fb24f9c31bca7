"""Outcomes made into causes, findings and a verdict. Pure."""
