//! Views of real data sets are read as they are.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on must fail; a skipped one says so"
)]

use std::path::PathBuf;

use deepmf::data::{Features, MatViews, Preparation, ReadOptions, ViewSet};

/// The folder of the data sets, or why their tests are skipped.
fn folder() -> Option<PathBuf> {
    let found = std::env::var_os("DEEPMF_DATA").map(|root| PathBuf::from(root).join("multiview"));
    let found = found.filter(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: DEEPMF_DATA names no folder with `multiview`");
    }
    found
}

/// File, samples, classes, features of each view; sizes are those that SciPy reads.
const SETS: [(&str, usize, usize, &[usize]); 9] = [
    ("100Leaves/100Leaves.mat", 1600, 100, &[64, 64, 64]),
    ("3Sources/3Sources.mat", 169, 6, &[3560, 3631, 3068]),
    ("BBC4view/BBC4views.mat", 685, 5, &[4659, 4633, 4665, 4684]),
    ("BBCSport/BBCSport.mat", 544, 5, &[3183, 3203]),
    ("Handwritten/Handwritten.mat", 2000, 10, &[216, 76, 64, 6, 240, 47]),
    ("Movies617/Movies.mat", 617, 17, &[1878, 1398]),
    ("ORL/ORL.mat", 400, 40, &[512, 59, 864, 254]),
    ("Reuters-1200/Reuters-1200.mat", 1200, 6, &[2000; 5]),
    ("synthetic3d/synthetic3d.mat", 600, 3, &[3, 3, 3]),
];

#[test]
fn every_set_of_views_is_read_with_its_labels() {
    let Some(folder) = folder() else { return };
    for (name, samples, classes, widths) in SETS {
        let set = ViewSet::read_mat(folder.join(name), &MatViews::default(), None).unwrap();
        let shapes: Vec<_> = set.views.iter().map(deepmf::data::View::shape).collect();
        let expected: Vec<_> = widths.iter().map(|&width| (samples, width)).collect();
        assert_eq!(shapes, expected, "{name}");
        assert!(!set.transposed && set.views[0].name == "X{1}", "{name}");
        let found = set.classes.unwrap();
        assert_eq!((found.of.len(), found.names.len()), (samples, classes), "{name}");
        for view in set.views {
            let is_sparse = matches!(view.features, Features::Sparse(_));
            assert_eq!(is_sparse, name.starts_with("BBC4"), "{name}");
            let (made, how) = view.prepared(Preparation::Auto).unwrap();
            let words = ["3S", "BBC", "Mov", "Reu"].iter().any(|start| name.starts_with(start));
            let counts = ["3S", "BBC4", "Mov"].iter().any(|start| name.starts_with(start));
            let expected = match (words, counts) {
                (true, true) => Preparation::Counts,
                (true, false) => Preparation::Unit,
                _ => Preparation::Standard,
            };
            assert_eq!((how, made.samples()), (expected, samples), "{name} {}", made.name);
            assert_eq!(matches!(made.features, Features::Sparse(_)), words, "{name}");
        }
    }
}

#[test]
fn views_in_text_files_are_read_with_the_names_of_their_features() {
    let Some(folder) = folder() else { return };
    let paths = ["gene", "lipid"].map(|name| folder.join(format!("nutrimouse/{name}.csv")));
    let labels = folder.join("nutrimouse/diet.csv");
    let set = ViewSet::read(&paths, &ReadOptions::default(), Some(&labels)).unwrap();
    assert_eq!((set.views[0].shape(), set.views[1].shape()), ((40, 120), (40, 21)));
    assert_eq!(set.features[1].as_ref().unwrap()[0], "C14.0");
    let classes = set.classes.unwrap();
    assert_eq!(classes.names, ["coc", "fish", "lin", "ref", "sun"]);
    assert_eq!(classes.of[..3], [2, 4, 4]);
}

#[test]
fn a_field_that_is_not_there_is_answered_by_what_is() {
    let Some(folder) = folder() else { return };
    let which = MatViews { views: Some("views".into()), labels: None };
    let path = folder.join("synthetic3d/synthetic3d.mat");
    let error = ViewSet::read_mat(&path, &which, None).unwrap_err().to_string();
    let expected = "there must be a variable `views` with the views, but there are X (a cell array; its elements have names), X{1} (600, 3)";
    assert!(error.contains(expected), "{error}");
    let which = MatViews { views: None, labels: Some("labels".into()) };
    let error = ViewSet::read_mat(&path, &which, None).unwrap_err().to_string();
    assert!(error.contains("a variable `labels` with the labels"), "{error}");
}
