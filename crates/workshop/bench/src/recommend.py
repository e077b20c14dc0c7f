"""Fits PyPI `implicit` on who watched what, and writes its factors: the peer of `matinee-bench recommend`.

Arguments: the file of plays (int32: users, items, plays; then the rows' starts; then the columns), the file for the
factors (float32: users', then items'), factors, regularization, alpha, iterations, seed. Prints the seconds of fitting.
"""

import sys
import time

import implicit
import numpy as np
import scipy.sparse

plays, out, factors, regularization, alpha, iterations, seed = sys.argv[1:8]
numbers = np.fromfile(plays, dtype=np.int32)
users, items, count = numbers[:3]
starts = numbers[3 : 3 + users + 1]
columns = numbers[3 + users + 1 :]
matrix = scipy.sparse.csr_matrix((np.ones(count, dtype=np.float32), columns, starts), shape=(users, items))
model = implicit.cpu.als.AlternatingLeastSquares(
    factors=int(factors),
    regularization=float(regularization),
    alpha=float(alpha),
    iterations=int(iterations),
    num_threads=0,
    random_state=int(seed),
)
start = time.perf_counter()
model.fit(matrix, show_progress=False)
seconds = time.perf_counter() - start
with open(out, "wb") as file:
    model.user_factors.astype(np.float32).tofile(file)
    model.item_factors.astype(np.float32).tofile(file)
print(seconds)
