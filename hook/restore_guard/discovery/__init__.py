"""Models in a stranger's repository, told from its text alone: where they are made and with which arguments.

Pure: nothing here imports or runs what it reads.
"""
