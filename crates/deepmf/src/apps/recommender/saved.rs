//! A recommender in one file: its numbers as tensors, all else as words in the head.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Recommends;
use crate::data::Entries;
use crate::linalg::Mat;
use crate::model::{
    Discretizer, Factors, LevelProbabilities, Model, Numbers, Tensors, TowerSizes, TwoTower,
};
use crate::spec::RecommenderSettings;
use crate::train::StopReason;
use crate::{Error, Result};

/// The version of the file format that is written, and the only one that is read.
const VERSION: u64 = 2;
/// The word of the head that holds everything but numbers.
const HEAD: &str = "deepmf-recommender";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u64,
    settings: RecommenderSettings,
    row_labels: Option<Vec<String>>,
    col_labels: Option<Vec<String>>,
    parameters: usize,
    steps: u64,
    stop_reason: StopReason,
    seed: u64,
    seconds: f64,
    towers: Option<TowerSizes>,
}

impl Recommends {
    /// Writes one safetensors file, from which [`Recommends::load`] reads all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let head = Head {
            version: VERSION,
            settings: self.settings.clone(),
            row_labels: self.row_labels.clone(),
            col_labels: self.col_labels.clone(),
            parameters: self.parameters,
            steps: self.steps,
            stop_reason: self.reason,
            seed: self.seed,
            seconds: self.seconds,
            towers: self.towers.as_ref().map(|towers| towers.sizes().clone()),
        };
        let text = serde_json::to_string(&head)
            .map_err(|e| Error::data(path, format!("cannot be written: {e}")))?;
        let mut file = Tensors::new();
        file.add_word(HEAD, text);
        file.add("mean", vec![self.factors.mean]);
        file.add("range", vec![self.range.0, self.range.1]);
        file.add("row_offsets", self.factors.rows.clone());
        file.add("col_offsets", self.factors.cols.clone());
        file.add_matrix("left", &self.factors.left);
        file.add_matrix("right", &self.factors.right);
        let (rows, cols): (Vec<f64>, Vec<f64>) =
            self.seen.cells().map(|(i, j)| (i as f64, j as f64)).unzip();
        file.add("seen_rows", rows);
        file.add("seen_cols", cols);
        file.add("seen_ratings", self.ratings.clone());
        file.add("held_errors", self.held_errors.clone());
        if let Some(scale) = &self.scale {
            file.add("levels", scale.levels().to_vec());
        }
        if let Some(probabilities) = &self.probabilities {
            let (steep, b) = probabilities.cumulative().iter().copied().unzip();
            file.add("steepness", steep);
            file.add("boundaries", b);
        }
        if let Some(learned) = &self.learned_scale {
            file.add("learned_boundaries", learned.boundaries().to_vec());
        }
        if let Some(offsets) = &self.fallback {
            file.add("fallback_mean", vec![offsets.mean]);
            file.add("fallback_rows", offsets.rows.clone());
            file.add("fallback_cols", offsets.cols.clone());
        }
        for (side, folded) in ["rows", "cols"].iter().zip(&self.folded) {
            let ids = folded.iter().enumerate().filter(|(_, folded)| **folded);
            file.add(&format!("folded_{side}"), ids.map(|(id, _)| id as f64).collect());
        }
        if let Some(towers) = &self.towers {
            let shape = [towers.input_width(1) as f64, towers.input_width(0) as f64];
            file.add("towers.shape", shape.to_vec());
            file.add_numbers("towers.params", towers.params().numbers().clone());
            if let Some(state) = towers.state() {
                file.add_numbers("towers.state", state.numbers().clone());
            }
        }
        if let Some(rmse) = self.held_rmse {
            file.add("held_rmse", vec![rmse]);
        }
        file.save(path)
    }

    /// Reads what [`Recommends::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if the file is not a whole recommender of this version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = Tensors::load(path)?;
        let words = file.word(HEAD).unwrap_or_default();
        let head = head(words).map_err(|problem| Error::data(path, problem))?;
        body(&file, head).map_err(|error| {
            Error::data(path, format!("must be a whole recommender, but it is not: {error}"))
        })
    }
}

