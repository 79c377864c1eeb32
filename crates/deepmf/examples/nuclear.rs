//! Nuclear-norm minimisation for `bench/nuclear`: prints the entries of a problem, or solves it.
//!
//! `nuclear entries COUNT SEED` prints row, column and value of every known entry of a 100 x 100 matrix of rank 5;
//! `nuclear solve KIND COUNT SEED WITHIN GAP [INFEASIBILITY]` with KIND `cells` or `operators` prints seconds, primal and dual
//! value, gap, infeasibility, rank, Newton steps and evaluations.
#![allow(clippy::print_stdout)]

use deepmf::data::{self, Entries};
use deepmf::problem::{Constant, Problem, Sensing};
use deepmf::train::NuclearNorm;
use deepmf::{Error, Result};

const SHAPE: (usize, usize) = (100, 100);
const RANK: usize = 5;

fn number<T: std::str::FromStr>(arguments: &[String], place: usize, name: &str) -> Result<T> {
    let text = arguments.get(place).map_or("", String::as_str);
    text.parse().map_err(|_| Error::parameter(name, "a number", text))
}

fn entries(count: usize, seed: u64) -> Result<Entries> {
    let truth = data::low_rank(SHAPE, RANK, seed)?;
    data::observe(&truth, &data::random_cells(SHAPE, count, seed)?)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("entries") => {
            let seen = entries(number(&arguments, 1, "COUNT")?, number(&arguments, 2, "SEED")?)?;
            seen.iter().for_each(|(i, j, value)| println!("{i},{j},{value:?}"));
        }
        Some("solve") => {
            let (count, seed) = (number(&arguments, 2, "COUNT")?, number(&arguments, 3, "SEED")?);
            let problem = match arguments.get(1).map(String::as_str) {
                Some("operators") => {
                    let operators = Sensing::gaussian(SHAPE, count, seed)?;
                    let targets = operators.measure(&data::low_rank(SHAPE, RANK, seed)?)?;
                    Problem::sensing(operators, targets, Constant::HalfSum)?
                }
                _ => Problem::completion(&entries(count, seed)?)?,
            };
            let mut solver = NuclearNorm::new(&problem)?
                .within(number(&arguments, 4, "WITHIN")?)?
                .gap(number(&arguments, 5, "GAP")?)?;
            if arguments.len() > 6 {
                solver = solver.infeasibility(number(&arguments, 6, "INFEASIBILITY")?)?;
            }
            let found = solver.constrained()?;
            let bound = found.certificate;
            println!(
                "{:.6},{:?},{:?},{:.3e},{:.3e},{},{},{}",
                found.seconds,
                bound.primal,
                bound.dual,
                bound.gap,
                bound.infeasibility,
                found.singular_values.len(),
                found.iterations,
                found.evaluations
            );
        }
        _ => return Err(Error::parameter("the command", "entries or solve", "another")),
    }
    Ok(())
}
