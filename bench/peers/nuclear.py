"""min ||X||_* under |X_ab - y_ab| <= 1e-3 by cvxpy with SCS, from lines row,column,value of a 100 x 100 matrix.

Prints the seconds that the solver itself reports, the value, by how much the solution leaves the box at most, and the norm of
that over the norm of the values.
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
outside = numpy.maximum(abs(matrix.value[cells] - values) - 1e-3, 0.0)
share = numpy.linalg.norm(outside) / numpy.linalg.norm(values)
print(f"{stats.solve_time + stats.setup_time:.6f},{float(problem.value)!r},{outside.max():.3e},{share:.3e}")
