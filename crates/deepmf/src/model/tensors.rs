//! Named matrices in a safetensors file.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::Params;
use crate::data::write_whole;
use crate::linalg::Mat;
use crate::{Error, Result};

/// Named f64 tensors with words beside them, as safetensors files hold them (rows first).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
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
            tensors.add_matrix(&slot.name, &params.matrix(place).to_mat());
        }
        tensors
    }

    /// Adds numbers in a row.
    pub fn add(&mut self, name: &str, values: Vec<f64>) {
        self.tensors.insert(name.into(), (vec![values.len()], values));
    }

    /// Adds a matrix.
    pub fn add_matrix(&mut self, name: &str, matrix: &Mat) {
        let shape = vec![matrix.rows(), matrix.cols()];
        self.tensors.insert(name.into(), (shape, matrix.t().to_mat().values().to_vec()));
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
    pub fn values(&self, name: &str) -> Option<&[f64]> {
        self.tensors.get(name).map(|(_, values)| values.as_slice())
    }

    /// A tensor of two axes as a matrix.
    pub fn matrix(&self, name: &str) -> Option<Mat> {
        match self.tensors.get(name)? {
            (shape, values) if shape.len() == 2 => {
                let turned = Mat::from_columns(shape[1], shape[0], values.clone());
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
        let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, (shape, values))| {
                (name, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect())
            })
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, shape, bytes) in &bytes {
            let view = TensorView::new(Dtype::F64, (*shape).clone(), bytes)
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
            let values: Vec<f64> = match view.dtype() {
                Dtype::F64 => {
                    data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
                }
                Dtype::F32 => data
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|b| f64::from(f32::from_le_bytes(*b)))
                    .collect(),
                other => {
                    let problem = format!("`{name}` must be F64 or F32, but it is {other:?}");
                    return Err(Error::data(path, problem));
                }
            };
            tensors.insert(name, (view.shape().to_vec(), values));
        }
        let words = head.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(Self { tensors, words })
    }
}