/// The head, its version first: what a later one says is not guessed at.
fn head(words: &str) -> std::result::Result<Head, String> {
    let not =
        |e: &dyn std::fmt::Display| format!("must be a saved recommender, but it is not: {e}");
    let value: serde_json::Value = serde_json::from_str(words).map_err(|e| not(&e))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(VERSION) => serde_json::from_value(value).map_err(|e| not(&e)),
        Some(found) => Err(format!("must have version {VERSION}, but it has {found}")),
        None => Err(not(&"it has no version")),
    }
}

/// The tensors of a file, each of which must be there.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a Tensors);

impl<'a> Reader<'a> {
    fn missing(name: &str) -> Error {
        Error::parameter(format!("the tensor {name}"), "there", "missing")
    }

    fn list(self, name: &str) -> Result<Vec<f64>> {
        self.0.values(name).ok_or_else(|| Self::missing(name))
    }

    fn matrix(self, name: &str) -> Result<Mat> {
        self.0.matrix(name).ok_or_else(|| Self::missing(name))
    }

    fn numbers(self, name: &str) -> Result<&'a Numbers> {
        self.0.numbers(name).ok_or_else(|| Self::missing(name))
    }

    fn one(self, name: &str) -> Result<f64> {
        match self.list(name)?[..] {
            [number] => Ok(number),
            ref found => Err(Error::shape(format!("the tensor {name}"), "1 number", found.len())),
        }
    }

    fn ids(self, name: &str, bound: usize) -> Result<Vec<u32>> {
        let id = |x: &f64| {
            let is_id = *x >= 0.0 && *x < bound as f64 && x.fract() == 0.0;
            is_id.then_some(*x as u32).ok_or_else(|| {
                Error::parameter(format!("an id of {name}"), format!("below {bound}"), x)
            })
        };
        self.list(name)?.iter().map(id).collect()
    }

    fn factors(self) -> Result<Factors> {
        let factors = Factors {
            mean: self.one("mean")?,
            rows: self.list("row_offsets")?,
            cols: self.list("col_offsets")?,
            left: self.matrix("left")?,
            right: self.matrix("right")?,
        };
        let (rows, cols) = factors.shape();
        let shape = |mat: &Mat| (mat.rows(), mat.cols());
        let sides = [shape(&factors.left), shape(&factors.right)];
        let expected = [(factors.rank(), rows), (factors.rank(), cols)];
        if sides != expected {
            let expected = format!("shapes {expected:?}");
            return Err(Error::shape("the pair of factors", expected, format!("{sides:?}")));
        }
        Ok(factors)
    }
}

