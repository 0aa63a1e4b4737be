"""Floor 1: the kernels that plans launch, and beside them (`*_launch.py`) how they are launched."""
