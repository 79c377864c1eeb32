//! `cluster`: clusters samples that several views describe.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use deepmf::analysis::metrics::Agreements;
use deepmf::apps::{ClusterFiles, Clustered, Clustering, best_of};
use deepmf::data::{ViewSet, write_whole};
use deepmf::report::{self, Block, Column, Page, Section, Table};
use deepmf::spec::{self, Data, Spec, Work};
use deepmf::train::StopReason;
use deepmf::{Error, Result, experiment};
use serde_json::{Value, json};

use super::Ending;
use crate::args::Cluster;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::{self, Talk};
use crate::run_folder::{REPORT, RESULT, SPEC, TRAJECTORY};

/// Clusters what was typed.
pub(crate) fn run(args: &Cluster, talk: Talk) -> Result<Ending, Failure> {
    let begun = Instant::now();
    let settings = args.settings()?;
    let clustering = Clustering::new(settings.clone())?.interrupt(interrupt::flag());
    must_be_free(&args.output)?;
    let views = args.input.spec(&args.views)?;
    let set = experiment::views(&Data::Views(views.clone()), args.seed, Path::new("."))?;
    let repeats = args.repeats(set.classes.is_some());
    let all = clustering.repeated(&set.views, repeats, args.seed)?;
    let found = best_of(&all)?;
    let agreements = set
        .classes
        .as_ref()
        .map(|classes| Agreements::new(&classes.of, all.iter().map(|one| &one.labels[..])));
    let done = Done { found, set: &set, agreements: agreements.transpose()?, repeats };
    let seconds = begun.elapsed().as_secs_f64();
    let result = done.json(seconds, args.seed);

    let spec = Spec {
        version: spec::VERSION,
        title: String::new(),
        seed: args.seed,
        data: Data::Views(views),
        work: Work::Clustering { settings, repeats },
        vary: vec![],
        report: spec::Report::default(),
    };
    let here = std::path::absolute(".").map_err(|error| Error::io(".", "find", error))?;
    let spec = spec.seen_from(&here).toml()?;
    done.write(&args.output, &result, &spec)?;
    if args.json {
        output::json(&result)?;
    }
    done.tell(&args.output, talk)?;
    Ok(Ending::of(done.reason(&all)))
}

/// What came of a clustering.
struct Done<'a> {
    found: &'a Clustered,
    set: &'a ViewSet,
    agreements: Option<Agreements>,
    repeats: usize,
}

