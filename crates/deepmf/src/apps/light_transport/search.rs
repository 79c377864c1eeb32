//! Fits of half of the hidden places in one order after another: their product is the same in all, their variation is least in the right one.

use std::path::PathBuf;

use super::LightTransport;
use super::arrangement::{in_order, shaken, short_path};
use super::phase::{Phase, SHARP, Scaled, by_size};
use super::subspace::refinement;
use super::trial::Fitted;
use super::variation::worth;
use crate::data::{Entries, Table, read_dense, write};
use crate::linalg::{Mat, Svd};
use crate::model::{Continuation, FactorVariation, SubspaceFactors};
use crate::random::{Purpose, RngExt, stream};
use crate::spec::{SparseTransport, VariationTransport};
use crate::train::StopReason;
use crate::{Error, Result};

/// Rounds in which each fit is arranged by itself, until the worst quarter gives way to the best.
const ROUNDS_ALONE: usize = 8;
/// The least width at which a round begins, differences of L counting their size or its root, and the largest: some rounds forget much and some little.
const WIDTHS: [f64; 3] = [0.02, 0.005, 0.3];

/// What came of a fit: C, and Lᵀ.
#[derive(Clone, Debug)]
pub(super) struct Searched {
    pub(super) objective: f64,
    pub(super) cores: [Mat; 2],
}

/// Weights of T and of Lᵀ, differences of L counting the root of their size.
pub(super) fn by_root(settings: &SparseTransport) -> [FactorVariation; 2] {
    let [transport, light] = by_size(&settings.images);
    let transport =
        FactorVariation { across: settings.over_cols, size: settings.size, ..transport };
    let light = FactorVariation {
        along: settings.over_time,
        across: settings.over_rows,
        dark: settings.dark,
        sharp: true,
        ..light
    };
    [transport, light]
}

/// A search in the singular subspaces of Z.
pub(super) struct Search<'a, 'w> {
    pub(super) app: &'a LightTransport<'w>,
    pub(super) settings: &'a SparseTransport,
    pub(super) scaled: &'a Scaled,
    pub(super) parts: &'a Svd,
}

impl Search<'_, '_> {
    /// One fit from each start, and again from what became of it in another order, which is kept where its objective is less; the least first. Goes on after the
    /// last round that was finished, where that was saved, and ends early if it is asked to.
    pub(super) fn run(&self) -> Result<Vec<Searched>> {
        let (mut done, mut all) = if let Some(saved) = self.saved()? {
            saved
        } else {
            let starts = self.app.starts(&self.settings.images, self.scaled)?;
            let begun: Result<Vec<Searched>> =
                starts.iter().map(|(_, model, _)| self.begin(model)).collect();
            (0, begun?)
        };
        while done < self.settings.rounds && !self.app.interrupted() {
            let begins = if done == 0 {
                all.iter().map(|it| it.cores.clone()).collect()
            } else {
                self.another_order(done, &all)
            };
            let fitted = self.app.phase(&self.round(done), &begins, |it| Ok(it.clone()))?;
            if fitted.len() < begins.len() || !fitted.iter().all(is_whole) {
                break;
            }
            let other_measure = done == 0 || done == self.settings.by_size;
            for (old, new) in all.iter_mut().zip(&fitted) {
                // A loss that is no number is worth nothing, and a file holds numbers.
                let objective = worth(new).min(f64::MAX);
                if other_measure || objective < old.objective {
                    *old = Searched { objective, cores: new.1.cores() };
                }
            }
            done += 1;
            self.save(done, &all)?;
        }
        all.sort_by(|a, b| a.objective.total_cmp(&b.objective));
        Ok(all)
    }

