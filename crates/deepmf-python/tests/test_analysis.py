"""Analysis against closed forms and against numpy."""

import numpy as np
import pytest

from deepmf import MatrixCompletion, analysis, from_torch, plots
from deepmf.datasets import make_completion, make_low_rank, make_sensing


def dense_hessian(layers, target, mask, constant):
    """The Hessian of constant · Σ (W − target)² over the mask, by its definition, column by column."""
    sizes = [layer.size for layer in layers]
    cuts = np.cumsum(sizes)[:-1]

    def gradient(theta):
        W = [part.reshape(layer.shape) for part, layer in zip(np.split(theta, cuts), layers, strict=True)]
        product = W[0]
        for layer in W[1:]:
            product = layer @ product
        slope = 2 * constant * np.where(mask, product - target, 0)
        parts = []
        for j in range(len(W)):
            left = np.eye(W[-1].shape[0])
            for layer in reversed(W[j + 1 :]):
                left = left @ layer
            right = np.eye(W[0].shape[1])
            for layer in W[:j]:
                right = layer @ right
            parts.append((left.T @ slope @ right.T).ravel())
        return np.concatenate(parts)

    theta, h = np.concatenate([layer.ravel() for layer in layers]), 1e-5
    steps = h * np.eye(theta.size)
    return np.array([(gradient(theta + e) - gradient(theta - e)) / (2 * h) for e in steps])


@pytest.fixture
def stack():
    draws = np.random.default_rng(0)
    layers = [draws.normal(size=shape) for shape in ((4, 5), (3, 4), (6, 3))]
    target = draws.normal(size=(6, 5))
    mask = draws.random((6, 5)) < 0.6
    return layers, target, mask


def test_curvature_is_that_of_the_hessian_by_its_definition(stack):
    layers, target, mask = stack
    hessian = dense_hessian(layers, target, mask, 1 / mask.sum())
    eigenvalues = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    found = analysis.sharpness(layers, target, mask=mask)
    assert abs(found.value / eigenvalues[-1] - 1) < 1e-6
    assert not found.at_minimizer
    trace = analysis.hessian_trace(layers, target, mask=mask)
    assert abs(trace / np.trace(hessian) - 1) < 1e-6
    by_layer = analysis.hessian_trace(layers, target, mask=mask, by_layer=True)
    assert len(by_layer) == 3 and abs(sum(by_layer) - trace) < 1e-12 * trace
    nodes, weights = analysis.hessian_density(layers, target, mask=mask, n_probes=400, n_steps=10)
    assert abs(weights @ nodes / np.mean(eigenvalues) - 1) < 0.1
    assert nodes.max() <= eigenvalues[-1] * (1 + 1e-9)


def test_a_mask_alone_means_layers_that_fit(stack):
    layers, _, mask = stack
    product = layers[2] @ layers[1] @ layers[0]
    alone = analysis.sharpness(layers, mask=mask)
    given = analysis.sharpness(layers, product, mask=mask)
    assert alone.at_minimizer and alone.residual < 1e-12
    assert abs(alone.value / given.value - 1) < 1e-9
    hessian = dense_hessian(layers, product, mask, 1 / mask.sum())
    assert abs(alone.value / np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1] - 1) < 1e-6


def test_operators_that_are_cells_are_a_mask(stack):
    layers, target, mask = stack
    cells = np.argwhere(mask)
    operators = np.zeros((len(cells), 6, 5))
    operators[np.arange(len(cells)), cells[:, 0], cells[:, 1]] = 1.0
    y = target[mask]
    assert np.isclose(
        analysis.hessian_trace(layers, operators=operators, y=y),
        analysis.hessian_trace(layers, target, mask=mask),
        rtol=1e-12,
    )


def test_layers_come_from_torch_without_a_transpose():
    class Tensor:
        def __init__(self, values):
            self.values, self.ndim = values, values.ndim

        def detach(self):
            return self

        cpu = double = detach

        def numpy(self):
            return self.values

    class Linear:
        def __init__(self, values, bias=None):
            self.weight, self.bias = Tensor(values), bias

    first, second = np.arange(6.0).reshape(3, 2), np.arange(12.0).reshape(4, 3)
    layers = from_torch([Linear(first), Linear(second)])
    assert np.array_equal(layers[1] @ layers[0], second @ first)
    tensors = analysis.hessian_trace([Tensor(first), Tensor(second)])
    assert tensors == analysis.hessian_trace([first, second])
    with pytest.raises(ValueError, match="layer 0 must have no bias"):
        from_torch([Linear(first, bias=1)])
    with pytest.raises(ValueError, match="layer 1 must be a linear layer, but it is a object"):
        from_torch([Linear(first), object()])


