//! Every binary format gives back the table of `data/make.py`, with its holes and its labels.
#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "helpers of tests")]

use std::path::PathBuf;

use deepmf::data::{Entries, Field, Form, Format, ReadOptions, Table, Triplets, parse};

const N: f64 = f64::NAN;
/// The table of `make.py`, row after row.
const TABLE: [f64; 12] = [0.5, 1.5, 2.5, 10.5, 11.5, N, 20.5, 0.0, 22.5, N, 31.5, 32.5];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/good").join(name)
}

fn format(name: &str) -> Format {
    match name.split_once('.').unwrap().1 {
        "npy" => Format::Npy,
        "npz" => Format::Npz,
        "mtx" | "mtx.gz" => Format::MatrixMarket,
        "parquet" => Format::Parquet,
        "mat" => Format::Mat,
        _ => Format::Png,
    }
}

fn read(name: &str, options: &ReadOptions) -> Table {
    let bytes = std::fs::read(file(name)).unwrap();
    parse(format(name), &bytes, options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn plain(name: &str) -> Table {
    read(name, &ReadOptions::default())
}

fn named(name: &str, variable: &str) -> Table {
    read(name, &ReadOptions { variable: Some(variable.into()), ..Default::default() })
}

/// Row after row, NaN as `None`.
fn cells(entries: &Entries) -> Vec<Option<f64>> {
    let dense = entries.to_dense();
    let (rows, cols) = entries.shape();
    let values = (0..rows * cols).map(|at| dense[(at / cols, at % cols)]);
    values.map(|value| (!value.is_nan()).then_some(value)).collect()
}

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect()
}

#[test]
fn every_form_of_the_table_has_its_values_and_holes() {
    let names = "c.npy fortran.npy single-big-endian.npy half.npy version-2.npy stored.npz deflated.npz csr.npz csc.npz \
                 coo.npz triplets.npz coordinate.mtx coordinate.mtx.gz array.mtx wide.parquet wide-zstd.parquet dense.mat \
                 packed.mat sparse.mat dense-73.mat sparse-73.mat";
    for name in names.split_whitespace() {
        let table = plain(name);
        assert_eq!(table.entries.shape(), (4, 3), "{name}");
        assert_eq!(cells(&table.entries), some(&TABLE), "{name}");
    }
}

#[test]
fn whole_numbers_of_every_type_are_read() {
    let expected: Vec<f64> =
        TABLE.iter().map(|x| if x.is_nan() { 0.0 } else { x.floor() }).collect();
    for kind in "i1 u1 i2 u2 i4 u4 i8 u8".split(' ') {
        let name = format!("whole-{kind}.npy");
        assert_eq!(cells(&plain(&name).entries), some(&expected), "{name}");
    }
    let flags: Vec<f64> = expected.iter().map(|&x| f64::from(u8::from(x > 9.0))).collect();
    assert_eq!(cells(&plain("bool.npy").entries), some(&flags));
}

#[test]
fn an_array_with_one_axis_is_a_column() {
    let table = plain("column.npy");
    assert_eq!(table.entries.shape(), (4, 1));
    assert_eq!(table.entries.values(), [1.5, 11.5, 0.0, 31.5]);
}

#[test]
fn triplets_keep_the_order_of_the_file() {
    let entries = plain("triplets.npz").entries;
    assert_eq!(entries.values()[..4], [22.5, 2.5, 32.5, 0.5]);
    assert_eq!(entries.rows()[..4], [2, 0, 3, 0]);
    let names = ["rows", "cols", "values"].map(|name| Field::Name(name.into()));
    let by_name = read("triplets.npz", &chosen(names));
    assert_eq!(by_name.entries, entries);
    let by_place = read("triplets.npz", &chosen([1, 2, 3].map(Field::Place)));
    assert_eq!(by_place.entries, entries);
}

fn chosen([row, col, value]: [Field; 3]) -> ReadOptions {
    let triplets = Triplets { row, col, value: Some(value), weight: None, time: None };
    ReadOptions { triplets: Some(triplets), ..Default::default() }
}

#[test]
fn one_of_several_variables_is_named() {
    for (name, variable) in [
        ("two.npz", "second"),
        ("many.mat", "table"),
        ("many.mat", "X{2}"),
        ("many-73.mat", "table"),
    ] {
        assert_eq!(cells(&named(name, variable).entries), some(&TABLE), "{name} {variable}");
    }
    assert_eq!(named("many.mat", "X{1}").entries.len(), 12);
    assert_eq!(named("many.mat", "flag").entries.values()[..4], [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(named("many.mat", "one").entries.values(), [3.0]);
}

#[test]
fn numbers_that_are_named_as_missing_are_missing() {
    let options =
        ReadOptions { missing: vec!["0".into(), "NA".into(), "10.5".into()], ..Default::default() };
    for name in ["c.npy", "csr.npz", "coordinate.mtx", "wide.parquet", "sparse.mat", "dense-73.mat"]
    {
        let entries = read(name, &options).entries;
        assert_eq!(entries.len(), 8, "{name}");
        assert!(entries.values().iter().all(|&x| x > 0.0 && x != 10.5), "{name}");
    }
}

#[test]
fn matrix_market_symmetries_fill_the_other_half() {
    let square = some(&[1.0, 2.0, 4.0, 2.0, 3.0, 5.0, 4.0, 5.0, 6.0]);
    assert_eq!(cells(&plain("symmetric.mtx").entries), square);
    assert_eq!(cells(&plain("symmetric-array.mtx").entries), square);
    assert_eq!(
        cells(&plain("skew.mtx").entries),
        some(&[N, -2.0, -4.0, 2.0, N, -5.0, 4.0, 5.0, N])
    );
    let skew = some(&[0.0, -2.0, -4.0, 2.0, 0.0, -5.0, 4.0, 5.0, 0.0]);
    assert_eq!(cells(&plain("skew-array.mtx").entries), skew);
    assert_eq!(plain("pattern.mtx").entries.values(), [1.0; 6]);
    assert_eq!(cells(&plain("integer.mtx").entries), some(&[1.0, 2.0, 2.0, 3.0, 4.0, 5.0]));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_words_are_labels_or_passed_through() {
    for name in ["wide.parquet", "wide-zstd.parquet"] {
        let table = plain(name);
        assert_eq!(table.row_labels.as_deref().unwrap(), ["ann", "bob", "cid", "dee"]);
        assert_eq!(table.col_labels.as_deref().unwrap(), ["a", "b", "c"]);
        let Form::Wide { row_names, passthrough, .. } = table.form else {
            panic!("{:?}", table.form)
        };
        assert_eq!(row_names.as_deref(), Some("name"));
        assert_eq!((passthrough[0].name.as_deref(), passthrough[0].place), (Some("town"), 2));
        assert_eq!(passthrough[0].fields, ["x", "y", "x", ""]);
    }
    let unnamed =
        read("wide.parquet", &ReadOptions { row_names: Some(false), ..Default::default() });
    assert_eq!(unnamed.row_labels, None);
    let Form::Wide { passthrough, .. } = unnamed.form else { panic!("{:?}", unnamed.form) };
    assert_eq!(passthrough.len(), 2);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_triplets_number_words_by_appearance_and_whole_numbers_by_size() {
    let by_name = ["user", "item", "stars"].map(|name| Field::Name(name.into()));
    for fields in [by_name, [3, 1, 2].map(Field::Place)] {
        let table = read("triplets.parquet", &chosen(fields));
        assert_eq!(table.row_labels.as_deref().unwrap(), ["ann", "bob", "cid", "dee"]);
        assert_eq!(table.col_labels.as_deref().unwrap(), ["10", "20", "30"]);
        assert_eq!(table.entries.cols()[..3], [2, 1, 0]);
        assert_eq!(table.entries.values()[..3], [0.5, 1.5, 2.5]);
        let Form::Triplets { names, .. } = table.form else { panic!("{:?}", table.form) };
        assert_eq!(names.unwrap(), ["user", "item", "stars"]);
    }
}

#[test]
fn an_image_is_grey_from_black_0_to_white_1() {
    for name in ["grey.png", "grey-16.png", "colour.png"] {
        let entries = plain(name).entries;
        assert_eq!(entries.shape(), (2, 3), "{name}");
        for (e, &value) in entries.values().iter().enumerate() {
            assert!((value - 0.2 * e as f64).abs() < 1e-12, "{name}: {value}");
        }
    }
    assert_eq!(cells(&plain("two-levels.png").entries), some(&[1.0, 0.0, 0.0, 1.0]));
}

#[test]
fn a_mask_hides_what_is_black() {
    let masked =
        read("grey.png", &ReadOptions { mask: Some(file("mask.png")), ..Default::default() });
    assert_eq!(masked.entries.cols(), [0, 2, 0, 1]);
    let wrong = ReadOptions { mask: Some(file("two-levels.png")), ..Default::default() };
    let bytes = std::fs::read(file("grey.png")).unwrap();
    let error = parse(Format::Png, &bytes, &wrong).unwrap_err().to_string();
    assert!(
        error.ends_with("the mask must have the image's shape (2, 3), but it has (2, 2)"),
        "{error}"
    );
}
