//! Binary files of real data, where there are any.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use std::path::PathBuf;

use deepmf::data::{Format, ReadOptions, Table, parse};

/// The folder of real data; says so if there is none.
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("DEEPMF_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: DEEPMF_DATA is not set");
    }
    folder
}

fn read(name: &str, format: Format, variable: Option<&str>) -> Option<deepmf::Result<Table>> {
    let bytes = std::fs::read(data()?.join(name)).unwrap();
    let options = ReadOptions { variable: variable.map(String::from), ..Default::default() };
    Some(parse(format, &bytes, &options))
}

#[test]
fn ratings_keep_the_order_of_their_file() {
    let name = "ratings/ml-100k/arora2019-order/ml-100k.npz";
    let Some(table) = read(name, Format::Npz, None) else { return };
    let entries = table.unwrap().entries;
    assert_eq!((entries.len(), entries.shape()), (100_000, (1682, 943)));
    let held_out = &entries.values()[10_000..];
    let error = held_out.iter().map(|x| x * x).sum::<f64>() / held_out.len() as f64;
    assert!((error - 13.72807).abs() < 1e-5, "{error}");
}

#[test]
fn compressed_rows_of_ratings_are_read() {
    let Some(table) = read("ratings/ml-100k/nmc-split/rating.npz", Format::Npz, None) else {
        return;
    };
    let entries = table.unwrap().entries;
    assert_eq!(entries.len(), 100_000);
    assert!((entries.mean() - 3.52986).abs() < 1e-9, "{}", entries.mean());
}

#[test]
fn variables_of_matlab_files_are_read_or_listed() {
    let file = "multiview/Handwritten/Handwritten.mat";
    let Some(labels) = read(file, Format::Mat, Some("y")) else { return };
    assert_eq!(labels.unwrap().entries.shape(), (2000, 1));
    let view = read(file, Format::Mat, Some("X{1}")).unwrap().unwrap();
    assert_eq!(view.entries.len(), view.entries.shape().0 * view.entries.shape().1);
    let error = read(file, Format::Mat, None).unwrap().unwrap_err().to_string();
    assert!(error.contains("X{6} (") && error.contains("y (2000, 1)"), "{error}");
    let cube = read("tensors/amino-fluorescence/amino.mat", Format::Mat, Some("X")).unwrap();
    assert!(
        cube.unwrap_err().to_string().contains("must be a matrix, but it has shape (5, 201, 61)")
    );
}

#[cfg(feature = "hdf5")]
#[test]
fn a_matlab_file_in_hdf5_is_read_and_its_variables_are_listed() {
    let file = "ratings/synthetic-netflix/synthetic_netflix.mat";
    let Some(table) = read(file, Format::Mat, None) else { return };
    let error = table.unwrap_err().to_string();
    assert!(error.contains("M (150, 200)") && error.contains("Wrow (150, 150) sparse"), "{error}");
    let known = |name| read(file, Format::Mat, Some(name)).unwrap().unwrap().entries;
    assert_eq!((known("M").shape(), known("M").len()), ((150, 200), 30_000));
    assert_eq!((known("Wrow").shape(), known("Wrow").len()), ((150, 150), 1713));
    assert_eq!((known("Wcol").shape(), known("Wcol").len()), ((200, 200), 2796));
}
