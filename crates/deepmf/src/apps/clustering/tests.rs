//! Tests of clusterings as a user calls them.

use super::*;
use crate::data::{Entries, Features, Preparation};
use crate::linalg::Mat;
use crate::random::normal;

/// 90 samples in 3 clusters, a view for each width.
fn blobs(widths: &[usize]) -> Vec<View> {
    let mut random = stream(9, Purpose::Truth, 0);
    let view = |(place, &width): (usize, &usize)| {
        let centers = Mat::from_fn(3, width, |_, _| 2.0 * normal(&mut random));
        let values =
            Mat::from_fn(90, width, |i, j| centers[(i % 3, j)] + 0.3 * normal(&mut random));
        View::new(format!("view {place}"), Features::Dense(values)).unwrap()
    };
    widths.iter().enumerate().map(view).collect()
}

fn with(method: ClusteringMethod) -> ClusteringSettings {
    ClusteringSettings { method, clusters: Some(3), ..ClusteringSettings::default() }
}

fn told_apart(labels: &[usize]) -> bool {
    (3..labels.len()).all(|i| labels[i] == labels[i % 3]) && labels[0] != labels[1]
}

#[test]
fn baselines_tell_blobs_apart_and_place_new_samples() {
    let views = blobs(&[8, 12]);
    for method in
        [ClusteringMethod::KMeans, ClusteringMethod::KMeansBestView, ClusteringMethod::Spectral]
    {
        let found = Clustering::new(with(method)).unwrap().fit(&views, 1).unwrap();
        assert!(told_apart(&found.labels), "{method:?}");
        assert_eq!(found.feature_weights[1], vec![1.0; 12]);
        match found.predict(&views) {
            Ok(labels) => assert_eq!(labels, found.labels),
            Err(error) => assert_eq!(
                error.to_string(),
                "method must be one that can place new samples, but it is spectral"
            ),
        }
    }
}

#[test]
fn every_method_tells_blobs_apart_and_most_place_new_samples() {
    let views = blobs(&[8, 12]);
    for method in ClusteringMethod::ALL {
        // Of centred clusters any constant may be added to a sample's memberships.
        let preparation = match method {
            ClusteringMethod::SemiNmf | ClusteringMethod::DeepSemiNmf => Preparation::Raw,
            _ => Preparation::Auto,
        };
        let settings = ClusteringSettings { preparation, ..with(method) };
        let found = Clustering::new(settings).unwrap().fit(&views, 1).unwrap();
        assert!(told_apart(&found.labels), "{method:?} {:?}", found.labels);
        assert_eq!((found.embedding.rows(), found.embedding.cols()), (90, 3));
        assert_eq!((found.view_weights.len(), found.feature_weights[1].len()), (2, 12));
        if let Ok(labels) = found.predict(&views) {
            assert_eq!(labels, found.labels, "{method:?}");
        }
    }
}

#[test]
fn what_was_saved_places_samples_as_before() {
    let views = blobs(&[8, 12]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clusters");
    for method in ClusteringMethod::ALL {
        let found = Clustering::new(with(method)).unwrap().fit(&views, 1).unwrap();
        found.save(&path).unwrap();
        let loaded = Clustered::load(&path).unwrap();
        assert_eq!(loaded.labels, found.labels, "{method:?}");
        assert_eq!(loaded.embedding, found.embedding);
        assert_eq!((loaded.sweeps(), loaded.reason), (found.sweeps(), found.reason));
        assert_eq!(loaded.predict(&views).ok(), found.predict(&views).ok(), "{method:?}");
    }
    std::fs::write(&path, b"nothing").unwrap();
    let told = Clustered::load(&path).unwrap_err().to_string();
    assert!(told.contains("must be a safetensors file"), "{told}");
}

#[test]
fn a_sample_that_a_view_does_not_know_is_placed_by_the_others() {
    let mut views = blobs(&[8, 12, 6]);
    for i in 0..90 {
        views[i % 3].missing[i] = (i / 3) % 4 == 1;
    }
    for view in &mut views {
        let Features::Dense(values) = &mut view.features else { unreachable!() };
        for i in (0..90).filter(|&i| view.missing[i]) {
            (0..values.cols()).for_each(|j| values[(i, j)] = 0.0);
        }
    }
    let mut refused = Vec::new();
    for method in ClusteringMethod::ALL {
        match Clustering::new(with(method)).unwrap().fit(&views, 1) {
            Ok(found) => assert!(told_apart(&found.labels), "{method:?} {:?}", found.labels),
            Err(error) => refused.push((method.name(), error.to_string())),
        }
    }
    let names: Vec<&str> = refused.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["dmvc", "deep-semi-nmf", "semi-nmf", "k-means-best-view"]);
    let expected = "the known samples of a view must be 90 of them, as `dmvc` asks for all views of a sample, but it is 82";
    assert_eq!(refused[0].1, expected);
    let expected = "the number of views must be 1 or more that know every sample, but it is 0";
    assert_eq!(refused[3].1, expected);
}

