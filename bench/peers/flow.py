"""The runs of Arora et al. 2019 in eager PyTorch, from the formulas: seconds to a test error, steps, seconds a step.

synthetic FOLDER: the matrix and entries that `deepmf data make low-rank` wrote to FOLDER, depth 3, gaussian start of 1e-3,
GroupRMSprop (alpha 0.99, eps 1e-4, rate 1e-3), until the test error over all cells is 1e-4; it is looked at every 100 steps,
which is not timed. f32, one thread.
movielens FILE: the first 10,000 ratings of FILE, depth 2 from 1e-3 times the identity, plain descent at 0.1: 200 steps are timed
and taken 25,500 times over, an extrapolation. f32, dense, two threads.
"""

import sys
import time

import numpy
import torch

case, path = sys.argv[1], sys.argv[2]
torch.set_num_threads(1 if case == "synthetic" else 2)
torch.manual_seed(0)


def product(layers):
    w = layers[0]
    for layer in layers[1:]:
        w = layer @ w
    return w


def gradients(layers, cells, y):
    loss = ((product(layers)[cells] - y) ** 2).mean()
    return torch.autograd.grad(loss, layers)


if case == "synthetic":
    truth = torch.from_numpy(numpy.load(f"{path}/truth.npy")).float()
    seen = torch.from_numpy(numpy.load(f"{path}/observed.npy"))
    cells = torch.where(~seen.isnan())
    y = seen[cells].float()
    n, depth, scale = truth.shape[0], 3, 1e-3
    layers = [(scale ** (1 / depth) * n**-0.5 * torch.randn(n, n)).requires_grad_() for _ in range(depth)]
    square, step, seconds = 0.0, 0, 0.0
    while step < 1_000_000:
        begun = time.perf_counter()
        for _ in range(100):
            step += 1
            grads = gradients(layers, cells, y)
            with torch.no_grad():
                square = 0.99 * square + 0.01 * sum(float((g * g).sum()) for g in grads)
                rate = 1e-3 / ((square / (1 - 0.99**step)) ** 0.5 + 1e-4)
                for layer, g in zip(layers, grads):
                    layer -= rate * g
        seconds += time.perf_counter() - begun
        with torch.no_grad():
            error = float(((product(layers) - truth) ** 2).mean())
        if error <= 1e-4:
            break
    print(f"{seconds:.6f} {step} {seconds / step:.9f} {error:.6e}")
else:
    stored = numpy.load(path)
    rows, cols = 1682, 943
    a = torch.from_numpy(stored["rows"][:10_000].astype("int64"))
    b = torch.from_numpy(stored["cols"][:10_000].astype("int64"))
    y = torch.from_numpy(stored["values"][:10_000].astype("float32"))
    layers = [(1e-3**0.5 * torch.eye(m, k)).requires_grad_() for m, k in [(cols, cols), (rows, cols)]]

    def descend(steps):
        for _ in range(steps):
            grads = gradients(layers, (a, b), y)
            with torch.no_grad():
                for layer, g in zip(layers, grads):
                    layer -= 0.1 * g

    descend(10)
    begun = time.perf_counter()
    descend(200)
    each = (time.perf_counter() - begun) / 200
    print(f"{25_500 * each:.6f} 25500 {each:.9f} nan")
