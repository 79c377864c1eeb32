"""Late fusion of semi-NMF without feature weights (Zhang et al. 2021), one layer, in numpy and scipy.sparse from the formulas: the seconds of a sweep, the objective
after the last one, and the peak memory in MiB. clusters.py MAT SWEEPS [dense]."""

import resource
import sys
import time

import numpy as np
import scipy.io
import scipy.sparse as sp

path, sweeps = sys.argv[1], int(sys.argv[2])
file = scipy.io.loadmat(path)
k, samples = len(np.unique(file["y"])), file["y"].size
TINY, FUSION = 1e-300, 16.0 / k / np.sqrt(file["X"].size)


def prepared(view):
    view = view if view.shape[0] == samples else view.T
    filled = (view != 0).sum() / np.prod(view.shape)
    if filled < 0.2 and view.min() >= 0:
        lengths = np.sqrt(np.asarray(sp.csr_matrix(view).multiply(view).sum(1))).ravel()
        unit = sp.diags(1 / np.where(lengths > 0, lengths, 1)) @ sp.csr_matrix(view, dtype=float)
        return unit.toarray() if "dense" in sys.argv else unit
    view = view.toarray() if sp.issparse(view) else view.astype(float)
    spread = view.std(0)
    return (view - view.mean(0)) / np.where(spread > 0, spread, 1)


views = [prepared(view) for view in file["X"].ravel()]
draws = np.random.default_rng(0)
parts = [np.abs(draws.normal(size=(k, samples))) for _ in views]
parts = [part * np.sqrt(k) / np.linalg.norm(part) for part in parts]
squares = [(view.multiply(view) if sp.issparse(view) else view**2).sum() for view in views]
rotations, importance, weights = [np.eye(k)] * len(views), [1 / len(views) ** 2] * len(views), np.full(len(views), len(views) ** -0.5)

begun = time.perf_counter()
for _ in range(sweeps):
    u, _, v = np.linalg.svd(sum(b * m.T @ g for b, m, g in zip(weights, rotations, parts)), full_matrices=False)
    consensus, alignments, residuals = u @ v, [], []
    for i, view in enumerate(views):
        part = parts[i]
        gram = part @ part.T
        basis = np.linalg.solve(gram + 1e-12 * np.trace(gram) / k * np.eye(k), (view.T @ part.T).T)
        linear, quadratic = (view @ basis.T).T, basis @ basis.T
        pull = 0.5 * FUSION * weights[i] / importance[i] * (rotations[i] @ consensus)
        towards = linear + pull
        up = np.maximum(towards, 0) + np.maximum(-quadratic, 0) @ part
        down = np.maximum(-towards, 0) + np.maximum(quadratic, 0) @ part
        part = part * np.sqrt(up / np.maximum(down, TINY))
        size = np.linalg.norm(part) / np.sqrt(k)
        parts[i], basis = part / size, basis * size
        projected = (view.T @ parts[i].T).T
        residuals.append(np.sqrt(squares[i] - 2 * np.sum(projected * basis) + np.sum((parts[i] @ parts[i].T @ basis) * basis)))
        u, s, v = np.linalg.svd(parts[i] @ consensus.T)
        rotations[i] = u @ v
        alignments.append(s.sum())
    inverse = 1 / np.array(residuals)
    importance = (inverse / inverse.sum()) ** 2
    weights = np.array(alignments) / np.linalg.norm(alignments)
seconds = (time.perf_counter() - begun) / sweeps
objective = sum(a * r**2 for a, r in zip(importance, residuals)) - FUSION * weights @ alignments
print(seconds, objective, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
