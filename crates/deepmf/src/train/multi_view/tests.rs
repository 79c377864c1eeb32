//! Tests of alternations over views.

use super::*;
use crate::analysis::{FusedGraph, NeighbourGraph};
use crate::data::{Features, View};
use crate::random::{Purpose, normal, stream};
use crate::spec::{FeatureWeights, NonNegativeSolver, PartitionStart};
use crate::train::semi_nmf::Operand;

/// Two views of 90 samples in 3 clusters; the second has features of pure noise after its first ones.
pub(super) fn blobs(noisy: usize) -> Vec<Prepared> {
    let mut random = stream(9, Purpose::Truth, 0);
    let mut view = |features: usize, noise: usize| {
        let centres = Mat::from_fn(3, features, |_, _| 2.0 * normal(&mut random));
        let mut matrix = Mat::from_fn(90, features + noise, |i, j| {
            let centre = if j < features { centres[(i % 3, j)] } else { 0.0 };
            centre + normal(&mut random) * if j < features { 0.3 } else { 1.0 }
        });
        for j in 0..features + noise {
            let column = matrix.col_mut(j);
            let mean = column.iter().sum::<f64>() / 90.0;
            let spread = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
            for x in column.iter_mut() {
                *x = (*x - mean) / spread;
            }
        }
        let size = (90.0_f64).sqrt() / matrix.frobenius();
        prepared(matrix.scaled(size), (0..90).collect())
    };
    vec![view(8, 0), view(12, noisy)]
}

fn prepared(matrix: Mat, present: Vec<usize>) -> Prepared {
    let missing = vec![false; matrix.rows()];
    let view = View { name: "a".into(), features: Features::Dense(matrix.clone()), missing };
    let graph = Some(Arc::new(NeighbourGraph::new(&[view], 5).unwrap()));
    Prepared { operand: Arc::new(Operand::dense(matrix)), present, graph }
}

fn settings() -> ClusteringSettings {
    ClusteringSettings::default()
}

fn fused_graph(views: &[Prepared]) -> FusedGraph {
    let graphs: Vec<NeighbourGraph> =
        views.iter().map(|view| view.graph.as_ref().unwrap().spread(&view.present, 90)).collect();
    let whole = NeighbourGraph::sum(&graphs.iter().map(|g| (1.0, g)).collect::<Vec<_>>()).unwrap();
    FusedGraph::new(&graphs, &whole, 3).unwrap()
}

fn fitted(settings: ClusteringSettings, noisy: usize) -> Fused {
    let graph = Some(fused_graph(&blobs(noisy)));
    MultiView::new(settings, 3).unwrap().fit(&blobs(noisy), 90, graph.as_ref(), 1).unwrap()
}

/// Whether samples of one cluster are closer to each other than to those of others, by their direction.
pub(super) fn separates(embedding: &Mat) -> bool {
    let unit = |i: usize| {
        let row: Vec<f64> = (0..embedding.cols()).map(|r| embedding[(i, r)]).collect();
        crate::linalg::unit(row)
    };
    let cosine = |i: usize, j: usize| crate::linalg::dot(&unit(i), &unit(j));
    (3..90).all(|i| {
        let (own, other) = (cosine(i, i % 3), cosine(i, (i + 1) % 3).max(cosine(i, (i + 2) % 3)));
        own > other
    })
}

#[test]
fn the_objective_never_rises_while_the_exponent_is_frozen() {
    for form in [FeatureWeights::Shares, FeatureWeights::Powers, FeatureWeights::Uniform] {
        for solver in [NonNegativeSolver::Coordinate, NonNegativeSolver::Multiplicative] {
            for start in [PartitionStart::Lp, PartitionStart::KMeans] {
                let settings = ClusteringSettings {
                    feature_weights: form,
                    exponent_gains: (0.0, 0.0),
                    tolerance: 0.0,
                    sweeps: 40,
                    solver,
                    start: Some(start),
                    ..settings()
                };
                let run = fitted(settings, 10).trajectory;
                let objective = run.column("objective").unwrap();
                let scale = objective[0].abs();
                let rises = objective.windows(2).any(|p| p[1] > p[0] + 1e-8 * scale);
                assert!(!rises, "{form:?} {solver:?} {start:?} {objective:?}");
                assert!(objective[objective.len() - 1] < objective[0]);
            }
        }
    }
}

#[test]
fn no_other_method_raises_its_objective() {
    let methods = [
        ClusteringMethod::Dmvc,
        ClusteringMethod::Awdmvc,
        ClusteringMethod::LateFusion,
        ClusteringMethod::OnePass,
        ClusteringMethod::DeepSemiNmf,
        ClusteringMethod::SemiNmf,
    ];
    for method in methods {
        for start in [PartitionStart::KMeans, PartitionStart::Svd] {
            // Above 1 the published weights of views minimise; below 1 they do not.
            let settings = ClusteringSettings {
                method,
                start: Some(start),
                view_exponent: 2.0,
                tolerance: 0.0,
                sweeps: 30,
                ..settings()
            };
            let run = fitted(settings, 10).trajectory;
            let objective = run.column("objective").unwrap();
            let scale = objective[0].abs();
            let rises = objective.windows(2).any(|p| p[1] > p[0] + 1e-8 * scale);
            assert!(!rises, "{method:?} {start:?} {objective:?}");
            assert!(objective[objective.len() - 1] <= objective[0]);
        }
    }
}

