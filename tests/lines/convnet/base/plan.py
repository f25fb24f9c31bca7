# filters and blocks of each stage
STAGES = [
    (4, 1),
    (6, 1),
]
CLASSES = 10
