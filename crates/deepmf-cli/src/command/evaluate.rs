//! `recommend evaluate`: judges a recommender by ratings that it has not seen.

use std::path::{Path, PathBuf};
use std::time::Instant;

use deepmf::Result;
use deepmf::analysis::metrics::Reliability;
use deepmf::apps::{Evaluation, Known, Ranking, RankingSettings, Recommends};
use deepmf::report::{Axis, Block, Cell, Column, Figure, Layer, Page, Reference, Section, Table};
use serde_json::{Value, json};

use super::Ending;
use super::recommend::{ratings, tell_unknown};
use crate::args::RecommendEvaluate;
use crate::failure::Failure;
use crate::output::{self, Talk};
use crate::place;

/// Judges a recommender.
pub(crate) fn run(args: &RecommendEvaluate, talk: Talk) -> Result<Ending, Failure> {
    let begun = Instant::now();
    let inputs: Vec<&Path> = [Some(&args.model), Some(&args.ratings), args.test_mask.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    if let Some(path) = &args.report {
        place::check_file(path, &inputs)?;
    }
    let model = Recommends::load(&args.model)?;
    let mask = args.test_mask.as_deref();
    let table = ratings(&args.ratings, &args.input, mask, "the mask of the test ratings")?;
    let found = model.evaluate(&table)?;
    let settings = args.top.map(|top| RankingSettings {
        top,
        negatives: args.negatives,
        threshold: args.relevant,
        seed: args.seed,
    });
    let ranking = settings.map(|settings| model.ranking(&table, &settings)).transpose()?;
    let seconds = begun.elapsed().as_secs_f64();
    let lists = ranking.as_ref().map(in_words);
    if let Some(path) = &args.report {
        let subtitle = format!("{}: {} ratings", model.settings.model.name(), found.ratings);
        page(&found, &subtitle, lists.as_deref())?.save(path)?;
    }
    if args.json {
        let mut judged = judged(&found, model.parameters, seconds);
        judged["ranking"] = ranking.as_ref().map_or(Value::Null, |r| ranked(r, args.negatives));
        output::json(&judged)?;
    }
    talk.line(&format!("{} ratings", found.ratings));
    talk.table(&errors(&found)?);
    if let Some(line) = &lists {
        talk.line(line);
    }
    if let Some(path) = &args.report {
        talk.line(&format!("the report: {}", path.display()));
    }
    let new = found.ratings - found.blocks[0].1;
    tell_unknown(new, found.ratings, talk);
    Ok(Ending::Done)
}

fn judged(found: &Evaluation, parameters: usize, seconds: f64) -> Value {
    let [both, row, column, neither] = found.blocks.map(|block| block.2);
    let reliability: Vec<Value> = found
        .reliability
        .iter()
        .map(|bin| json!({"said": bin.said, "seen": bin.seen, "count": bin.count}))
        .collect();
    json!({
        "ratings": found.ratings,
        "rmse": found.rmse,
        "mae": found.mae,
        "exact_rate": found.exact_rate,
        "log_loss": found.log_loss,
        "rmse_rounded": found.rmse_rounded,
        "mae_rounded": found.mae_rounded,
        "rmse_discrete": found.rmse_discrete,
        "mae_discrete": found.mae_discrete,
        // A row is new where the column alone is known.
        "rmse_blocks": {"seen_seen": both, "new_row": column, "new_column": row, "new_both": neither},
        "reliability": reliability,
        "parameters": parameters,
        "seconds": seconds,
    })
}

fn ranked(ranking: &Ranking, negatives: usize) -> Value {
    json!({
        "top": ranking.top,
        "threshold": ranking.threshold,
        "negatives": negatives,
        "rows": ranking.rows,
        "relevant": ranking.relevant,
        "precision": ranking.precision,
        "recall": ranking.recall,
        "ndcg": ranking.ndcg,
        "hit_rate": ranking.hit_rate,
    })
}

fn in_words(ranking: &Ranking) -> String {
    let Ranking { top, threshold, rows, precision, recall, ndcg, hit_rate, .. } = ranking;
    format!(
        "the first {top} places, relevant from {threshold}, {rows} rows: precision {precision:.4}, recall {recall:.4}, NDCG {ndcg:.4}, hits {hit_rate:.4}"
    )
}

/// The errors as a table for people.
fn errors(found: &Evaluation) -> Result<Table> {
    let right = ["RMSE", "MAE", "exact", "log-loss"].map(Column::right);
    let columns = [vec![Column::left("answer")], right.to_vec()].concat();
    let mut table = Table::new("Errors", columns);
    let mut line = |name: &str, numbers: [Option<f64>; 4]| {
        table.push([vec![name.into()], numbers.map(Cell::from).to_vec()].concat())
    };
    line("prediction", [Some(found.rmse), Some(found.mae), None, None])?;
    if found.rmse_rounded.is_some() {
        line("nearest level", [found.rmse_rounded, found.mae_rounded, None, None])?;
    }
    if found.log_loss.is_some() {
        let numbers = [found.rmse_discrete, found.mae_discrete, found.exact_rate, found.log_loss];
        line("median level", numbers)?;
    }
    Ok(table)
}

/// The errors by what was known, where something was not.
fn blocks(found: &Evaluation) -> Result<Option<Table>> {
    if found.blocks[0].1 == found.ratings {
        return Ok(None);
    }
    let columns =
        vec![Column::left("known in the fit"), Column::right("ratings"), Column::right("RMSE")];
    let mut table = Table::new("New rows and columns", columns);
    for (known, count, rmse) in found.blocks {
        let name = match known {
            Known::Both => "row and column",
            Known::Row => "the row alone",
            Known::Column => "the column alone",
            Known::Neither => "neither",
        };
        table.push(vec![name.into(), count.into(), rmse.into()])?;
    }
    Ok(Some(table))
}

fn page(found: &Evaluation, subtitle: &str, lists: Option<&str>) -> Result<Page> {
    let mut section = Section::new("Errors").with(Block::Table(errors(found)?));
    if let Some(table) = blocks(found)? {
        section = section.with(Block::Table(table));
    }
    if let Some(line) = lists {
        section = section.with(Block::text(line));
    }
    let page = Page::new("Evaluation", subtitle).with(section);
    if found.reliability.is_empty() {
        return Ok(page);
    }
    let unit = |label: &str| Axis::linear(label).between(0.0, 1.0);
    let (said, seen): (Vec<f64>, Vec<f64>) =
        found.reliability.iter().map(|bin| (bin.said, bin.seen)).unzip();
    let ends = |bin: &Reliability| {
        let half = by_chance(bin.said, bin.count);
        ((bin.said - half).max(0.0), (bin.said + half).min(1.0))
    };
    let (low, high) = found.reliability.iter().map(ends).unzip();
    let figure = Figure::new("Reliability", unit("probability said"), unit("share seen"))
        .with(Layer::band("95 % by chance", said.clone(), low, high))
        .with(Layer::rule("calibrated", Reference::Diagonal))
        .with(Layer::points("all levels", said, seen));
    let mut table = Table::new(
        "Probabilities of all levels, in ten bins",
        ["said", "seen", "probabilities"].map(Column::right).to_vec(),
    );
    for bin in &found.reliability {
        table.push(vec![bin.said.into(), bin.seen.into(), bin.count.into()])?;
    }
    let caption = "How often levels came true to which a probability was given. Calibrated ones lie on the diagonal.";
    Ok(page.with(
        Section::new("Reliability").with(Block::figure(figure, caption)).with(Block::Table(table)),
    ))
}

/// Half of the width that holds 95 % of the shares of `count` independent draws of this probability.
fn by_chance(probability: f64, count: usize) -> f64 {
    1.96 * (probability * (1.0 - probability) / count as f64).sqrt()
}
