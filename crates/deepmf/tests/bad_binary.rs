//! Hostile and damaged binary files get one clear message, and no memory that they only claim to need.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use deepmf::data::{Field, Format, ReadOptions, Triplets, parse};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// More memory than any file of this folder needs, in megabytes.
const SANE: f32 = 256.0;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn format(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "npy" => Some(Format::Npy),
        "npz" => Some(Format::Npz),
        "mtx" | "gz" => Some(Format::MatrixMarket),
        "parquet" => Some(Format::Parquet),
        "mat" => Some(Format::Mat),
        "png" => Some(Format::Png),
        _ => None,
    }
}

fn refusal(path: &Path, options: &ReadOptions) -> String {
    let bytes = std::fs::read(path).unwrap();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage_as_mb();
    let found = parse(format(path).unwrap(), &bytes, options);
    let used = MEMORY.peak_usage_as_mb() - before;
    assert!(used < SANE, "{}: {used} MB", path.display());
    found.expect_err(&path.display().to_string()).to_string()
}

/// File, and a part of the message.
const REFUSED: &[(&str, &str)] = &[
    ("complex.mtx", "-:1: the numbers must be real, integer or pattern, but they are complex"),
    ("complex.npy", "an array must hold real numbers, but its type is `c16`"),
    ("duplicate.npz", "the entry at row 0, column 1 must be given once, but it is 1 and 2"),
    ("empty.npz", "the archive must hold an array, but it holds none"),
    (
        "half-a-header.npy",
        "the header must be 118 bytes of text, but it is not: the file is truncated",
    ),
    ("headless.parquet", "this one is truncated or damaged"),
    (
        "huge-array.mtx",
        "the claimed shape (100000, 100000) must fit in the 57 bytes that can be there",
    ),
    ("huge-claim.mtx", "-:2:3: 9000000000000 entries must fit in the 82 bytes that can be there"),
    (
        "huge-claim.npy",
        "the claimed shape (31250, 40000) must fit in the 896 bytes that can be there",
    ),
    ("huge-claim.npz", "-/table: the claimed shape (31250, 40000) must fit in the 0 bytes"),
    ("huge-claim.png", "the claimed shape (100000, 12500) must fit in the"),
    ("infinity.npy", "the value in row 2, column 2 must be finite, but it is -inf"),
    ("infinity.parquet", "the value in row 2, column 1 must be finite, but it is inf"),
    ("lists.parquet", "column `a` must hold numbers or words, but it holds List"),
    ("longer.npy", "96 bytes of numbers must follow the header, but 97 follow"),
    ("negative.npz", "a row id must be a whole number from 0 to below 4294967295, but it is -1"),
    ("no-header.mtx", "-:1: the file must begin with `%%MatrixMarket matrix"),
    ("no-rows.npy", "a table must have 1 to 4294967295 rows and columns, but it has shape (0, 3)"),
    ("not-a-mat.mat", "a .mat file must be of version 5 or 7.3, but this one is neither"),
    ("not-a-png.png", "the image must be a whole PNG, but it is not"),
    ("outside.mtx", "-:4:1: a row must be from 1 to 2, but it is `3`"),
    (
        "outside.npz",
        "an index of a sparse matrix must be a whole number from 0 to below 2, but it is 2",
    ),
    ("overflow.npy", "the claimed shape (4294967296, 4294967296, 16) must fit in the 0 bytes"),
    (
        "pointers.npz",
        "the index lists of a sparse matrix must fit its shape and values, but they do not",
    ),
    ("record.npy", "the header must name a simple type, an order and a shape, but it does not"),
    ("skew.mtx", "-:3:3: the diagonal of a skew-symmetric matrix must be 0, but it is 3"),
    ("text.npy", "an array must hold real numbers, but its type is `U1`"),
    ("three-axes.npy", "a table must have 1 or 2 axes, but the array has 3"),
    ("too-many.mtx", "-:4: the file must end after its last entry, but it goes on"),
    ("truncated-73.mat", "a MAT v7.3 file must be whole, but it is not"),
    ("truncated-packed.mat", "an element must be whole, but the file is truncated or damaged"),
    ("truncated.mat", "an element must be whole, but the file is truncated or damaged"),
    ("truncated.npy", "the claimed shape (4, 3) must fit in the 87 bytes that can be there"),
    ("truncated.npz", "a .npz file must be a whole zip archive, but it is not"),
    ("truncated.parquet", "this one is truncated or damaged"),
    ("truncated.png", "the image must be a whole PNG, but it is not: unexpected end of file"),
    (
        "unequal.npz",
        "rows, columns and values must be equally many, but there are [2, 1, 2] for 2 values",
    ),
    ("word.mtx", "-:3:3: a value must be a finite number, but it is `one`"),
    ("words.parquet", "a table must have a column of numbers, but it has none"),
    ("wrong-count.mtx", "-:5: 3 entries must follow the sizes, but 2 follow"),
    ("wrong-magic.npy", "a .npy file must begin with \\x93NUMPY, but this one does not"),
];

