//! Views made ready and brought to one size, so that none outweighs another by its units.

use std::sync::Arc;

use crate::Result;
use crate::data::{Entries, Features, Preparation, View, ViewTransform};
use crate::train::multi_view::Prepared;
use crate::train::semi_nmf::Operand;

/// Views made ready.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) views: Vec<View>,
    pub(super) transforms: Vec<ViewTransform>,
    /// What each view was multiplied by after that: its known samples have the mean squared length 1.
    pub(super) sizes: Vec<f64>,
    pub(super) samples: usize,
}

impl Ready {
    pub(super) fn new(views: &[View], how: Preparation) -> Result<Self> {
        let samples = View::common_samples(views)?;
        let mut ready = Self { views: vec![], transforms: vec![], sizes: vec![], samples };
        for view in views {
            let transform = view.transform(how)?;
            let view = transform.apply(view.clone())?;
            let known = view.missing.iter().filter(|&&missing| !missing).count();
            let square = Operand::new(&view).square();
            let size = if square > 0.0 { (known as f64 / square).sqrt() } else { 1.0 };
            ready.views.push(resized(view, size)?);
            ready.transforms.push(transform);
            ready.sizes.push(size);
        }
        Ok(ready)
    }
}

/// `view` times `size`.
pub(super) fn resized(view: View, size: f64) -> Result<View> {
    let View { name, features, missing } = view;
    let features = match features {
        Features::Dense(values) => Features::Dense(values.scaled(size)),
        Features::Sparse(entries) => Features::Sparse(scaled(&entries, size)?),
    };
    Ok(View { name, features, missing })
}

fn scaled(entries: &Entries, size: f64) -> Result<Entries> {
    entries.with_values(entries.values().iter().map(|x| x * size).collect())
}

/// What the alternation takes of a view.
pub(super) fn prepared(view: &View) -> Prepared {
    let present = (0..view.samples()).filter(|&i| !view.missing[i]).collect();
    Prepared { operand: Arc::new(Operand::new(view)), present, graph: None }
}