#[test]
fn the_number_of_clusters_is_chosen_where_none_is_given() {
    let settings = ClusteringSettings { clusters: None, ..with(ClusteringMethod::KMeans) };
    let found = Clustering::new(settings).unwrap().fit(&blobs(&[8, 12]), 0).unwrap();
    assert_eq!((found.clusters, found.clusters_chosen), (3, true));
}

#[test]
fn repeats_draw_again_what_a_seed_draws() {
    let views = blobs(&[8, 12]);
    for (method, only_labels) in
        [(ClusteringMethod::KMeans, false), (ClusteringMethod::Spectral, true)]
    {
        let runs = Clustering::new(with(method)).unwrap().repeated(&views, 3, 5).unwrap();
        assert_eq!(runs.len(), 3);
        assert!(runs.iter().all(|run| run.only_labels_drawn == only_labels));
        assert!(runs.iter().all(|run| told_apart(&run.labels)));
        assert!(Clustering::new(with(method)).unwrap().repeated(&views, 0, 5).is_err());
    }
}

#[test]
fn what_cannot_be_clustered_is_refused_by_name() {
    let told = |views: &[View], settings: ClusteringSettings| {
        Clustering::new(settings).unwrap().fit(views, 0).unwrap_err().to_string()
    };
    let few = View::new("few", Features::Dense(Mat::eye(2, 2))).unwrap();
    assert_eq!(
        told(&[few], with(ClusteringMethod::Dmfaw)),
        "the number of samples must be 3 or more, one a cluster, but it is 2"
    );
    let constant = View::new("flat", Features::Dense(Mat::from_fn(9, 2, |_, j| j as f64))).unwrap();
    assert_eq!(
        told(&[constant], with(ClusteringMethod::KMeans)),
        "view `flat` must be different among its samples, but it is constant"
    );
    assert!(told(&[], with(ClusteringMethod::Dmfaw)).contains("the number of views"));
    let mut views = blobs(&[4, 4]);
    views[1].missing.pop();
    assert!(told(&views, with(ClusteringMethod::Dmfaw)).contains("the mask of view `view 1`"));
}

#[test]
fn features_and_samples_of_zeros_do_no_harm() {
    let (mut rows, mut cols) = (Vec::new(), Vec::new());
    // Words of three topics; sample 89 has none, and nobody has word 11.
    for i in 0..89_u32 {
        for word in 0..3 {
            rows.push(i);
            cols.push((i % 3) * 3 + (i / 3 + word) % 3);
        }
    }
    let counts = vec![1.0; rows.len()];
    let entries = Entries::new((90, 12), rows, cols, counts).unwrap();
    let words = View::new("words", Features::Sparse(entries)).unwrap();
    let settings =
        ClusteringSettings { preparation: Preparation::Unit, ..with(ClusteringMethod::Dmfaw) };
    let found = Clustering::new(settings).unwrap().fit(&[words], 0).unwrap();
    assert!(told_apart(&found.labels[..89]));
    assert!(found.labels[89] < 3);
    assert_eq!(found.feature_weights[0][11], 0.0);
    assert!(found.embedding.values().iter().all(|x| x.is_finite()));
}
