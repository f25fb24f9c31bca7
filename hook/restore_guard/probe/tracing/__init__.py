"""Which files a build depends on, and at which lines it creates what."""
