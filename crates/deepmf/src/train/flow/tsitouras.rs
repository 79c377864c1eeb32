//! The embedded Runge–Kutta pair of order 5(4) of Tsitouras 2011, with its interpolant of order 4.
//!
//! Source: Ch. Tsitouras, "Runge–Kutta pairs of order 5(4) satisfying only the first column simplifying assumption",
//! Computers & Mathematics with Applications 62 (2011), Table 1 and section 4.

use super::integrator::{Field, Stages, combine};
use crate::linalg::norm;

/// Rows of the tableau below its diagonal; the last is the solution of order 5 (first same as last).
const A: [&[f64]; 6] = [
    &[0.161],
    &[-0.008_480_655_492_356_989, 0.335_480_655_492_357],
    &[2.897_153_057_105_493_5, -6.359_448_489_975_075, 4.362_295_432_869_581_5],
    &[
        5.325_864_828_439_257,
        -11.748_883_564_062_828,
        7.495_539_342_889_836_5,
        -0.092_495_066_361_755_25,
    ],
    &[
        5.861_455_442_946_42,
        -12.920_969_317_847_11,
        8.159_367_898_576_159,
        -0.071_584_973_281_401,
        -0.028_269_050_394_068_383,
    ],
    &[
        0.096_460_766_818_065_23,
        0.01,
        0.479_889_650_414_499_6,
        1.379_008_574_103_742,
        -3.290_069_515_436_081,
        2.324_710_524_099_774,
    ],
];

/// Weights of the difference between the solutions of order 5 and 4.
const ERROR: [f64; 7] = [
    -0.001_780_011_052_225_777,
    -0.000_816_434_459_656_746_9,
    0.007_880_878_010_261_995,
    -0.144_711_007_173_262_9,
    0.582_357_165_452_555_2,
    -0.458_082_105_929_186_97,
    1.0 / 66.0,
];

/// One trial step of length `h` from `stages.y` with slope `stages.k[0]`: fills `stages.trial` and `stages.k[6]`.
///
/// Gives the norm of the error, and an estimate of the Lipschitz constant along the step: the last two stages stand at one time.
pub(super) fn attempt(stages: &mut Stages, h: f64, field: &mut Field<'_>) -> (f64, f64) {
    let Stages { y, trial, k, spare, .. } = stages;
    for (stage, row) in A.iter().enumerate() {
        if stage == 5 {
            spare.copy_from_slice(trial);
        }
        let (done, rest) = k.split_at_mut(stage + 1);
        combine(y, h, row, done, trial);
        field(trial, &mut rest[0]);
    }
    let apart = trial.iter().zip(spare.iter()).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let slopes = k[6].iter().zip(&k[5]).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    spare.fill(0.0);
    for (weight, k) in ERROR.iter().zip(k.iter()) {
        crate::linalg::axpy(h * weight, k, spare);
    }
    (norm(spare), if apart > 0.0 { slopes / apart } else { 0.0 })
}

/// Weights of the stages for the state at the part `theta` of the step.
#[allow(clippy::excessive_precision, reason = "the digits of the source")]
pub(super) fn interpolant(theta: f64) -> [f64; 7] {
    let x = theta;
    let square = x * x;
    [
        -1.053_088_497_729_021_6
            * x
            * (x - 1.329_989_018_975_141_2)
            * (square - 1.436_402_854_171_635_1 * x + 0.713_981_691_707_420_9),
        0.1017 * square * (square - 2.196_656_833_824_975_4 * x + 1.294_985_250_737_463_1),
        2.490_627_285_651_252_793
            * square
            * (square - 2.385_356_454_720_616_57 * x + 1.578_034_682_080_924_86),
        -16.548_102_889_244_902_72
            * (x - 1.217_129_272_955_332_44)
            * (x - 0.616_204_060_378_000_89)
            * square,
        47.379_521_962_819_281_22
            * (x - 1.203_071_208_372_362_603)
            * (x - 0.658_047_292_653_547_382)
            * square,
        -34.870_657_861_496_609_74 * (x - 1.2) * (x - 2.0 / 3.0) * square,
        2.5 * (x - 1.0) * (x - 0.6) * square,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of the stages.
    const C: [f64; 6] = [0.161, 0.327, 0.9, 0.980_025_540_904_509_7, 1.0, 1.0];

    #[test]
    fn the_tableau_meets_the_conditions_of_quadrature() {
        for (row, node) in A.iter().zip(C) {
            assert!((row.iter().sum::<f64>() - node).abs() < 1e-14);
        }
        let nodes = |i: usize| if i == 0 { 0.0 } else { C[i - 1] };
        for power in 0..5 {
            let sum: f64 = A[5].iter().enumerate().map(|(i, b)| b * nodes(i).powi(power)).sum();
            assert!((sum - 1.0 / f64::from(power + 1)).abs() < 1e-12, "order {}", power + 1);
        }
        for power in 0..4 {
            let sum: f64 = ERROR.iter().enumerate().map(|(i, e)| e * nodes(i).powi(power)).sum();
            assert!(sum.abs() < 1e-12, "order {}", power + 1);
        }
    }

    #[test]
    fn the_interpolant_begins_and_ends_at_the_step() {
        assert!(interpolant(0.0).iter().all(|w| w.abs() < 1e-15));
        let end = interpolant(1.0);
        assert!(A[5].iter().zip(end).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(end[6].abs() < 1e-15);
        let nodes = |i: usize| if i == 0 { 0.0 } else { C[i - 1] };
        for theta in [0.2, 0.5, 0.9] {
            for power in 0..4_i32 {
                let sum: f64 = interpolant(theta)
                    .iter()
                    .enumerate()
                    .map(|(i, w)| w * nodes(i).powi(power))
                    .sum();
                let expected = theta.powi(power + 1) / f64::from(power + 1);
                assert!((sum - expected).abs() < 1e-12, "{theta}, order {}", power + 1);
            }
        }
    }
}
