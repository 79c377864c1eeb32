"""min ||X||_* under |X_ab - y_ab| <= 1e-3 with cvxpy and SCS at its own accuracy: seconds in the solver, norm, iterations.

The entries come on stdin, `row,column,value` a line, of a 100 x 100 matrix. The time to set the problem up is not counted.
"""

import sys
import time

import cvxpy
import numpy

entries = numpy.loadtxt(sys.stdin, delimiter=",")
rows, cols, values = entries[:, 0].astype(int), entries[:, 1].astype(int), entries[:, 2]
x = cvxpy.Variable((100, 100))
problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.normNuc(x)), [cvxpy.abs(x[rows, cols] - values) <= 1e-3])
begun = time.perf_counter()
problem.solve(solver=cvxpy.SCS)
whole = time.perf_counter() - begun
stats = problem.solver_stats
norm = numpy.linalg.svd(x.value, compute_uv=False).sum()
print(f"{min(stats.solve_time or whole, whole):.6f} {norm!r} {stats.num_iters}".replace("np.float64(", "").replace(")", ""))
