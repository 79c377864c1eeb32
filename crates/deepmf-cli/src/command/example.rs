//! The table of `complete --example`: weekly temperatures of 48 made-up towns over two years, made on the spot.

use std::f64::consts::TAU;

use deepmf::Result;
use deepmf::data::{Entries, Form, Table, hide};
use deepmf::linalg::Mat;
use deepmf::random::{Purpose, RngExt, Stream, normal, stream};

const BEGINNINGS: [&str; 8] = ["Amber", "Birch", "Cold", "Dun", "Elder", "Fox", "Gold", "Hazel"];
const ENDS: [&str; 6] = ["bridge", "cliff", "fell", "haven", "mere", "wold"];
const WEEKS: usize = 104;
/// Regions that share their weather.
const REGIONS: usize = 3;
/// How much of last week's weather is left, and how much a week adds, in degrees.
const WEATHER: (f64, f64) = (0.7, 2.0);
/// Error of a thermometer, in degrees.
const NOISE: f64 = 0.5;
/// Share of the measurements that are missing.
const MISSING: f64 = 0.35;

/// The table with its holes, and all that was measured before.
pub(super) fn table(seed: u64) -> Result<(Table, Mat)> {
    let truth = temperatures(seed);
    let (known, _) = hide(&Entries::from_dense(&truth)?, MISSING, seed)?;
    let towns = BEGINNINGS.iter().flat_map(|a| ENDS.iter().map(move |b| format!("{a}{b}")));
    let weeks = (0..WEEKS).map(|week| format!("{}-W{:02}", 2021 + week / 52, week % 52 + 1));
    let table = Table {
        entries: known,
        row_labels: Some(towns.collect()),
        col_labels: Some(weeks.collect()),
        form: Form::Wide {
            delimiter: b',',
            row_names: Some("town".into()),
            passthrough: Vec::new(),
        },
    };
    Ok((table, truth))
}

/// Mean by latitude, a season that is wide inland and late at the coast, weather of three regions, noise; in tenths of a
/// degree.
fn temperatures(seed: u64) -> Mat {
    let mut draws = stream(seed, Purpose::Truth, 0);
    let weather = weather(&mut draws);
    let towns: Vec<Town> =
        (0..BEGINNINGS.len() * ENDS.len()).map(|_| Town::new(&mut draws)).collect();
    let mut noise = stream(seed, Purpose::Noise, 0);
    Mat::from_fn(towns.len(), WEEKS, |i, j| {
        let celsius = towns[i].celsius(j, &weather) + NOISE * normal(&mut noise);
        (10.0 * celsius).round() / 10.0
    })
}

struct Town {
    mean: f64,
    amplitude: f64,
    /// Weeks by which its season is late.
    late: f64,
    /// How much it feels of each region's weather.
    exposure: [f64; REGIONS],
}

impl Town {
    fn new(draws: &mut Stream) -> Self {
        let inland: f64 = draws.random();
        Self {
            mean: 10.0 + 3.0 * normal(draws),
            amplitude: 5.0 + 7.0 * inland,
            late: 4.0 * (1.0 - inland),
            exposure: std::array::from_fn(|_| draws.random()),
        }
    }

    fn celsius(&self, week: usize, weather: &[[f64; REGIONS]]) -> f64 {
        // The coldest week of the year is the third.
        let season = -(TAU * (week as f64 - 2.0 - self.late) / 52.0).cos();
        let felt: f64 = self.exposure.iter().zip(&weather[week]).map(|(e, w)| e * w).sum();
        self.mean + self.amplitude * season + felt
    }
}

fn weather(draws: &mut Stream) -> Vec<[f64; REGIONS]> {
    let (left, added) = WEATHER;
    let mut now = [0.0; REGIONS];
    (0..WEEKS)
        .map(|_| {
            now = now.map(|degrees| left * degrees + added * normal(draws));
            now
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_seed_gives_one_table_with_holes_and_labels() {
        let (table, truth) = super::table(4).unwrap();
        assert_eq!(super::table(4).unwrap(), (table.clone(), truth));
        assert_ne!(super::table(5).unwrap().0, table);
        assert_eq!(table.entries.shape(), (48, 104));
        assert_eq!(table.entries.len(), 48 * 104 - 1747);
        let towns = table.row_labels.unwrap();
        assert_eq!((towns.len(), towns[47].as_str()), (48, "Hazelwold"));
    }
}
