//! Dense matrices, stored column after column without gaps, and views of them.

use std::fmt;
use std::ops::{Index, IndexMut};

/// A dense matrix: `rows × cols` numbers, column after column.
#[derive(Clone, PartialEq, Default)]
pub struct Mat {
    rows: usize,
    cols: usize,
    values: Vec<f64>,
}

impl Mat {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, values: vec![0.0; rows * cols] }
    }

    /// Ones on the main diagonal of a possibly rectangular matrix.
    pub fn eye(rows: usize, cols: usize) -> Self {
        Self::from_fn(rows, cols, |i, j| f64::from(u8::from(i == j)))
    }

    /// The matrix whose entry at row `i`, column `j` is `entry(i, j)`.
    pub fn from_fn(rows: usize, cols: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Self {
        let mut values = Vec::with_capacity(rows * cols);
        for j in 0..cols {
            values.extend((0..rows).map(|i| entry(i, j)));
        }
        Self { rows, cols, values }
    }

    /// Takes `values`, stored column after column.
    ///
    /// # Panics
    /// If there are not `rows * cols` values.
    pub fn from_columns(rows: usize, cols: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * cols, "a {rows} x {cols} matrix");
        Self { rows, cols, values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All entries, column after column.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All entries, column after column.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Column `j`.
    pub fn col(&self, j: usize) -> &[f64] {
        &self.values[j * self.rows..(j + 1) * self.rows]
    }

    /// Column `j`.
    pub fn col_mut(&mut self, j: usize) -> &mut [f64] {
        &mut self.values[j * self.rows..(j + 1) * self.rows]
    }

    /// A view of the whole matrix.
    pub fn view(&self) -> MatRef<'_> {
        MatRef::new(self.rows, self.cols, &self.values)
    }

    /// A view of the whole matrix that can be written to.
    pub fn view_mut(&mut self) -> MatMut<'_> {
        MatMut::new(self.rows, self.cols, &mut self.values)
    }

    /// The transposed matrix, as a view.
    pub fn t(&self) -> MatRef<'_> {
        self.view().t()
    }

    /// `self · other`.
    #[must_use]
    pub fn times(&self, other: &Mat) -> Mat {
        self.view().times(other.view())
    }

    /// `factor · self`.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Mat {
        self.values.iter_mut().for_each(|x| *x *= factor);
        self
    }

    /// `self − other`.
    #[must_use]
    pub fn minus(mut self, other: &Mat) -> Mat {
        self.values.iter_mut().zip(&other.values).for_each(|(x, y)| *x -= y);
        self
    }

    /// The Frobenius norm.
    pub fn frobenius(&self) -> f64 {
        super::norm(&self.values)
    }

    /// The largest absolute entry.
    pub fn max_abs(&self) -> f64 {
        self.values.iter().fold(0.0, |m, x| x.abs().max(m))
    }

    /// Makes this a `rows × cols` matrix; what it holds afterwards is unspecified. Allocates only to grow.
    pub fn reshape(&mut self, rows: usize, cols: usize) {
        self.values.resize(rows * cols, 0.0);
        (self.rows, self.cols) = (rows, cols);
    }
}

impl Index<(usize, usize)> for Mat {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        debug_assert!(i < self.rows);
        &self.values[j * self.rows + i]
    }
}

impl IndexMut<(usize, usize)> for Mat {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        debug_assert!(i < self.rows);
        &mut self.values[j * self.rows + i]
    }
}

impl fmt::Debug for Mat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Mat {} x {}", self.rows, self.cols)?;
        for i in 0..self.rows.min(8) {
            let row: Vec<String> =
                (0..self.cols.min(8)).map(|j| format!("{:>11.4e}", self[(i, j)])).collect();
            writeln!(f, "  {}", row.join(" "))?;
        }
        Ok(())
    }
}

/// A view of a matrix that is stored column after column, or of the transpose of one; f64 unless it says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T = f64> {
    rows: usize,
    cols: usize,
    transposed: bool,
    values: &'a [T],
}

impl<'a, T: Copy> MatRef<'a, T> {
    /// Views `values` as `rows × cols`, column after column.
    ///
    /// # Panics
    /// If there are not `rows * cols` values.
    pub fn new(rows: usize, cols: usize, values: &'a [T]) -> Self {
        assert_eq!(values.len(), rows * cols, "a {rows} x {cols} view");
        Self { rows, cols, transposed: false, values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The transposed view; costs nothing.
    #[must_use]
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, transposed: !self.transposed, ..self }
    }

    /// The entry at row `i`, column `j`.
    pub fn at(&self, i: usize, j: usize) -> T {
        if self.transposed {
            self.values[i * self.cols + j]
        } else {
            self.values[j * self.rows + i]
        }
    }

    /// Column `j` of a view that is not transposed.
    ///
    /// # Panics
    /// If the view is transposed: its columns are not contiguous.
    pub fn col(&self, j: usize) -> &'a [T] {
        assert!(!self.transposed, "columns of a transposed view are not contiguous");
        &self.values[j * self.rows..(j + 1) * self.rows]
    }

    /// The stored numbers and whether they are those of the transpose.
    pub fn stored(&self) -> (&'a [T], bool) {
        (self.values, self.transposed)
    }
}

impl MatRef<'_> {
    /// `self · other`.
    pub fn times(self, other: MatRef<'_>) -> Mat {
        let mut out = Mat::zeros(self.rows, other.cols);
        super::multiply(out.view_mut(), super::Accumulate::Replace, 1.0, self, other);
        out
    }

    /// A copy with storage of its own.
    pub fn to_mat(self) -> Mat {
        if self.transposed {
            Mat::from_fn(self.rows, self.cols, |i, j| self.at(i, j))
        } else {
            Mat::from_columns(self.rows, self.cols, self.values.to_vec())
        }
    }
}

/// A view that can be written to; see [`MatRef`].
#[derive(Debug)]
pub struct MatMut<'a, T = f64> {
    rows: usize,
    cols: usize,
    transposed: bool,
    values: &'a mut [T],
}

impl<'a, T> MatMut<'a, T> {
    /// Views `values` as `rows × cols`, column after column.
    ///
    /// # Panics
    /// If there are not `rows * cols` values.
    pub fn new(rows: usize, cols: usize, values: &'a mut [T]) -> Self {
        assert_eq!(values.len(), rows * cols, "a {rows} x {cols} view");
        Self { rows, cols, transposed: false, values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The transposed view; costs nothing.
    #[must_use]
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, transposed: !self.transposed, values: self.values }
    }

    /// The stored numbers and whether they are those of the transpose.
    pub fn into_stored(self) -> (&'a mut [T], bool) {
        (self.values, self.transposed)
    }

    /// The same view for a shorter time.
    pub fn reborrow(&mut self) -> MatMut<'_, T> {
        MatMut {
            rows: self.rows,
            cols: self.cols,
            transposed: self.transposed,
            values: self.values,
        }
    }

    /// The same numbers, to read.
    pub fn as_ref(&self) -> MatRef<'_, T> {
        MatRef {
            rows: self.rows,
            cols: self.cols,
            transposed: self.transposed,
            values: self.values,
        }
    }
}