def test_layers_come_from_real_torch():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(5, 4, bias=False), torch.nn.Linear(4, 6, bias=False))
    x = torch.randn(5)
    W = from_torch(net)
    assert np.allclose(W[1] @ W[0] @ x.numpy(), net(x).detach().numpy(), atol=1e-5)
    assert analysis.sharpness(net).at_minimizer


def test_the_effective_rank_of_a_projection_is_its_rank():
    assert abs(analysis.effective_rank(np.diag([2.0, 2, 2, 0])) - 3) < 1e-12
    assert abs(analysis.effective_rank([2.0, 2, 2, 0]) - 3) < 1e-12


def test_the_induced_regularizer_is_a_power_of_the_nuclear_norm():
    W = make_low_rank((6, 5), 2)
    nuclear = np.linalg.svd(W, compute_uv=False).sum()
    for depth in (2, 3, 4):
        closed = 2 * depth * 30 ** (1 / depth) * nuclear ** (2 - 2 / depth)
        assert np.isclose(analysis.induced_regularizer(W, depth=depth, loss="sum"), closed)
    mask = np.arange(30).reshape(6, 5) % 3 != 0
    searched = analysis.induced_regularizer(W, depth=3, mask=mask, loss="sum")
    assert 0 < searched < 2 * 3 * 30 ** (1 / 3) * nuclear ** (4 / 3)


def test_a_flow_of_one_number_follows_its_closed_form():
    # Depth 1: dw/dt = −2 (w − 1), so w(t) = 1 − e^(−2t).
    flow = analysis.gradient_flow(
        [np.zeros((1, 1))], np.ones((1, 1)), loss="sum", until=1.0, times=[0.5], tol=1e-9
    )
    assert flow.time == 1.0
    assert np.isclose(flow.product[0, 0], 1 - np.exp(-2), atol=1e-7)
    ((time, (layer,)),) = flow.samples
    assert time == 0.5 and np.isclose(layer[0, 0], 1 - np.exp(-1), atol=1e-6)


def test_the_nuclear_norm_recovers_a_matrix_with_a_certificate():
    X, truth = make_completion((40, 40), rank=2, n_observed=800)
    found = analysis.nuclear_norm_minimization(X)
    assert found.gap <= 1e-6 and found.dual <= found.primal
    assert np.abs(found.matrix - truth).max() < 1e-4
    A, y, truth = make_sensing((8, 8), rank=1, n_measurements=50)
    assert np.abs(analysis.nuclear_norm_minimization(operators=A, y=y).matrix - truth).max() < 1e-4
    penalised = analysis.nuclear_norm_minimization(X, penalty=1e6)
    assert penalised.singular_values.size == 0 and not penalised.matrix.any()


def test_the_penalised_matrix_is_the_fixed_point_of_soft_impute():
    X, _ = make_completion((40, 30), rank=3, n_observed=600)
    seen, W = ~np.isnan(X), np.zeros((40, 30))
    for _ in range(500):
        u, s, vt = np.linalg.svd(np.where(seen, X, W), full_matrices=False)
        W = (u * np.maximum(s - 1.0, 0)) @ vt
    found = analysis.nuclear_norm_minimization(X, penalty=1.0, gap=1e-10)
    assert np.abs(found.matrix - W).max() < 1e-9


def test_what_is_not_said_is_asked_for():
    for call in (
        lambda: analysis.gradient_flow([np.eye(2)]),
        lambda: analysis.nuclear_norm_minimization(),
    ):
        with pytest.raises(ValueError, match="target must be given"):
            call()
    with pytest.raises(ValueError, match="operators must be given with y alone"):
        analysis.sharpness([np.eye(2)], operators=np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="number of layers must be 1 or more"):
        analysis.sharpness([])


def test_figures_are_drawn_with_and_without_matplotlib(table, monkeypatch):
    X, _ = table
    model = MatrixCompletion().fit(X)
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    assert len(plots.spectrum(model).patches) == len(model.singular_values_)
    assert plots.trajectory(model, "singular_value").get_xlabel() == "step"
    with pytest.raises(ValueError, match="name must be one of"):
        plots.trajectory(model, "nothing")
    monkeypatch.setattr(plots, "_axes", lambda ax: ax)
    nodes, weights = analysis.hessian_density(model)
    figures = (plots.spectrum(model), plots.trajectory(model, "singular_value"), plots.density(nodes, weights))
    for svg in figures:
        assert svg._repr_svg_().startswith("<svg")
