"""The published two-tower recipe in eager PyTorch, two threads: `seconds an epoch, test RMSE, peak MiB`. two_tower_torch.py FOLDER EPOCHS."""

import resource
import sys
import time

import numpy as np
import scipy.sparse as sp
import torch
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(0)
random = np.random.default_rng(0)
folder, epochs = sys.argv[1], int(sys.argv[2])
ROWS, COLS = 100, 170


def load(name):
    with np.load(f"{folder}/{name}.npz") as file:
        return sp.csr_matrix((file["data"], file["indices"], file["indptr"]), file["shape"]).toarray()


def tower(width):
    layers = nn.Sequential(
        nn.Linear(width, 2048), nn.BatchNorm1d(2048, eps=1e-3), nn.ReLU(), nn.Dropout(0.9), nn.Linear(2048, 1024), nn.BatchNorm1d(1024, eps=1e-3)
    )
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return layers


ratings, seen, asked = load("rating").astype(np.float32), load("train_mask") > 0, load("test_mask") > 0
known = torch.tensor(ratings * seen)
mask = torch.tensor(seen, dtype=torch.float32)
count, width = known.shape
towers = nn.ModuleList([tower(width), tower(count)])
optimizer = torch.optim.Adam(towers.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 50, 0.65)


def cosines(rows, cols):
    return nn.functional.normalize(towers[0](rows)) @ nn.functional.normalize(towers[1](cols)).T


seconds = 0.0
for _ in range(epochs):
    begun = time.perf_counter()
    orders = random.permutation(count), random.permutation(width)
    for step in range(-(-count // ROWS)):
        rows = torch.tensor(np.take(orders[0], range(step * ROWS, (step + 1) * ROWS), mode="wrap"))
        cols = torch.tensor(np.take(orders[1], range(step * COLS, (step + 1) * COLS), mode="wrap"))
        there = mask[rows][:, cols]
        gaps = there * (cosines(known[rows], known[:, cols].T) - (known[rows][:, cols] - 3) / 2)
        loss = (gaps.square().sum() / there.sum()).sqrt()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    schedule.step()
    seconds += time.perf_counter() - begun
towers.eval()
with torch.no_grad():
    answer = 3 + 2 * cosines(known, known.T).numpy()
error = np.sqrt(np.mean((answer - ratings)[asked] ** 2))
print(seconds / epochs, error, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