impl Done<'_> {
    /// One that was interrupted spoils all.
    fn reason(&self, all: &[Clustered]) -> StopReason {
        let stopped = all.iter().any(|one| one.reason == StopReason::Interrupted);
        if stopped { StopReason::Interrupted } else { self.found.reason }
    }

    /// How many whole fits there were.
    fn fits(&self) -> usize {
        if self.found.only_labels_drawn { 1 } else { self.repeats }
    }

    fn json(&self, seconds: f64, seed: u64) -> Value {
        let Self { found, set, .. } = self;
        let mut value = json!({
            "method": found.method.name(),
            "n": found.labels.len(),
            "views": set.views.len(),
            "clusters": found.clusters,
            "clusters_chosen": found.clusters_chosen,
            "objective": found.objective,
            "iterations": found.sweeps(),
            "stop_reason": found.reason.name(),
        });
        for name in ["acc", "nmi", "purity", "ari", "f_score"] {
            let named = self.agreements.as_ref().map(Agreements::named);
            let scores = named.and_then(|all| all.into_iter().find(|it| it.0 == name));
            value[name] = scores.map_or(
                Value::Null,
                |(_, scores)| json!({"mean": scores.mean, "std": scores.std, "max": scores.max}),
            );
        }
        let best_view = found.best_view.map(|view| set.views[view].name.clone());
        let preparations: Vec<String> =
            found.preparations.iter().map(ToString::to_string).collect();
        let rest = [
            ("view_weights", json!(found.view_weights)),
            ("p", json!(found.exponent)),
            ("best_view", json!(best_view)),
            ("preparations", json!(preparations)),
            ("repeats", json!(self.repeats)),
            ("fits", json!(self.fits())),
            ("seconds", json!(seconds)),
            ("seed", json!(seed)),
        ];
        for (key, it) in rest {
            value[key] = it;
        }
        value
    }

    fn write(&self, folder: &Path, result: &Value, spec: &str) -> Result<()> {
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, "create", error))?;
        let files = ClusterFiles::new(self.found, self.set);
        files.write(folder)?;
        let text = |name: &str, text: &str| write_whole(folder.join(name), text.as_bytes());
        text(TRAJECTORY, &self.found.trajectory.csv())?;
        text(SPEC, spec)?;
        text(RESULT, &format!("{result:#}\n"))?;
        self.page(&files, spec)?.save(folder.join(REPORT))
    }

    fn page(&self, files: &ClusterFiles<'_>, spec: &str) -> Result<Page> {
        let samples = self.found.labels.len();
        let subtitle = format!("{samples} samples in {} views", self.set.views.len());
        let mut what = Section::new("What was done");
        for line in self.lines() {
            what = what.with(Block::text(line));
        }
        for warning in self.warnings() {
            what = what.with(Block::warning(warning));
        }
        if let Some(table) = self.agreement()? {
            what = what.with(Block::Table(table));
        }
        let page = Page::new("Clusters", subtitle).with(what);
        let page = report::clusters(files)?.into_iter().fold(page, Page::with);
        let caption = "Save this as spec.toml";
        let again = Section::new("To repeat it")
            .with(Block::code("", "deepmf run spec.toml"))
            .with(Block::details(caption, vec![Block::code(caption, spec)]));
        Ok(page.with(again))
    }

    /// What was done, in sentences.
    fn lines(&self) -> Vec<String> {
        let Self { found, set, repeats, .. } = self;
        let chosen = if found.clusters_chosen { ", a number that the eigengap chose" } else { "" };
        let mut lines = vec![format!(
            "{} samples in {} views by {}: {} clusters{chosen}",
            found.labels.len(),
            set.views.len(),
            found.method.name(),
            found.clusters,
        )];
        if let Some(view) = found.best_view {
            lines.push(format!("by view `{}`, the best by its silhouette", set.views[view].name));
        }
        let sweeps = found.sweeps();
        lines.push(format!("ended after {sweeps} sweeps: {}", found.reason));
        match (*repeats, found.only_labels_drawn) {
            (1, _) => {}
            (_, true) => lines.push(format!(
                "one fit, as nothing in it is drawn; the k-means at its end {repeats} times"
            )),
            _ => lines.push(format!(
                "{repeats} fits from seeds of their own; that with the least objective is kept"
            )),
        }
        lines
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.set.transposed {
            warnings.push("the files hold a sample a column: they were turned".to_owned());
        }
        for view in &self.set.views {
            let missing = view.missing.iter().filter(|missing| **missing).count();
            if missing > 0 {
                let (name, all) = (&view.name, view.samples());
                warnings.push(format!("view `{name}` does not know {missing} of {all} samples"));
            }
        }
        let mut counts = vec![0_usize; self.found.clusters];
        self.found.labels.iter().for_each(|&label| counts[label] += 1);
        let empty = counts.iter().filter(|count| **count == 0).count();
        if empty > 0 {
            warnings.push(format!("of {} clusters {empty} are empty", self.found.clusters));
        }
        warnings
    }

    /// How clusters agree with classes.
    fn agreement(&self) -> Result<Option<Table>> {
        let Some(agreements) = &self.agreements else { return Ok(None) };
        let columns =
            [Column::left("measure")].into_iter().chain(["mean", "std", "max"].map(Column::right));
        let what = if self.fits() == 1 { "runs of k-means" } else { "fits" };
        let caption = format!("Agreement with the classes over {} {what}", self.repeats);
        let mut table = Table::new(caption, columns.collect());
        for (name, scores) in agreements.named() {
            let name = match name {
                "f_score" => "F-score".to_owned(),
                "purity" => name.to_owned(),
                _ => name.to_uppercase(),
            };
            table.push(vec![
                name.into(),
                scores.mean.into(),
                scores.std.into(),
                scores.max.into(),
            ])?;
        }
        Ok(Some(table))
    }

    fn tell(&self, folder: &Path, talk: Talk) -> Result<()> {
        self.lines().iter().for_each(|line| talk.line(line));
        if let Some(table) = self.agreement()? {
            talk.line("");
            talk.table(&table);
        }
        self.warnings().iter().for_each(|warning| talk.warning(warning));
        let files: [PathBuf; 2] = [folder.join("labels.csv"), folder.join(REPORT)];
        talk.line(&format!("the clusters: {}", files[0].display()));
        talk.line(&format!("the report: {}", files[1].display()));
        Ok(())
    }
}

/// What was written before is not written over.
fn must_be_free(folder: &Path) -> Result<(), Failure> {
    if folder.is_file() {
        let error = Error::parameter("the folder to write", "a folder", folder.display());
        return Err(error.into());
    }
    if fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some()) {
        let error = Error::parameter("the folder to write", "new or empty", folder.display());
        return Err(Failure::with_hint(error, "-o DIR names another one"));
    }
    Ok(())
}
