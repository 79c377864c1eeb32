"""cmfrec on the masks of Nguyen et al. 2018: `rmse seconds` of one fit, reading not counted. als.py FOLDER RANK SEED."""

import sys
import time

import numpy as np
import scipy.sparse as sp
from cmfrec import CMF

folder, rank, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ratings = sp.load_npz(f"{folder}/rating.npz").astype(float).tocsr()


def part(name):
    mask = sp.load_npz(f"{folder}/{name}_mask.npz").tocoo()
    return sp.coo_matrix((np.asarray(ratings[mask.row, mask.col]).ravel(), (mask.row, mask.col)), shape=ratings.shape)


train, test = part("train"), part("test")
model = CMF(
    k=rank, lambda_=np.array([5.0, 5.0, 10.0, 10.0, 10.0, 10.0]), method="als", use_cg=False, niter=20,
    use_float=False, nthreads=2, verbose=False, random_state=seed,
)
begun = time.perf_counter()
model.fit(train)
seconds = time.perf_counter() - begun
predicted = model.predict(test.row, test.col)
predicted = np.where(np.isnan(predicted), train.data.mean(), predicted).clip(1, 5)
print(np.sqrt(np.mean((predicted - test.data) ** 2)), seconds)
