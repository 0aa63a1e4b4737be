"""Layerkit timed against Keras on its own backends: the same script, the same data, the same threads, one run.

    python -m benchmarks                                    every workload; the peers that are installed
    python -m benchmarks --workloads cnn,mlp --rounds 9     two workloads, nine rounds each
    python -m benchmarks --peers jax,tensorflow-nojit       which peers; -jit and -nojit set compile's jit_compile
    python -m benchmarks --peer-python /path/to/python      the interpreter that has Keras (NAME=PATH for one peer)
    python -m benchmarks --threads 1 --json result.json     threads for all of them; numbers for a program
    python -m benchmarks --quick                            small data, few rounds: does it run?

Workloads (`workloads.py`; each is one Keras script that gets its `keras` passed in; data from a seeded generator):
    tabular     13-64-64-1, relu, batch 32, Adam, mean squared error
    mlp         784-512-512-10, relu, dropout 0.2 twice, batch 128, Adam
    cnn         28x28x1, two 3x3 convolutions (32, 64) with max pooling, dropout 0.5, batch 128, Adam
    resblock    32x32x3, a stem and three residual blocks (32, 64, 128) with batch normalization, batch 64, SGD momentum

Measures (medians over rounds; a ratio above 1 says that layerkit is that many times better than the best peer):
    import              `import keras` in a fresh process
    first step, cold    build, compile and fit one batch in a fresh process; layerkit's kernel cache is empty
    first step          the same in a later process, when that cache is full (peers have one first step: it serves both)
    step in fit         an epoch's time over its steps; each round runs two epochs and counts the second
    predict(1), call(1) one sample by model.predict(x) and by model(x), the result in NumPy
    predict batches     samples a second of model.predict over the whole data
    peak memory         the worker's largest resident set (ru_maxrss)
    loss                the last epoch's training loss, to see that all of them learn the same task

How it is fair: each contestant lives in its own process (`worker.py`) that waits on a pipe, and the parent lets them
work in turn, round by round, so that noise of the machine falls on all alike. Every process is bound to the same
number of CPUs, and each library is told that number. A peer that is not installed is skipped, and the table says so.
"""
