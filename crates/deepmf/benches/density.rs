//! One gradient step with a sparse and with a dense residual, by the share of observed cells: where
//! `Mask::new` changes from one to the other. `cargo bench --bench density`.

use std::sync::Arc;

use deepmf::data::{self, Entries};
use deepmf::model::{DeepLinear, Init};
use deepmf::problem::{Mask, Problem, Squared};
use deepmf::train::Room;

const SHARES: [f64; 6] = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5];
const SHAPE: (usize, usize) = (200, 200);

fn main() {
    divan::main();
}

fn entries(share: f64) -> Entries {
    let truth = data::low_rank(SHAPE, 5, 0).expect("a rank that fits");
    let count = (share * (SHAPE.0 * SHAPE.1) as f64) as usize;
    let cells = data::random_cells(SHAPE, count, 0).expect("fewer cells than there are");
    data::observe(&truth, &cells).expect("cells inside the matrix")
}

fn step(bencher: divan::Bencher<'_, '_>, mask: Mask, entries: &Entries) {
    let targets = mask.order(entries.values());
    let problem = Problem::single(Arc::new(mask), targets, Arc::new(Squared::default()))
        .expect("a target a measurement");
    let model = DeepLinear::with_width(SHAPE, 3, 200)
        .and_then(|model| model.init(&Init::Gaussian { scale: 1e-3 }, 0))
        .expect("widths above zero");
    let mut room = Room::new(&model);
    bencher.bench_local(|| room.evaluate(&problem, &model));
}

#[divan::bench(args = SHARES)]
fn sparse(bencher: divan::Bencher<'_, '_>, share: f64) {
    let entries = entries(share);
    step(bencher, Mask::sparse(&entries), &entries);
}

#[divan::bench(args = SHARES)]
fn dense(bencher: divan::Bencher<'_, '_>, share: f64) {
    let entries = entries(share);
    step(bencher, Mask::dense(&entries), &entries);
}
