"""Peers on MovieLens-100K, u1 to u5: `name fold rmse seconds` a line, reading not counted. ratings.py FOLDER."""

import sys
import time

import numpy as np

folder = sys.argv[1]
read = lambda name: np.loadtxt(f"{folder}/{name}", dtype=int)[:, :3]
everything = read("u.data")


def offsets(train, test):
    mean = train[:, 2].mean()
    users, items = np.zeros(944), np.zeros(1683)
    for _ in range(20):
        rest = train[:, 2] - mean - items[train[:, 1]]
        users = np.bincount(train[:, 0], rest, 944) / (np.bincount(train[:, 0], minlength=944) + 5)
        rest = train[:, 2] - mean - users[train[:, 0]]
        items = np.bincount(train[:, 1], rest, 1683) / (np.bincount(train[:, 1], minlength=1683) + 5)
    return mean + users[test[:, 0]] + items[test[:, 1]]


def cmfrec(train, test):
    import pandas
    from cmfrec import CMF

    draw = np.random.default_rng(0).random(len(train)) < 0.1

    def fit(rows, k, penalty, asked):
        frame = pandas.DataFrame({"UserId": rows[:, 0], "ItemId": rows[:, 1], "Rating": rows[:, 2].astype(float)})
        model = CMF(k=k, lambda_=penalty, method="als", nthreads=2, verbose=False, random_state=0).fit(frame)
        answer = model.predict(asked[:, 0], asked[:, 1])
        return np.where(np.isnan(answer), rows[:, 2].mean(), answer)

    error = lambda k, p: np.mean((fit(train[~draw], k, p, train[draw]) - train[draw][:, 2]) ** 2)
    _, k, penalty = min((error(k, p), k, p) for k in (10, 30) for p in (3.0, 10.0, 30.0))
    return fit(train, k, penalty, test)


def surprise(train, test):
    from surprise import SVD, Dataset, Reader
    import pandas

    data = Dataset.load_from_df(pandas.DataFrame(train), Reader(rating_scale=(1, 5))).build_full_trainset()
    model = SVD(random_state=0).fit(data)
    return np.array([model.predict(u, i).est for u, i, _ in test])


for name, method in {"offsets": offsets, "cmfrec (own validation)": cmfrec, "Surprise SVD (defaults)": surprise}.items():
    for fold in range(1, 6):
        test = read(f"u{fold}.test")
        held = set(map(tuple, test[:, :2]))
        train = np.array([row for row in everything if tuple(row[:2]) not in held])
        begun = time.perf_counter()
        answer = method(train, test)
        error = np.sqrt(np.mean((answer - test[:, 2]) ** 2))
        print(f"{name}\t{fold}\t{error:.6f}\t{time.perf_counter() - begun:.3f}", flush=True)