fn body(file: &Tensors, head: Head) -> Result<Recommends> {
    let reader = Reader(file);
    for name in file.names() {
        if let Some(&found) = reader.list(name)?.iter().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: format!("every number of {name}"), found });
        }
    }
    let factors = reader.factors()?;
    let (rows, cols) = factors.shape();
    for (what, labels, count) in
        [("row labels", &head.row_labels, rows), ("column labels", &head.col_labels, cols)]
    {
        if let Some(found) = labels.as_ref().map(Vec::len).filter(|found| *found != count) {
            return Err(Error::shape(format!("the list of {what}"), format!("{count}"), found));
        }
    }
    let range = match reader.list("range")?[..] {
        [least, most] if least < most => (least, most),
        _ => return Err(Error::parameter("the range", "two ascending numbers", "not")),
    };
    let (seen_rows, seen_cols) = (reader.ids("seen_rows", rows)?, reader.ids("seen_cols", cols)?);
    let seen = Entries::new((rows, cols), seen_rows, seen_cols, reader.list("seen_ratings")?)?;
    let held_errors = reader.list("held_errors")?;
    if held_errors.first().is_some_and(|least| *least < 0.0) || !held_errors.is_sorted() {
        return Err(Error::parameter(
            "the list of held-out errors",
            "0 or more and ascending",
            "not",
        ));
    }
    let scale = file.values("levels").map(|levels| Discretizer::new(&levels)).transpose()?;
    let probabilities = match (&scale, file.values("steepness")) {
        (Some(scale), Some(steep)) => {
            let b = reader.list("boundaries")?;
            let pairs = steep.iter().copied().zip(b.iter().copied()).collect();
            Some(LevelProbabilities::new(scale, pairs)?)
        }
        _ => None,
    };
    let held_rmse = file.values("held_rmse").map(|_| reader.one("held_rmse")).transpose()?;
    let mut fitted = Recommends::new(factors, &seen, range);
    beside(reader, head.towers.as_ref(), scale.as_ref(), &mut fitted)?;
    Ok(Recommends {
        row_labels: head.row_labels,
        col_labels: head.col_labels,
        scale,
        probabilities,
        held_rmse,
        held_errors,
        parameters: head.parameters,
        steps: head.steps,
        reason: head.stop_reason,
        seed: head.seed,
        settings: head.settings,
        seconds: head.seconds,
        ..fitted
    })
}

/// What some recommenders have beside their factors: learned levels, offsets for what is unknown, lines that were folded in, towers.
fn beside(
    reader: Reader<'_>,
    sizes: Option<&TowerSizes>,
    scale: Option<&Discretizer>,
    fitted: &mut Recommends,
) -> Result<()> {
    let shape = fitted.factors.shape();
    if let (Some(scale), Some(boundaries)) = (scale, reader.0.values("learned_boundaries")) {
        let mut learned = scale.clone();
        learned.set_boundaries(&boundaries)?;
        fitted.learned_scale = Some(learned);
    }
    if reader.0.numbers("fallback_mean").is_some() {
        let (rows, cols) = (reader.list("fallback_rows")?, reader.list("fallback_cols")?);
        let found = (rows.len(), cols.len());
        if found != shape {
            let (expected, found) = (format!("{shape:?}"), format!("{found:?}"));
            return Err(Error::shape("the pair of offsets", expected, found));
        }
        let constant = Factors::constant(shape, 0, reader.one("fallback_mean")?);
        fitted.fallback = Some(Factors { rows, cols, ..constant });
    }
    for (name, folded) in ["folded_rows", "folded_cols"].iter().zip(&mut fitted.folded) {
        for id in reader.ids(name, folded.len())? {
            folded[id as usize] = true;
        }
    }
    if let Some(sizes) = sizes {
        fitted.towers = Some(towers(reader, sizes, &fitted.factors, fitted.range)?);
    }
    Ok(())
}

/// The towers of a file.
fn towers(
    reader: Reader<'_>,
    sizes: &TowerSizes,
    factors: &Factors,
    range: (f64, f64),
) -> Result<TwoTower<f32>> {
    let fitted = match reader.list("towers.shape")?[..] {
        [rows, cols] if rows.fract() == 0.0 && cols.fract() == 0.0 => {
            (rows as usize, cols as usize)
        }
        _ => return Err(Error::parameter("the shape of towers", "two whole numbers", "not")),
    };
    let shape = factors.shape();
    if fitted.0 > shape.0 || fitted.1 > shape.1 {
        let expected = format!("at most {shape:?}");
        return Err(Error::parameter("the shape of towers", expected, format!("{fitted:?}")));
    }
    if sizes.embedding != factors.rank() {
        let (expected, found) = (factors.rank().to_string(), sizes.embedding);
        return Err(Error::parameter("the length of embeddings", expected, found));
    }
    let (params, state) = (reader.numbers("towers.params")?, reader.numbers("towers.state")?);
    // Towers are kept to embed what is new: the ratings of the fit are not among that.
    let nothing = Entries::new(fitted, vec![], vec![], vec![])?;
    TwoTower::of(&nothing, range, sizes, (params, state))
}
