//! Named matrices in a safetensors file.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{Numbers, Params};
use crate::data::write_whole;
use crate::linalg::Mat;
use crate::{Error, Result};

/// Named f64 or f32 tensors with words beside them, as safetensors files hold them (rows first).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors {
    tensors: BTreeMap<String, (Vec<usize>, Numbers)>,
    words: BTreeMap<String, String>,
}

impl Tensors {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The matrices of a model's parameters.
    pub fn of(params: &Params) -> Self {
        let mut tensors = Self::new();
        for (place, slot) in params.slots().iter().enumerate() {
            if !params.is_single() {
                tensors.add_matrix(&slot.name, &params.matrix(place).to_mat());
                continue;
            }
            let (stored, shape) = (params.part::<f32>(place), vec![slot.rows, slot.cols]);
            let rows_first = match (slot.transposed, slot.rows) {
                (true, _) => stored.to_vec(),
                (false, rows) => {
                    let row = |i| stored.iter().skip(i).step_by(rows).copied();
                    (0..rows).flat_map(row).collect()
                }
            };
            tensors.tensors.insert(slot.name.clone(), (shape, Numbers::Single(rows_first)));
        }
        tensors
    }

    /// Adds numbers in a row.
    pub fn add(&mut self, name: &str, values: Vec<f64>) {
        self.add_numbers(name, Numbers::Double(values));
    }

    /// Adds numbers in a row, in either precision.
    pub fn add_numbers(&mut self, name: &str, numbers: Numbers) {
        self.tensors.insert(name.into(), (vec![numbers.len()], numbers));
    }

    /// Adds a matrix.
    pub fn add_matrix(&mut self, name: &str, matrix: &Mat) {
        let shape = vec![matrix.rows(), matrix.cols()];
        let values = Numbers::Double(matrix.t().to_mat().values().to_vec());
        self.tensors.insert(name.into(), (shape, values));
    }

    /// Adds a word to the head of the file.
    pub fn add_word(&mut self, name: &str, word: impl Into<String>) {
        self.words.insert(name.into(), word.into());
    }

    /// Names of the tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The numbers of a tensor, last axis fastest.
    pub fn numbers(&self, name: &str) -> Option<&Numbers> {
        self.tensors.get(name).map(|(_, numbers)| numbers)
    }

    /// As [`Tensors::numbers`], in double precision.
    pub fn values(&self, name: &str) -> Option<Vec<f64>> {
        self.numbers(name).map(Numbers::to_double)
    }

    /// A tensor of two axes as a matrix.
    pub fn matrix(&self, name: &str) -> Option<Mat> {
        match self.tensors.get(name)? {
            (shape, values) if shape.len() == 2 => {
                let turned = Mat::from_columns(shape[1], shape[0], values.to_double());
                Some(turned.t().to_mat())
            }
            _ => None,
        }
    }

    /// A word from the head of the file.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.words.get(name).map(String::as_str)
    }

    /// The layers `layers.0`, `layers.1`, … (W_1 first), in order; none if one between them is missing or is no matrix.
    pub fn layers(&self) -> Vec<Mat> {
        let layers: Vec<Mat> = (0..).map_while(|j| self.matrix(&format!("layers.{j}"))).collect();
        let named = self.names().filter(|name| name.starts_with("layers.")).count();
        if named == layers.len() { layers } else { Vec::new() }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes: Vec<(&String, &Vec<usize>, Dtype, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, (shape, numbers))| {
                let (kind, bytes) = match numbers {
                    Numbers::Double(values) => {
                        (Dtype::F64, values.iter().flat_map(|x| x.to_le_bytes()).collect())
                    }
                    Numbers::Single(values) => {
                        (Dtype::F32, values.iter().flat_map(|x| x.to_le_bytes()).collect())
                    }
                };
                (name, shape, kind, bytes)
            })
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, shape, kind, bytes) in &bytes {
            let view = TensorView::new(*kind, (*shape).clone(), bytes)
                .map_err(|e| Error::data(path, e.to_string()))?;
            views.push((*name, view));
        }
        let words = Some(self.words.clone().into_iter().collect());
        let file =
            safetensors::serialize(views, words).map_err(|e| Error::data(path, e.to_string()))?;
        write_whole(path, &file)
    }

    /// Reads a file of f64 or f32 tensors.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if it is not a safetensors file or holds other types.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, "read", e))?;
        let bad = |e: safetensors::SafeTensorError| {
            Error::data(path, format!("must be a safetensors file, but it is not: {e}"))
        };
        let (_, head) = SafeTensors::read_metadata(&bytes).map_err(bad)?;
        let file = SafeTensors::deserialize(&bytes).map_err(bad)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let data = view.data();
            let numbers = match view.dtype() {
                Dtype::F64 => Numbers::Double(
                    data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
                ),
                Dtype::F32 => Numbers::Single(
                    data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
                ),
                other => {
                    let problem = format!("`{name}` must be F64 or F32, but it is {other:?}");
                    return Err(Error::data(path, problem));
                }
            };
            tensors.insert(name, (view.shape().to_vec(), numbers));
        }
        let words = head.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(Self { tensors, words })
    }
}