#[test]
fn features_of_noise_weigh_less_than_a_tenth_of_others_and_do_no_harm() {
    let fused = fitted(settings(), 20);
    let weights = &fused.views[1].feature_weights;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (told, noise) = (mean(&weights[..12]), mean(&weights[12..]));
    assert!(noise < 0.1 * told, "{noise} {told} {:?}", fused.exponent);
    assert!(separates(&fused.embedding));
    assert!(separates(&fitted(settings(), 0).embedding));
}

#[test]
fn scale_rotations_and_view_weights_are_held() {
    let fused = fitted(settings(), 5);
    let gram = fused.embedding.t().times(fused.embedding.view());
    assert!(gram.minus(&Mat::eye(3, 3)).max_abs() < 1e-10);
    for view in &fused.views {
        let gram = view.rotation.t().times(view.rotation.view());
        assert!(gram.minus(&Mat::eye(3, 3)).max_abs() < 1e-10);
        assert!((view.model.partition().frobenius() - 3.0_f64.sqrt()).abs() < 1e-10);
    }
    assert!((crate::linalg::norm(&fused.view_weights) - 1.0).abs() < 1e-12);
}

#[test]
fn a_missing_sample_of_one_view_is_placed_by_the_other() {
    let mut views = blobs(0);
    let present: Vec<usize> = (0..90).filter(|i| i % 5 != 4).collect();
    let mut whole = Mat::zeros(90, views[1].operand.shape().1);
    views[1].operand.each(|i, j, x| whole[(i, j)] = x);
    let kept = Mat::from_fn(present.len(), whole.cols(), |i, j| whole[(present[i], j)]);
    views[1] = prepared(kept, present);
    let fused = {
        let graph = fused_graph(&views);
        MultiView::new(settings(), 3).unwrap().fit(&views, 90, Some(&graph), 1).unwrap()
    };
    assert!(separates(&fused.embedding));
}

#[test]
fn the_basis_as_a_whole_moves_as_published_layer_by_layer() {
    use crate::linalg::svd;
    let pinv = |m: &Mat| {
        let found = svd(m.view()).unwrap();
        let scaled = Mat::from_fn(found.v.rows(), found.s.len(), |i, r| {
            if found.s[r] > 1e-10 * found.s[0] { found.v[(i, r)] / found.s[r] } else { 0.0 }
        });
        scaled.view().times(found.u.t())
    };
    let view = &blobs(0)[1];
    let mut x = Mat::zeros(12, 90);
    view.operand.each(|i, j, value| x[(j, i)] = value);
    let mut state = {
        let settings = ClusteringSettings { start: Some(PartitionStart::Lp), ..settings() };
        let first = view::First {
            settings: &settings,
            k: 3,
            samples: 90,
            graph: 0.0,
            labels: None,
            seed: 0,
        };
        view::ViewState::new(view, &first).unwrap()
    };
    let model = state.model().unwrap();
    assert_eq!(model.widths(), [6, 3]);
    let partition = model.partition().clone();
    // F_1 = X Φ_1⁺, then F_2 = F_1⁺ X G⁺, with weights above zero that cancel in the first.
    let first = x.times(&pinv(&model.factors()[1].times(&partition)));
    let second = pinv(&first).times(&x).times(&pinv(&partition));
    let published = first.times(&second);
    state.move_basis().unwrap();
    let found = state.model().unwrap();
    assert!(found.basis().minus(&published).max_abs() < 1e-8 * published.max_abs());
}

#[test]
fn the_same_seed_gives_the_same_bits_at_any_number_of_threads() {
    let at = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fitted(settings(), 5).embedding)
    };
    assert_eq!(at(1), at(2));
}

#[test]
fn the_parent_method_pulls_by_its_published_weight_over_the_largest_agreement() {
    let parent = ClusteringSettings { method: ClusteringMethod::MvcDmfPa, ..settings() };
    // 16 / (k √V) for 3 clusters of 2 views, in units of 90 / 3 samples.
    let fusion = Some(16.0 / (3.0 * 2.0_f64.sqrt()) / 30.0);
    let objective =
        |settings| fitted(settings, 5).trajectory.column("objective").unwrap().pop().unwrap();
    let by_default = objective(parent.clone());
    let said = objective(ClusteringSettings { fusion, ..parent.clone() });
    assert!((by_default - said).abs() < 1e-10 * said.abs(), "{by_default} {said}");
    let published_as_it_stands = ClusteringSettings { fusion: Some(16.0 / 30.0), ..parent };
    assert!(objective(published_as_it_stands) < said);
}
