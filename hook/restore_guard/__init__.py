"""restore-guard: will the checkpoints of yesterday restore into the code of today?"""
