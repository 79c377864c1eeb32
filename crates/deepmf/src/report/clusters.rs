//! What is told of a clustering: where its samples lie, how clusters agree with classes, weights, and the way there.

use super::{Axis, Block, Cell, Column, Figure, Layer, Section, Table};
use crate::Result;
use crate::analysis::metrics::Agreement;
use crate::analysis::{principal_components, spectral_embedding};
use crate::apps::ClusterFiles;
use crate::data::{View, ViewSet};
use crate::linalg::Mat;
use crate::train::Trajectory;

/// Clusters and classes of more than this are drawn, not listed.
const MOST_LISTED: usize = 15;
/// Features that are listed of each view.
const MOST_FEATURES: usize = 15;
/// Samples of which all pairs are compared to draw them.
const MOST_COMPARED: usize = 4_000;
/// Neighbours of a sample in that graph.
const NEIGHBOURS: usize = 5;
/// Features of which a figure shows every weight.
const MOST_DRAWN: usize = 2_000;

/// The sections of a clustering: its samples, its clusters beside the classes where these are known, its weights, and its sweeps.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) for an embedding that is not finite.
pub fn clusters(files: &ClusterFiles<'_>) -> Result<Vec<Section>> {
    let mut sections = vec![samples(files)?];
    sections.extend(beside_classes(files)?);
    sections.push(weights(files)?);
    sections.extend(sweeps(&files.found.trajectory, files.set));
    Ok(sections)
}

/// The embedding in the plane in which it varies most.
fn samples(files: &ClusterFiles<'_>) -> Result<Section> {
    let found = files.found;
    let Some((embedding, caption)) = embedding(files)? else {
        let text = "The method gives clusters alone, and there are too many samples to place them by their neighbours.";
        return Ok(Section::new("Where the samples lie").with(Block::text(text)));
    };
    let places = principal_components(&embedding, 2)?;
    let axes = || (Axis::linear("first component"), Axis::linear("second component"));
    let plane = |title: &str, of: &[usize], names: &[String]| {
        let (x, y) = axes();
        let mut figure = Figure::new(title, x, y);
        for (group, name) in names.iter().enumerate() {
            let own = || of.iter().enumerate().filter(|(_, of)| **of == group).map(|(i, _)| i);
            let side = |axis: usize| own().map(|i| places[(i, axis)]).collect();
            figure = figure.with(Layer::points(name.clone(), side(0), side(1)));
        }
        figure
    };
    let clusters: Vec<String> = (0..found.clusters).map(|c| format!("cluster {c}")).collect();
    let figure = plane("Samples by cluster", &found.labels, &clusters);
    let mut section = Section::new("Where the samples lie").with(Block::figure(figure, caption));
    if let Some(classes) = &files.set.classes {
        let figure = plane("Samples by class", &classes.of, &classes.names);
        let caption = "The same dots by their class, of which the clustering knows nothing.";
        let block = Block::figure(figure, caption);
        section = section.with(Block::details("By class", vec![block]));
    }
    Ok(section)
}

/// What the samples are drawn by, and what to say of it: the embedding, or, where that holds nothing but the clusters, the graph of neighbours, unless
/// there are too many samples for it.
fn embedding(files: &ClusterFiles<'_>) -> Result<Option<(Mat, String)>> {
    let (found, own) = (files.found, &files.found.embedding);
    let what = "Each dot is a sample: the two principal components of";
    if own.values().iter().any(|&x| x != 0.0 && x.total_cmp(&1.0).is_ne()) {
        let caption = format!("{what} its {} numbers in the embedding.", own.cols());
        return Ok(Some((own.clone(), caption)));
    }
    if own.rows() > MOST_COMPARED {
        return Ok(None);
    }
    let ready = files.set.views.iter().zip(&found.preparations);
    let ready = ready.map(|(view, &how)| Ok(view.clone().prepared(how)?.0));
    let views = ready.collect::<Result<Vec<View>>>()?;
    let count = found.clusters.max(3);
    let caption = format!(
        "The method gives clusters alone. {what} its {count} numbers in a spectral embedding of the views' neighbour graphs."
    );
    Ok(Some((spectral_embedding(&views, count, NEIGHBOURS)?.samples, caption)))
}

/// How many samples of each class each cluster holds; clusters in the order of the classes that they are given to.
fn beside_classes(files: &ClusterFiles<'_>) -> Result<Option<Section>> {
    let Some(classes) = &files.set.classes else { return Ok(None) };
    let found = Agreement::new(&classes.of, &files.found.labels)?;
    let matching = found.matching();
    let mut order: Vec<usize> = (0..matching.len()).collect();
    order.sort_by_key(|&cluster| (matching[cluster].is_none(), matching[cluster], cluster));
    let counts = found.counts();
    let caption = "Samples by class and cluster";
    let order_told =
        "Clusters stand in the order of the classes that the best one-to-one matching gives them.";
    let many = order.len() > MOST_LISTED || counts.len() > MOST_LISTED;
    let block = if many {
        let shares = Mat::from_fn(counts.len(), order.len(), |i, j| {
            counts[i][order[j]] as f64 / counts[i].iter().sum::<u64>() as f64
        });
        let (x, y) = (Axis::linear("cluster"), Axis::linear("class"));
        let figure = Figure::new("Classes in clusters", x, y)
            .with(Layer::image("share of the class", shares));
        Block::figure(figure, format!("{caption}, as shares of the class."))
    } else {
        let mut columns = vec![Column::left("class")];
        let name = |&cluster: &usize| Column::right(format!("{}", found.clusters()[cluster]));
        columns.extend(order.iter().map(name));
        let mut table = Table::new(caption, columns);
        for (place, row) in counts.iter().enumerate() {
            let mut cells: Vec<Cell> = vec![classes.names[found.classes()[place]].as_str().into()];
            cells.extend(order.iter().map(|&cluster| Cell::from(row[cluster])));
            table.push(cells)?;
        }
        Block::Table(table)
    };
    Ok(Some(Section::new("Clusters and classes").with(block).with(Block::text(order_told))))
}

