"""min ||X||_* under |X_ab - y_ab| <= 1e-3 by cvxpy with SCS, from lines row,column,value of a 100 x 100 matrix.

Prints the seconds that the solver itself reports, the value, and by how much the solution leaves the box at most.
"""

import sys

import cvxpy
import numpy

rows, cols, values = numpy.loadtxt(sys.argv[1], delimiter=",").T
cells = rows.astype(int), cols.astype(int)
matrix = cvxpy.Variable((100, 100))
problem = cvxpy.Problem(
    cvxpy.Minimize(cvxpy.normNuc(matrix)), [cvxpy.abs(matrix[cells] - values) <= 1e-3]
)
problem.solve(solver=cvxpy.SCS)
stats = problem.solver_stats
outside = abs(matrix.value[cells] - values).max() - 1e-3
print(f"{stats.solve_time + stats.setup_time:.6f},{float(problem.value)!r},{max(outside, 0.0):.3e}")
