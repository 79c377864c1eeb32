"""Sharpness and trace by PyHessian, hessian-eigenthings, curvlinops with eigsh, and Hutchinson's estimate; f64, one thread.

Usage: curvature.py LAYERS.safetensors LAMBDA TRACE SECONDS. Each method gets the loosest of its tolerances with which it comes within 1e-10 of LAMBDA, as
long as one try takes no more than SECONDS; prints `name seconds error`, or where none does the best that it reached.
"""
import json, math, signal, struct, sys, time, warnings

warnings.filterwarnings("ignore")
import numpy as np
import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def layers(path):
    raw = open(path, "rb").read()
    (length,) = struct.unpack("<Q", raw[:8])
    head = json.loads(raw[8 : 8 + length])
    data = raw[8 + length :]
    take = lambda it: np.frombuffer(data[it["data_offsets"][0] : it["data_offsets"][1]]).reshape(it["shape"])
    count = sum(name.startswith("layers.") for name in head)
    return [torch.tensor(take(head[f"layers.{j}"]).copy()) for j in range(count)]


weights = layers(sys.argv[1])
exact, trace, limit = (float(x) for x in sys.argv[2:5])
side = weights[0].shape[1]
model = torch.nn.Sequential(*(torch.nn.Linear(w.shape[1], w.shape[0], bias=False) for w in weights))
with torch.no_grad():
    for linear, w in zip(model, weights):
        linear.weight.copy_(w)
inputs = torch.eye(side)
target = model(inputs).detach()
loss = torch.nn.MSELoss(reduction="sum")
params = list(model.parameters())


def product(flat):
    parts, place = [], 0
    for p in params:
        parts.append(flat[place : place + p.numel()].view_as(p))
        place += p.numel()
    slopes = torch.autograd.grad(loss(model(inputs), target), params, create_graph=True)
    return torch.cat([h.reshape(-1) for h in torch.autograd.grad(slopes, params, parts)])


def pyhessian(tolerance):
    from pyhessian import hessian

    # Its power iteration makes its start in the default dtype; the seed is torch's.
    it = hessian(model, loss, data=(inputs, target), cuda=False)
    return it.eigenvalues(maxIter=100_000, tol=tolerance)[0][0]


def eigenthings(tolerance):
    from hessian_eigenthings import HessianOperator, lanczos, supervised_loss

    operator = HessianOperator(model, [(inputs, target)], supervised_loss(loss))
    found = lanczos(operator, k=1, max_iter=400, tol=tolerance, which="LA", seed=0)
    return float(found.eigenvalues[0])


def curvlinops(tolerance):
    from curvlinops import HessianLinearOperator
    from scipy.sparse.linalg import eigsh

    operator = HessianLinearOperator(model, loss, params, [(inputs, target)], check_deterministic=False)
    return float(eigsh(operator.to_scipy(), k=1, which="LA", tol=tolerance, return_eigenvectors=False)[0])


def late(*_):
    raise TimeoutError(f"not within {limit:.0f} s")


signal.signal(signal.SIGALRM, late)
for name, method in (("PyHessian", pyhessian), ("hessian-eigenthings", eigenthings), ("curvlinops + eigsh", curvlinops)):
    best = (math.inf, math.inf)
    for tolerance in [10.0**-k for k in range(2, 15)]:
        torch.manual_seed(0)
        np.random.seed(0)
        begun = time.perf_counter()
        signal.alarm(math.ceil(limit))
        try:
            value = method(tolerance)
        except TimeoutError as error:
            if not math.isfinite(best[1]):
                print(f"{name}\tfailed\t{error}", flush=True)
            break
        finally:
            signal.alarm(0)
        seconds, error = time.perf_counter() - begun, abs(value / exact - 1.0)
        if error < best[1]:
            best = (seconds, error)
        if error <= 1e-10:
            break
    if math.isfinite(best[1]):
        print(f"{name}\t{best[0]:.6e}\t{best[1]:.2e}", flush=True)

# Hutchinson: the spread of single probes tells how many are needed for a standard error of 1 %.
probes, sums = 12, []
begun = time.perf_counter()
size = sum(p.numel() for p in params)
for seed in range(probes):
    torch.manual_seed(seed)
    signs = torch.randint(0, 2, (size,)).double() * 2 - 1
    sums.append(float(signs @ product(signs)))
each = (time.perf_counter() - begun) / probes
needed = max(2, math.ceil((np.std(sums, ddof=1) / (0.01 * trace)) ** 2))
print(f"Hutchinson\t{each * needed:.6e}\t{needed}", flush=True)