/// The weights of views and of their features.
fn weights(files: &ClusterFiles<'_>) -> Result<Section> {
    let found = files.found;
    let columns = vec![
        Column::left("view"),
        Column::right("samples"),
        Column::right("missing"),
        Column::right("features"),
        Column::left("made ready"),
        Column::right("weight"),
    ];
    let mut table = Table::new("Views", columns);
    for (place, view) in files.set.views.iter().enumerate() {
        table.push(vec![
            view.name.as_str().into(),
            view.samples().into(),
            view.missing.iter().filter(|missing| **missing).count().into(),
            view.width().into(),
            found.preparations[place].to_string().into(),
            found.view_weights.get(place).copied().into(),
        ])?;
    }
    let section = Section::new("Weights").with(Block::Table(table));
    let is_told = |weights: &Vec<f64>| weights.iter().any(|w| w.total_cmp(&weights[0]).is_ne());
    let told: Vec<usize> =
        (0..files.set.views.len()).filter(|&view| is_told(&found.feature_weights[view])).collect();
    if told.is_empty() {
        return Ok(section);
    }
    let sorted: Vec<_> = told.iter().map(|&view| files.by_weight(view)).collect();
    let names: Vec<&str> = told.iter().map(|&view| files.set.views[view].name.as_str()).collect();
    Ok(section.with(Block::Table(most_weight(&names, &sorted)?)).with(all_weights(&names, &sorted)))
}

/// The features of most weight, views side by side.
fn most_weight(names: &[&str], sorted: &[Vec<(String, f64)>]) -> Result<Table> {
    let columns = names.iter().flat_map(|name| [Column::left(*name), Column::right("weight")]);
    let columns = std::iter::once(Column::right("place")).chain(columns).collect();
    let mut table = Table::new("Features of most weight", columns);
    let most = sorted.iter().map(Vec::len).max().unwrap_or(0).min(MOST_FEATURES);
    for place in 0..most {
        let mut row = vec![Cell::from(place + 1)];
        for features in sorted {
            row.push(features.get(place).map(|(name, _)| name.as_str()).into());
            row.push(features.get(place).map(|(_, weight)| *weight).into());
        }
        table.push(row)?;
    }
    Ok(table)
}

/// The weights of all features, a line a view.
fn all_weights(names: &[&str], sorted: &[Vec<(String, f64)>]) -> Block {
    let axes = (Axis::linear("share of the features"), Axis::linear("weight"));
    let mut figure = Figure::new("Weights of features", axes.0, axes.1);
    for (name, features) in names.iter().zip(sorted) {
        let count = features.len();
        let drawn = (0..count).step_by(count.div_ceil(MOST_DRAWN));
        let place = |at: usize| ((at as f64 + 0.5) / count as f64, features[at].1);
        let (x, y): (Vec<f64>, Vec<f64>) = drawn.map(place).unzip();
        figure = figure.with(Layer::line(*name, x, y));
    }
    Block::figure(
        figure,
        "The features of each view in the order of their weights, the largest first.",
    )
}

/// What was recorded of the sweeps, if there were some.
fn sweeps(trajectory: &Trajectory, set: &ViewSet) -> Option<Section> {
    let sweeps = trajectory.column("sweep").filter(|sweeps| sweeps.len() > 1)?;
    let line = |name: &str, column: &str| {
        let values = trajectory.column(column)?;
        Some(Layer::line(name, sweeps.clone(), values))
    };
    let mut section = Section::new("On the way");
    let figures = [
        ("objective", "Objective", "what is lowered"),
        ("fit", "Fit", "the weighted squared residuals of all views"),
        ("fusion", "Fusion", "how far the partitions of the views agree with the consensus"),
        ("exponent", "Exponent", "the exponent p of the feature weights"),
        ("entropy", "Entropy", "the mean entropy of the feature weights"),
    ];
    for (column, title, caption) in figures {
        if let Some(layer) = line("", column) {
            let figure = Figure::new(title, Axis::linear("sweep"), Axis::linear(column));
            let caption = format!("By sweep: {caption}.");
            section = section.with(Block::figure(figure.with(layer), caption));
        }
    }
    let named = set.views.iter().enumerate();
    let layers: Vec<Layer> = named
        .filter_map(|(place, view)| line(&view.name, &format!("view_weight_{}", place + 1)))
        .collect();
    if !layers.is_empty() {
        let figure = Figure::new("View weights", Axis::linear("sweep"), Axis::linear("weight"));
        let figure = layers.into_iter().fold(figure, Figure::with);
        section = section.with(Block::figure(figure, "By sweep: the weight of each view."));
    }
    Some(section)
}
