//! The results of a sweep against the one number that it varies.

use std::collections::BTreeMap;

use deepmf::report::{Axis, Block, Figure, Layer, Section};
use serde_json::Value;

use crate::page::{Recorded, last_name, pairs};

/// Fewer values of the varied number make no line.
const FEWEST: usize = 3;
/// Ends of an axis that are further apart than this ratio ask for logarithms.
const WIDE: f64 = 30.0;
/// What is no result, or stands beside its mean.
const LEFT_OUT: [&str; 4] = ["seed", "_std", "_max", "_min"];

/// A figure for each number among the results that is not the same everywhere, a line through the means for each combination of the other
/// varied values; none where not exactly one varied key has three numbers or more.
pub(crate) fn against(runs: &[Recorded]) -> Option<Section> {
    let key = the_number(runs)?;
    let name = last_name(&key);
    let short = name.replace('_', " ");
    let mut section = Section::new(format!("By {short}"));
    for result in results(runs, name) {
        let mut lines: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for run in runs {
            let at = varied(run).and_then(|all| all.get(&key)).and_then(Value::as_f64);
            let found = run.result.get(&result).and_then(Value::as_f64);
            if let (Some(x), Some(y)) = (at, found) {
                lines.entry(others(run, &key)).or_default().push((x, y));
            }
        }
        let all: Vec<(f64, f64)> = lines.values().flatten().copied().collect();
        let title = result.replace('_', " ");
        let axes = (axis(&short, all.iter().map(|p| p.0)), axis(&title, all.iter().map(|p| p.1)));
        let mut figure = Figure::new(&title, axes.0, axes.1);
        for (name, mut points) in lines {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (at, means) = means(&points).into_iter().unzip();
            let (x, y) = points.into_iter().unzip();
            figure = figure.with(Layer::line(&name, at, means)).with(Layer::points("", x, y));
        }
        section = section.with(Block::figure(figure, format!("By {key}: {title}.")));
    }
    Some(section)
}

fn varied(run: &Recorded) -> Option<&serde_json::Map<String, Value>> {
    run.result.get("varied")?.as_object()
}

/// The one varied key, seeds apart, that has numbers, and enough of them.
fn the_number(runs: &[Recorded]) -> Option<String> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (key, value) in runs.iter().filter_map(varied).flatten() {
        match value.as_f64() {
            Some(number) if !key.ends_with("seed") => values.entry(key).or_default().push(number),
            _ => {}
        }
    }
    let mut enough = values.into_iter().filter_map(|(key, mut numbers)| {
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        (numbers.len() > 1).then_some((key, numbers.len()))
    });
    let (key, count) = enough.next()?;
    (enough.next().is_none() && count >= FEWEST).then(|| key.to_owned())
}

/// The mean at each place of points in order: runs that differ by their seed alone stand at one place.
fn means(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mean = |group: &[(f64, f64)]| {
        (group[0].0, group.iter().map(|p| p.1).sum::<f64>() / group.len() as f64)
    };
    points.chunk_by(|a, b| a.0 == b.0).map(mean).collect()
}

/// The other varied values of a run, seeds apart, as words.
fn others(run: &Recorded, key: &str) -> String {
    let others = varied(run).into_iter().flatten();
    pairs(others.filter(|(name, _)| *name != key && !name.ends_with("seed")))
}

/// The results that are numbers, differ between runs, and are not the varied number again, in their order.
fn results(runs: &[Recorded], varied: &str) -> Vec<String> {
    let Some(first) = runs.iter().find_map(|run| run.result.as_object()) else { return Vec::new() };
    let differs = |key: &str| {
        let mut numbers = runs.iter().filter_map(|run| run.result.get(key)?.as_f64());
        let one = numbers.next();
        one.is_some() && numbers.any(|other| Some(other) != one)
    };
    let kept = |key: &&String| {
        key.as_str() != varied && !LEFT_OUT.iter().any(|end| key.ends_with(end)) && differs(key)
    };
    first.keys().filter(kept).cloned().collect()
}

fn axis(name: &str, values: impl Iterator<Item = f64>) -> Axis {
    let (low, high) = values
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    if low > 0.0 && high > WIDE * low { Axis::log(name) } else { Axis::linear(name) }
}

#[cfg(test)]
mod tests {
    use deepmf::report::Page;
    use deepmf::train::Trajectory;
    use serde_json::json;

    use super::*;

    fn run(depth: u32, start: &str, loss: f64) -> Recorded {
        let varied = json!({ "model.depth": depth, "model.start": start, "seed": depth % 2 });
        let result = json!({ "varied": varied, "loss": loss, "loss_std": loss, "rows": 10, "seconds": 1.0 + loss });
        Recorded {
            name: String::new(),
            result,
            trajectory: Trajectory::default(),
            spec: String::new(),
        }
    }

    #[test]
    fn what_differs_is_drawn_against_the_one_varied_number_a_line_for_each_of_the_other_values() {
        let runs: Vec<Recorded> = ["a", "b"]
            .iter()
            .flat_map(|start| {
                [(2, 1.0), (3, 5.0), (4, 100.0)].map(|(depth, loss)| run(depth, start, loss))
            })
            .collect();
        assert_eq!(results(&runs, "depth"), ["loss", "seconds"]);
        let html = Page::new("Runs", "").with(against(&runs).unwrap()).html().unwrap();
        assert_eq!(html.matches("<svg").count(), 2);
        assert!(html.contains("By depth") && html.contains("start = &quot;b&quot;"), "{html}");
    }

    #[test]
    fn runs_that_differ_by_their_seed_are_averaged() {
        assert_eq!(means(&[(1.0, 2.0), (1.0, 4.0), (2.0, 5.0)]), [(1.0, 3.0), (2.0, 5.0)]);
        assert_eq!(others(&run(2, "a", 1.0), "model.depth"), "start = \"a\"");
    }

    #[test]
    fn two_values_or_two_numbers_are_no_axis() {
        let two = [run(2, "a", 1.0), run(3, "a", 2.0)];
        assert!(against(&two).is_none());
        let mut both: Vec<Recorded> = (2..6).map(|depth| run(depth, "a", 1.0)).collect();
        for (at, run) in both.iter_mut().enumerate() {
            run.result["varied"]["model.width"] = json!(at);
        }
        assert!(against(&both).is_none());
    }
}
