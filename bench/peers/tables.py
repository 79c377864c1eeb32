"""Peers on one table with holes: root mean squared error on the hidden cells and seconds, `name rmse seconds` a line.

tables.py MASKED.csv TRUTH: comma-separated numbers, an empty field is a hole; TRUTH is text of the same shape. Every peer that has a setting
chooses it on a fifth of the known cells, but for `soft-impute (oracle)`, whose penalty is the best on the hidden cells. Who needs more than
LIMIT seconds answers `nan`.
"""

import signal
import sys
import time
import warnings

import numpy as np

LIMIT = 1200

warnings.filterwarnings("ignore")
masked = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=int("--header" in sys.argv))
truth = np.loadtxt(sys.argv[2], delimiter="," if "," in open(sys.argv[2]).readline() else None)
seen = ~np.isnan(masked)
hidden = ~seen
draw = np.random.default_rng(0)
validation = seen & (draw.random(masked.shape) < 0.2)
train = seen & ~validation


def rmse(answer, where):
    return float(np.sqrt(np.mean((answer[where] - truth[where]) ** 2)))


def offsets(mask):
    mean = masked[mask].mean()
    rows, cols = np.zeros(masked.shape[0]), np.zeros(masked.shape[1])
    y = np.where(mask, masked - mean, 0.0)
    for _ in range(30):
        rows = ((y - cols) * mask).sum(1) / (mask.sum(1) + 1)
        cols = ((y - rows[:, None]) * mask).sum(0) / (mask.sum(0) + 1)
    return mean + rows[:, None] + cols


def row_means(mask):
    mean = masked[mask].mean()
    return (np.where(mask, masked - mean, 0.0).sum(1) / (mask.sum(1) + 1))[:, None] + mean + np.zeros_like(masked)


def interpolation(mask):
    out, x = np.empty_like(masked), np.arange(masked.shape[1])
    fallback = row_means(mask)
    for i in range(masked.shape[0]):
        known = mask[i]
        out[i] = np.interp(x, x[known], masked[i, known]) if known.any() else fallback[i]
    return out


def soft_impute_path(mask, centre):
    """Answers for decreasing penalties, warm-started; the entries are centred before."""
    base = centre(mask)
    y = np.where(mask, masked - base, 0.0)
    x = np.zeros_like(y)
    for penalty in np.linalg.norm(y, 2) * 0.8 ** np.arange(1, 26):
        for _ in range(200):
            u, s, v = np.linalg.svd(y + np.where(mask, 0.0, x), full_matrices=False)
            new = (u * np.maximum(s - penalty, 0)) @ v
            change = np.linalg.norm(new - x) / max(np.linalg.norm(new), 1e-12)
            x = new
            if change < 1e-3:
                break
        yield base + x


CENTRES = [row_means, offsets]


def soft_impute(where):
    choices = [(rmse(answer, validation), c, p) for c, centre in enumerate(CENTRES)
               for p, answer in enumerate(soft_impute_path(train, centre))]
    _, c, p = min(choices)
    return list(soft_impute_path(seen, CENTRES[c]))[p]


def oracle(where):
    return min((answer for centre in CENTRES for answer in soft_impute_path(seen, centre)), key=lambda a: rmse(a, hidden))


def cmfrec(where):
    from cmfrec import CMF

    def fit(mask, k, penalty):
        x = np.where(mask, masked, np.nan)
        model = CMF(k=k, lambda_=penalty, method="als", nthreads=2, verbose=False, random_state=0).fit(x)
        rows, cols = np.indices(x.shape)
        return model.predict(rows.ravel(), cols.ravel()).reshape(x.shape)

    penalties = masked[train].std() * 10.0 ** np.arange(-0.5, 1.6, 0.25)
    _, k, penalty = min((rmse(fit(train, k, p), validation), k, p) for k in (3, 6, 12, 24, 48) for p in penalties)
    return fit(seen, k, penalty)


def iterative(where):
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    def fit(mask, near):
        x = np.where(mask, masked, np.nan)
        flip = x.shape[1] > x.shape[0]
        x = x.T if flip else x
        filled = IterativeImputer(n_nearest_features=near, random_state=0, keep_empty_features=True).fit_transform(x)
        return filled.T if flip else filled

    # Each column of the short side is predicted from so many others.
    nears = sorted({min(near, *(side - 1 for side in masked.shape)) for near in (5, 10, 20, 40, 80, 160)})
    _, near = min((rmse(fit(train, near), validation), near) for near in nears)
    return fit(seen, near)


METHODS = {
    "row means": lambda where: row_means(seen),
    "offsets": lambda where: offsets(seen),
    "linear interpolation along rows": lambda where: interpolation(seen),
    "soft-impute (oracle)": oracle,
    "soft-impute (own validation)": soft_impute,
    "cmfrec (own validation)": cmfrec,
    "IterativeImputer (own validation)": iterative,
}


def late(number, frame):
    raise TimeoutError


signal.signal(signal.SIGALRM, late)
quick = "--quick" in sys.argv
for name, method in METHODS.items():
    if quick and name.split()[0] in ("cmfrec", "IterativeImputer") or quick and "own" in name:
        continue
    begun = time.perf_counter()
    signal.alarm(LIMIT)
    try:
        error = rmse(method(hidden), hidden)
    except TimeoutError:
        error = float("nan")
    signal.alarm(0)
    print(f"{name}\t{error:.6f}\t{time.perf_counter() - begun:.3f}", flush=True)
