"""Matrix factorization on the masks of Nguyen et al. 2018: `program goal epochs rmse seconds` a line, for the fewest of
these epochs with which a fit from the beginning has a test error of at most the goal (an oracle, the same for all); ranks and ridges are fixed, reading is not counted.
goal.py DEEPMF FOLDER GOAL ..."""

import json
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.sparse as sp

deepmf, folder, goals = sys.argv[1], sys.argv[2], sorted(map(float, sys.argv[3:]), reverse=True)
EPOCHS = [1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 60]
ratings = sp.load_npz(f"{folder}/rating.npz").astype(float).tocsr()


def part(name):
    mask = sp.load_npz(f"{folder}/{name}_mask.npz").tocoo()
    return mask.row, mask.col, np.asarray(ratings[mask.row, mask.col]).ravel()


(rows, cols, values), (asked_rows, asked_cols, truth) = part("train"), part("test")
triplets = list(zip(map(str, rows), map(str, cols), values))


def ours(epochs):
    with tempfile.TemporaryDirectory() as place:
        run = lambda *words: json.loads(subprocess.run([deepmf, "recommend", *words, "--json", "--quiet"], check=True, capture_output=True).stdout)
        fit = run(
            "fit", f"{folder}/rating.npz", "--train-mask", f"{folder}/train_mask.npz", "--rank", "10", "--ridge", "10", "--offset-ridge", "5",
            "--sweeps", str(epochs), "--validation", "0", "--threads", "2", "-o", f"{place}/model",
        )
        found = run("evaluate", f"{place}/model", f"{folder}/rating.npz", "--test-mask", f"{folder}/test_mask.npz")
        return found["rmse"], fit["seconds"]


def timed(fit, predict):
    begun = time.perf_counter()
    model = fit()
    seconds = time.perf_counter() - begun
    answer = np.asarray(predict(model), float)
    answer = np.where(np.isfinite(answer), answer, values.mean()).clip(1, 5)
    return np.sqrt(np.mean((answer - truth) ** 2)), seconds


def cmfrec(epochs):
    from cmfrec import CMF

    penalties = np.array([5.0, 5.0, 10.0, 10.0, 10.0, 10.0])
    model = CMF(k=10, lambda_=penalties, method="als", use_cg=False, niter=epochs, use_float=False, nthreads=2, verbose=False, random_state=0)
    data = sp.coo_matrix((values, (rows, cols)), ratings.shape)
    return timed(lambda: model.fit(data), lambda model: model.predict(asked_rows, asked_cols))


def cornac(epochs):
    from cornac.data import Dataset
    from cornac.models import MF

    data = Dataset.from_uir(triplets)
    asked = [(data.uid_map.get(str(i)), data.iid_map.get(str(j))) for i, j in zip(asked_rows, asked_cols)]
    guess = lambda model, i, j: np.nan if i is None or j is None else model.rate(i, j)
    fit = lambda: MF(k=10, max_iter=epochs, learning_rate=0.01, lambda_reg=0.02, num_threads=2, seed=0).fit(data)
    return timed(fit, lambda model: [guess(model, i, j) for i, j in asked])


def surprise(epochs):
    import pandas
    from surprise import SVD, Dataset, Reader

    data = Dataset.load_from_df(pandas.DataFrame(triplets), Reader(rating_scale=(1, 5))).build_full_trainset()
    fit = lambda: SVD(n_epochs=epochs, random_state=0).fit(data)
    return timed(fit, lambda model: [model.predict(str(i), str(j)).est for i, j in zip(asked_rows, asked_cols)])


def libmf(epochs):
    from libmf.mf import MF

    data = np.ascontiguousarray(np.column_stack([rows, cols, values]))

    def fit():
        model = MF(k=8, nr_threads=2, nr_iters=epochs, quiet=True)
        model.fit(data)
        return model.model

    def predict(model):
        # From the factors: what the package itself predicts is not their product.
        left, right = (np.ctypeslib.as_array(x, (count, 8)) for x, count in ((model.P, model.m), (model.Q, model.n)))
        inside = (asked_rows < model.m) & (asked_cols < model.n)
        answer = np.full(len(truth), np.nan)
        answer[inside] = np.sum(left[asked_rows[inside]] * right[asked_cols[inside]], axis=1)
        return answer

    return timed(fit, predict)


programs = {"deepmf recommend": ours, "cmfrec": cmfrec, "cornac MF": cornac, "Surprise SVD": surprise, "LIBMF": libmf}
for name, program in programs.items():
    left, best = list(goals), np.inf
    for epochs in EPOCHS:
        if not left:
            break
        runs = [program(epochs) for _ in range(3)]
        error, seconds = np.median(runs, axis=0)
        best = min(best, error)
        while left and error <= left[0]:
            print(name, left.pop(0), epochs, error, seconds, sep="\t", flush=True)
    for goal in left:
        print(name, goal, "", best, "", sep="\t", flush=True)
