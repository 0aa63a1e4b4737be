"""Floor 3: from a graph to a plan: rewrite, epilogues, fuse, lower, allocate."""
