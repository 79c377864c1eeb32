"""The same gradient step in eager PyTorch, from the formulas: microseconds a step, one line a batch of steps.

W = W_N ... W_1, loss = mean over the known entries of (W_ab - y_ab)^2, W_j <- W_j - rate * grad_j.
"""

import sys
import time

import torch

CASES = {  # rows, cols, hidden width, depth, known entries, steps a batch
    "square": (100, 100, 100, 3, 2_000, 100),
    "movielens": (1682, 943, 943, 2, 10_000, 4),
}
name, batches = sys.argv[1], int(sys.argv[2])
rows, cols, width, depth, count, steps = CASES[name]
torch.set_num_threads(1)
torch.manual_seed(0)
dtype = torch.float64
truth = torch.randn(rows, 5, dtype=dtype) @ torch.randn(5, cols, dtype=dtype)
cells = torch.randperm(rows * cols)[:count]
a, b = cells // cols, cells % cols
y = truth[a, b]
widths = [cols] + [width] * (depth - 1) + [rows]
layers = [
    (1e-3 ** (1 / depth) * width**-0.5 * torch.randn(m, n, dtype=dtype)).requires_grad_()
    for n, m in zip(widths, widths[1:])
]


def step():
    product = layers[0]
    for layer in layers[1:]:
        product = layer @ product
    loss = ((product[a, b] - y) ** 2).mean()
    gradients = torch.autograd.grad(loss, layers)
    with torch.no_grad():
        for layer, gradient in zip(layers, gradients):
            layer -= 0.1 * gradient


for batch in range(batches + 1):
    begun = time.perf_counter()
    for _ in range(steps):
        step()
    if batch:
        print(f"{(time.perf_counter() - begun) * 1e6 / steps:.3f}")
