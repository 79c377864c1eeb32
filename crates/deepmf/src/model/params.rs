//! Parameters: one flat run of numbers, and the matrices that it is made of.

use super::{Numbers, Precision};
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
///
/// They are in double precision, those of networks may be in single precision ([`Params::singles`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    numbers: Numbers,
    slots: Vec<Slot>,
}

impl Params {
    /// Zeros for matrices of the given names and shapes; `transposed` ones are stored row after row.
    pub fn zeros(matrices: impl IntoIterator<Item = (String, usize, usize, bool)>) -> Self {
        Self::of::<f64>(matrices)
    }

    /// As [`Params::zeros`], in single precision.
    pub fn singles(matrices: impl IntoIterator<Item = (String, usize, usize, bool)>) -> Self {
        Self::of::<f32>(matrices)
    }

    /// As [`Params::zeros`], in a precision.
    pub fn of<T: Precision>(
        matrices: impl IntoIterator<Item = (String, usize, usize, bool)>,
    ) -> Self {
        let mut offset = 0;
        let mut slots = Vec::new();
        for (name, rows, cols, transposed) in matrices {
            slots.push(Slot { name, rows, cols, transposed, offset });
            offset += rows * cols;
        }
        Self { numbers: T::zeros(offset), slots }
    }

    /// The same with one more matrix of zeros at the end.
    #[must_use]
    pub(super) fn with_slot(&self, name: &str, rows: usize, cols: usize) -> Self {
        let numbers = match &self.numbers {
            Numbers::Double(values) => {
                Numbers::Double([values.as_slice(), &vec![0.0; rows * cols]].concat())
            }
            Numbers::Single(values) => {
                Numbers::Single([values.as_slice(), &vec![0.0; rows * cols]].concat())
            }
        };
        let offset = self.numbers.len();
        let slot = Slot { name: name.into(), rows, cols, transposed: false, offset };
        Self { numbers, slots: [self.slots.as_slice(), &[slot]].concat() }
    }

    /// The matrices that the first `count` numbers are.
    #[must_use]
    pub(super) fn first(&self, count: usize) -> Self {
        let slots = self.slots.iter().filter(|slot| slot.offset < count).cloned().collect();
        Self { numbers: self.numbers.first(count), slots }
    }

    /// Zeros of the same form.
    #[must_use]
    pub fn zeros_like(&self) -> Self {
        Self { numbers: self.numbers.zeros_like(), slots: self.slots.clone() }
    }

    /// All numbers, in either precision.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// All numbers, in either precision.
    pub fn numbers_mut(&mut self) -> &mut Numbers {
        &mut self.numbers
    }

    /// Whether they are in single precision.
    pub fn is_single(&self) -> bool {
        matches!(self.numbers, Numbers::Single(_))
    }

    /// All numbers.
    ///
    /// # Panics
    /// If they are in single precision, as for every method here that gives or takes f64.
    pub fn values(&self) -> &[f64] {
        f64::slice(&self.numbers)
    }

    /// All numbers.
    ///
    /// # Panics
    /// As [`Params::values`].
    pub fn values_mut(&mut self) -> &mut [f64] {
        f64::slice_mut(&mut self.numbers)
    }

    /// The matrices.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Matrix `place`.
    ///
    /// # Panics
    /// As [`Params::values`].
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
    ///
    /// # Panics
    /// As [`Params::values`].
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
    ///
    /// # Panics
    /// As [`Params::values`].
    pub fn stored(&self, place: usize) -> &[f64] {
        self.part(place)
    }

    /// The stored numbers of matrix `place`.
    ///
    /// # Panics
    /// As [`Params::values`].
    pub fn stored_mut(&mut self, place: usize) -> &mut [f64] {
        self.part_mut(place)
    }

    /// The stored numbers of matrix `place`, in a precision.
    ///
    /// # Panics
    /// If the numbers are of the other one.
    pub fn part<T: Precision>(&self, place: usize) -> &[T] {
        let slot = &self.slots[place];
        &T::slice(&self.numbers)[slot.offset..slot.offset + slot.rows * slot.cols]
    }

    /// The stored numbers of matrix `place`, in a precision.
    ///
    /// # Panics
    /// If the numbers are of the other one.
    pub fn part_mut<T: Precision>(&mut self, place: usize) -> &mut [T] {
        let slot = &self.slots[place];
        let range = slot.offset..slot.offset + slot.rows * slot.cols;
        &mut T::slice_mut(&mut self.numbers)[range]
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
        let turned = slot.transposed.then(|| matrix.t().to_mat());
        let values = turned.as_ref().unwrap_or(matrix).values();
        match &self.numbers {
            Numbers::Double(_) => self.part_mut(place).copy_from_slice(values),
            Numbers::Single(_) => {
                let stored = self.part_mut::<f32>(place).iter_mut();
                stored.zip(values).for_each(|(to, from)| *to = *from as f32);
            }
        }
        Ok(())
    }
}
