"""Floor 2: plans, the threads that run them, and the cache of compiled kernels."""
