//! Parameters: one flat run of numbers, and the matrices that it is made of.

use crate::linalg::{Mat, MatMut, MatRef};
use crate::{Error, Result};

/// One matrix among the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name in files.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Whether the stored numbers are those of the transpose, column after column.
    pub transposed: bool,
    offset: usize,
}

/// The parameters of a model, or anything of the same form: a gradient, a direction, a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    values: Vec<f64>,
    slots: Vec<Slot>,
}

impl Params {
    /// Zeros for matrices of the given names and shapes; `transposed` ones are stored row after row.
    pub fn zeros(matrices: impl IntoIterator<Item = (String, usize, usize, bool)>) -> Self {
        let mut offset = 0;
        let mut slots = Vec::new();
        for (name, rows, cols, transposed) in matrices {
            slots.push(Slot { name, rows, cols, transposed, offset });
            offset += rows * cols;
        }
        Self { values: vec![0.0; offset], slots }
    }

    /// Zeros of the same form.
    #[must_use]
    pub fn zeros_like(&self) -> Self {
        Self { values: vec![0.0; self.values.len()], slots: self.slots.clone() }
    }

    /// All numbers.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All numbers.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// The matrices.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Matrix `place`.
    pub fn matrix(&self, place: usize) -> MatRef<'_> {
        let slot = &self.slots[place];
        let values = self.stored(place);
        if slot.transposed {
            MatRef::new(slot.cols, slot.rows, values).t()
        } else {
            MatRef::new(slot.rows, slot.cols, values)
        }
    }

    /// Matrix `place`, to write to.
    pub fn matrix_mut(&mut self, place: usize) -> MatMut<'_> {
        let Slot { rows, cols, transposed, .. } = self.slots[place];
        let values = self.stored_mut(place);
        if transposed {
            MatMut::new(cols, rows, values).t()
        } else {
            MatMut::new(rows, cols, values)
        }
    }

    /// The stored numbers of matrix `place`.
    pub fn stored(&self, place: usize) -> &[f64] {
        let slot = &self.slots[place];
        &self.values[slot.offset..slot.offset + slot.rows * slot.cols]
    }

    /// The stored numbers of matrix `place`.
    pub fn stored_mut(&mut self, place: usize) -> &mut [f64] {
        let slot = &self.slots[place];
        &mut self.values[slot.offset..slot.offset + slot.rows * slot.cols]
    }

    /// Sets matrix `place`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shape is not that of the slot; [`Error::NotFinite`].
    pub fn set(&mut self, place: usize, matrix: &Mat) -> Result<()> {
        let slot = &self.slots[place];
        let (expected, found) = ((slot.rows, slot.cols), (matrix.rows(), matrix.cols()));
        if expected != found {
            let words = crate::data::words;
            return Err(Error::shape(slot.name.clone(), words(expected), words(found)));
        }
        if let Some(&found) = matrix.values().iter().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: format!("every entry of {}", slot.name), found });
        }
        let transposed = slot.transposed;
        let stored = self.stored_mut(place);
        if transposed {
            stored.copy_from_slice(matrix.t().to_mat().values());
        } else {
            stored.copy_from_slice(matrix.values());
        }
        Ok(())
    }
}
