//! Values of scikit-learn and cases by hand.

#![allow(clippy::unreadable_literal, reason = "numbers as another program prints them")]

use super::*;

/// Classes, clusters, then ACC, purity, NMI by the maximum, the mean and the geometric mean, ARI, F.
///
/// scikit-learn 1.9 with SciPy: `c = contingency_matrix(t, p)`, `c[linear_sum_assignment(-c)].sum() / n`, `c.max(0).sum() / n`,
/// `normalized_mutual_info_score(t, p, average_method=…)` for `max`, `arithmetic`, `geometric`, `adjusted_rand_score(t, p)`, and of
/// `m = pair_confusion_matrix(t, p)` the ratio `2 m[1,1] / (2 m[1,1] + m[0,1] + m[1,0])`.
type Row = (&'static [usize], &'static [usize], [f64; 7]);

const SCIKIT_LEARN: [Row; 6] = [
    (
        &[0, 0, 0, 1, 1, 1, 2, 2, 2],
        &[1, 1, 0, 0, 0, 0, 2, 2, 2],
        [
            0.8888888888888888,
            0.8888888888888888,
            0.7725068857142602,
            0.786013103263073,
            0.7861332638754119,
            0.6428571428571429,
            0.7368421052631579,
        ],
    ),
    (
        &[0, 0, 1, 1, 2, 2, 3, 3],
        &[0, 0, 0, 0, 1, 1, 1, 2],
        [
            0.625,
            0.625,
            0.5778195311147832,
            0.6786620902057692,
            0.6892397346775355,
            0.3287671232876712,
            0.46153846153846156,
        ],
    ),
    (
        &[0, 1, 0, 1, 0, 1],
        &[0, 0, 1, 1, 2, 2],
        [0.3333333333333333, 0.5, 0.0, 0.0, 0.0, -0.36363636363636365, 0.0],
    ),
    (&[5, 5, 9, 9], &[3, 3, 1, 1], [1.0; 7]),
    (&[0, 0, 0, 0], &[0, 1, 2, 3], [0.25, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    (
        &[0, 0, 0, 1, 1, 2, 2, 2, 2, 2],
        &[4, 4, 2, 2, 2, 0, 0, 0, 4, 1],
        [
            0.7,
            0.8,
            0.49301852191604645,
            0.5528040053353553,
            0.5569138794297402,
            0.25287356321839083,
            0.43478260869565216,
        ],
    ),
];

#[test]
fn agreement_is_that_of_scikit_learn() {
    for (classes, clusters, expected) in SCIKIT_LEARN {
        let found = Agreement::new(classes, clusters).unwrap();
        let found = [
            found.accuracy(),
            found.purity(),
            found.normalized_mutual_information(Normalizer::Max),
            found.normalized_mutual_information(Normalizer::Mean),
            found.normalized_mutual_information(Normalizer::Geometric),
            found.adjusted_rand_index(),
            found.f_score(),
        ];
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() < 1e-12,
                "{classes:?} {clusters:?} {place}: {found} {expected}"
            );
        }
    }
}

#[test]
fn one_class_in_one_cluster_agrees_and_renaming_changes_nothing() {
    let one = Agreement::new(&[1, 1, 1], &[7, 7, 7]).unwrap();
    assert_eq!(one.normalized_mutual_information(Normalizer::Max), 1.0);
    assert_eq!((one.accuracy(), one.adjusted_rand_index(), one.f_score()), (1.0, 1.0, 1.0));
    let (classes, clusters) = ([0, 0, 1, 1, 2], [1, 1, 1, 0, 2]);
    let renamed = clusters.map(|c| [9, 4, 7][c]);
    let (a, b) =
        (Agreement::new(&classes, &clusters).unwrap(), Agreement::new(&classes, &renamed).unwrap());
    assert_eq!((a.accuracy(), a.purity(), a.f_score()), (b.accuracy(), b.purity(), b.f_score()));
    assert_eq!(b.clusters(), [4, 7, 9]);
    assert_eq!(b.matching(), [Some(0), Some(2), Some(1)]);
}

#[test]
fn a_cluster_beyond_the_classes_is_given_to_none() {
    let found = Agreement::new(&[0, 0, 0, 1], &[0, 0, 1, 2]).unwrap();
    assert_eq!(found.matching(), [Some(0), None, Some(1)]);
    assert_eq!(found.counts(), [vec![2, 1, 0], vec![0, 0, 1]]);
    assert_eq!(found.accuracy(), 0.75);
}

#[test]
fn lists_of_different_lengths_and_none_are_refused() {
    let message = Agreement::new(&[0], &[0, 1]).unwrap_err().to_string();
    assert_eq!(
        message,
        "the list of classes must have one class for each of 2 samples, but it has 1"
    );
    assert!(Agreement::new(&[], &[]).is_err());
}

/// scikit-learn 1.9: `silhouette_score(X, labels)`.
#[test]
fn the_silhouette_is_that_of_scikit_learn() {
    let rows = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [5.0, 5.0], [6.0, 5.0], [9.0, -2.0]];
    let samples = Mat::from_fn(6, 2, |i, j| rows[i][j]);
    for (labels, expected) in [
        ([0, 0, 0, 1, 1, 2], 0.7037301582319236),
        ([0, 0, 1, 1, 2, 2], 0.009921051915744458),
        ([0, 1, 0, 1, 0, 1], -0.10175119955173179),
    ] {
        let found = silhouette(&samples, &labels).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
    assert!(silhouette(&samples, &[0; 6]).is_err());
    assert!(silhouette(&samples, &[0, 1, 2, 3, 4, 5]).is_err());
    assert!(silhouette(&samples, &[0, 1]).is_err());
}
