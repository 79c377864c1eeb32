//! Sharpness and trace at a minimum, for `bench/curvature`: saves the layers, or times both, one line a repetition.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use deepmf::analysis::{hessian_trace, sharpness};
use deepmf::model::{DeepLinear, Model, Tensors};
use deepmf::problem::{Constant, Problem};
use deepmf::random::{Purpose, normal, stream};
use deepmf::{Error, Result};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().and_then(|n| n.parse::<f64>().ok()).unwrap_or_default();
    let (side, depth) = (number() as usize, number() as usize);
    let model = unbalanced(side, depth)?;
    match arguments.next().as_deref() {
        Some("save") => {
            let path = arguments.next().unwrap_or_default();
            Tensors::of(model.params()).save(path)?;
        }
        Some("time") => {
            let rounds: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(5);
            let tolerance = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1e-6);
            time(&model, rounds, tolerance)?;
        }
        other => {
            let found = other.unwrap_or("nothing");
            return Err(Error::parameter("the third argument", "save or time", found));
        }
    }
    Ok(())
}

/// Gaussian layers whose first is twice and whose last 1/1.3 times as large, so that their product is fitted, but not at the flattest minimum.
fn unbalanced(side: usize, depth: usize) -> Result<DeepLinear> {
    let mut model = DeepLinear::with_width((side, side), depth, side)?;
    for place in 0..depth {
        let mut random = stream(0, Purpose::Init, place as u64);
        let scale = match place {
            0 => 2.0,
            _ if place + 1 == depth => 1.0 / 1.3,
            _ => 1.0,
        } / (side as f64).sqrt();
        let layer = model.params_mut().stored_mut(place);
        layer.fill_with(|| scale * normal(&mut random));
    }
    Ok(model)
}

fn time(model: &DeepLinear, rounds: usize, tolerance: f64) -> Result<()> {
    let problem = Problem::full(&model.product(), Constant::Sum)?;
    let layers = model.layers();
    let exact = sharpness(&problem, &layers, 1e-12)?.value;
    for _ in 0..rounds {
        let begun = Instant::now();
        let found = sharpness(&problem, &layers, tolerance)?;
        let seconds = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let trace = hessian_trace(&problem, &layers)?;
        let of_trace = begun.elapsed().as_secs_f64();
        let error = (found.value / exact - 1.0).abs();
        println!("{seconds:e} {} {error:e} {} {of_trace:e} {trace}", found.value, found.products);
    }
    Ok(())
}