    fn round(&self, round: usize) -> Phase<'_> {
        let settings = self.settings;
        let roots = round >= settings.by_size;
        let mut draws = stream(self.app.seed, Purpose::Train, (1 << 40) + round as u64);
        let [_, _, most] = WIDTHS;
        let least = WIDTHS[usize::from(roots)];
        let width = least * (most / least).powf(draws.random());
        Phase {
            name: format!("round {}, fit", round + 1),
            variations: if roots { by_root(settings) } else { by_size(&settings.images) },
            any_light: true,
            steps: settings.round_steps,
            continuation: Continuation {
                steps: settings.round_steps / 2,
                width: (width, SHARP),
                power: (draws.random(), 0.0),
            },
            ..Phase::of_images(&settings.images, self.scaled, self.parts)
        }
    }

    /// What a start begins with: more singular vectors, in an order in which neighbours are alike.
    fn begin(&self, model: &SubspaceFactors) -> Result<Searched> {
        let [inverse, core] = refinement(model, &self.scaled.z, self.parts)?;
        let light = self.parts.v.times(&core);
        let between = self.between(&inverse, &light);
        let count = light.cols();
        let order = short_path(&Mat::from_fn(count, count, |a, b| between.at(a, b)));
        let cores = [in_order(&inverse, &order), in_order(&light, &order)];
        Ok(Searched { objective: f64::MAX, cores })
    }

    /// What a round begins with.
    fn another_order(&self, round: usize, all: &[Searched]) -> Vec<[Mat; 2]> {
        let count = all.len();
        let mut from: Vec<usize> = (0..count).collect();
        if round.is_multiple_of(ROUNDS_ALONE) {
            let mut ranks = from.clone();
            ranks.sort_by(|a, b| all[*a].objective.total_cmp(&all[*b].objective));
            (0..count / 4).for_each(|place| from[ranks[count - 1 - place]] = ranks[place]);
        }
        let another = |(place, from): (usize, usize)| {
            let mut draws =
                stream(self.app.seed, Purpose::Train, ((round - 1) * count + place) as u64);
            let [inverse, light] = &all[from].cores;
            let between = self.between(inverse, light);
            let steps: Vec<f64> = (1..light.cols()).map(|h| between.at(h - 1, h)).collect();
            let order = shaken(&steps, &mut draws);
            [in_order(inverse, &order), in_order(light, &order)]
        };
        from.into_iter().enumerate().map(another).collect()
    }

    fn between<'b>(&'b self, inverse: &Mat, light: &'b Mat) -> Between<'b> {
        let transport = transport(self.parts, inverse);
        Between { weights: &self.settings.images, transport, light }
    }

    /// Where what came of the rounds is kept.
    fn path(&self) -> Option<PathBuf> {
        self.app.folder.as_ref().map(|folder| folder.join("rounds.npy"))
    }

    /// A column for each fit: rounds, objective, C, Lᵀ.
    fn save(&self, done: usize, all: &[Searched]) -> Result<()> {
        let Some(path) = self.path() else { return Ok(()) };
        let columns = all.iter().flat_map(|it| {
            let numbers = it.cores.iter().flat_map(Mat::values).copied();
            [done as f64, it.objective].into_iter().chain(numbers)
        });
        let numbers: Vec<f64> = columns.collect();
        let kept = Mat::from_columns(numbers.len() / all.len(), all.len(), numbers);
        write(path, &Table::new(Entries::from_dense(&kept)?))
    }

    fn saved(&self) -> Result<Option<(usize, Vec<Searched>)>> {
        let Some(path) = self.path().filter(|path| self.app.resume && path.exists()) else {
            return Ok(None);
        };
        let kept = read_dense(&path)?;
        let (hidden, vectors) = (self.scaled.inner, self.parts.s.len());
        let shapes = [vectors, self.parts.v.rows()].map(|rows| (rows, hidden));
        let rows = 2 + shapes.iter().map(|(rows, cols)| rows * cols).sum::<usize>();
        let fits = self.settings.images.refined.min(self.settings.images.starts);
        if (kept.rows(), kept.cols()) != (rows, fits) {
            let what = format!("{}, kept by the run that is resumed,", path.display());
            let words = crate::data::words;
            let found = words((kept.rows(), kept.cols()));
            return Err(Error::shape(what, words((rows, fits)), found));
        }
        let one = |column: &[f64]| {
            let (inverse, light) = column[2..].split_at(vectors * hidden);
            let core = |place: usize, numbers: &[f64]| {
                Mat::from_columns(shapes[place].0, hidden, numbers.to_vec())
            };
            Searched { objective: column[1], cores: [core(0, inverse), core(1, light)] }
        };
        let all = (0..fits).map(|place| one(kept.col(place))).collect();
        Ok(Some((kept[(0, 0)] as usize, all)))
    }
}

/// U diag(s) C.
pub(super) fn transport(parts: &Svd, inverse: &Mat) -> Mat {
    let (rows, vectors) = (parts.u.rows(), parts.s.len());
    Mat::from_fn(rows, vectors, |i, k| parts.s[k] * parts.u[(i, k)]).times(inverse)
}

fn is_whole((trial, ..): &Fitted<SubspaceFactors>) -> bool {
    trial.reason == StopReason::StepsDone
}

/// What each hidden place adds to the variation if it stands beside another.
struct Between<'a> {
    weights: &'a VariationTransport,
    transport: Mat,
    /// Columns of Z x hidden.
    light: &'a Mat,
}

impl Between<'_> {
    fn at(&self, a: usize, b: usize) -> f64 {
        let between = |columns: &Mat| {
            let pairs = columns.col(a).iter().zip(columns.col(b));
            pairs.map(|(x, y)| (x - y).abs()).sum::<f64>() / columns.rows() as f64
        };
        self.weights.over_rows * between(self.light)
            + self.weights.over_cols * between(&self.transport)
    }
}