#[test]
fn each_bad_file_is_refused_with_its_own_message() {
    let mut wrong = Vec::new();
    for &(name, expected) in REFUSED {
        let found = refusal(&folder("bad").join(name), &ReadOptions::default());
        if !found.starts_with('-') || !found.contains(expected) {
            wrong.push(format!("{name}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_binary_file_of_the_folder_is_in_the_list() {
    for entry in std::fs::read_dir(folder("bad")).unwrap() {
        let path = entry.unwrap().path();
        let listed = REFUSED.iter().any(|(name, ..)| path.ends_with(name));
        assert!(listed || format(&path).is_none(), "{}", path.display());
    }
}

#[test]
fn several_variables_without_a_name_are_listed() {
    let expected = [
        ("two.npz", "first, second"),
        (
            "many.mat",
            "first (4, 3), table (4, 3), X (a cell array; its elements have names), X{1} (4, 3), X{2} (4, 3) sparse, s (a struct)",
        ),
        ("many-73.mat", "first (4, 3), table (4, 3)"),
    ];
    for (name, list) in expected {
        let found = refusal(&folder("good").join(name), &ReadOptions::default());
        assert!(found.contains(list), "{found}");
    }
}

#[test]
fn a_variable_that_is_no_matrix_is_refused_with_what_it_is() {
    let expected = [
        ("many.mat", "X", "`X` must be a real numeric matrix, but it is a cell array"),
        ("many.mat", "s", "a struct, which is not read here"),
        ("many.mat", "word", "text"),
        ("many.mat", "z", "complex"),
        ("many.mat", "cube", "`cube` must be a matrix, but it has shape (2, 2, 2)"),
        ("many.mat", "nothing", "there must be one variable `nothing`, but there are first (4, 3)"),
        ("many-73.mat", "cell", "a cell array"),
        ("many-73.mat", "s", "a struct"),
        ("two.npz", "third", "there must be an array `third`, but there are first, second"),
    ];
    for (name, variable, expected) in expected {
        let options = ReadOptions { variable: Some(variable.into()), ..Default::default() };
        let found = refusal(&folder("good").join(name), &options);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn triplets_of_a_file_without_columns_are_refused() {
    let [row, col, value] = [1, 2, 9].map(Field::Place);
    let triplets = Triplets { row, col, value: Some(value), weight: None, time: None };
    let options = ReadOptions { triplets: Some(triplets), ..Default::default() };
    let found = refusal(&folder("good").join("c.npy"), &options);
    assert!(found.contains("triplets must come from text, Parquet or .npz"), "{found}");
    let found = refusal(&folder("good").join("wide.parquet"), &options);
    assert!(
        found.contains("there must be a column 9, but there are name, a, town, b, c"),
        "{found}"
    );
}

/// A small generator of its own, so that the mutations stay what they are.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// Changes, cuts, doubles or swells a few bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes[at] = self.below(256) as u8,
                2 => bytes[at] ^= 1 << self.below(8),
                3 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = 255),
                4 => {
                    let end = (at + self.below(64)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => bytes[at..].iter_mut().take(8).for_each(|byte| *byte = b'9'),
            }
        }
    }
}

#[test]
fn no_mutated_file_makes_a_reader_panic_or_take_much_memory() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder("good")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut dice = Dice(1);
    let fields = ["user", "item", "stars"].map(|name| Field::Name(name.into()));
    let [row, col, value] = fields;
    let triplets = Some(Triplets { row, col, value: Some(value), weight: None, time: None });
    for path in files.iter().filter(|path| format(path).is_some()) {
        let whole = std::fs::read(path).unwrap();
        let triplets = triplets.clone().filter(|_| path.ends_with("triplets.parquet"));
        let options = ReadOptions { triplets, ..Default::default() };
        for _ in 0..300 {
            let mut bytes = whole.clone();
            dice.mutate(&mut bytes);
            MEMORY.reset_peak_usage();
            let before = MEMORY.current_usage_as_mb();
            let _ = parse(format(path).unwrap(), &bytes, &options);
            let used = MEMORY.peak_usage_as_mb() - before;
            assert!(used < SANE, "{}: {used} MB", path.display());
        }
    }
}
