//! `study`: the studies of papers and what they claim.

use std::path::PathBuf;

use deepmf::experiment::study::{self, CheckOptions, Event, Study};
use deepmf::experiment::{Experiment, Judgement, Verdict};
use deepmf::report::number;
use serde_json::{Value, json};

use super::{Ending, experiment, run::must_be_free};
use crate::args::{Place, StudyCheck, StudyRun};
use crate::failure::Failure;
use crate::interrupt;
use crate::output::{self, Talk};
use crate::progress::Bar;

/// Lists the studies.
pub(crate) fn list(args: &Place) -> Result<Ending, Failure> {
    let studies = study::list(&args.studies).map_err(|e| from_where(e.into()))?;
    let mut text = String::new();
    for Study { name, title, claims, .. } in &studies {
        text += &format!("{name}  {title} ({} claims)\n", claims.len());
    }
    output::stdout(text.as_bytes())?;
    Ok(Ending::Done)
}

/// Runs the experiments that the claims of a study are about.
pub(crate) fn run(args: &StudyRun, talk: Talk) -> Result<Ending, Failure> {
    let study = study::find(&args.place.studies, &args.name).map_err(|e| from_where(e.into()))?;
    let folder = args.run.clone().unwrap_or_else(|| PathBuf::from(&study.name));
    must_be_free(&folder, args.resume)?;
    let mut experiments: Vec<(String, Experiment)> = Vec::new();
    for claim in study.claims.iter().filter(|claim| claim.quick || !args.quick) {
        if !experiments.iter().any(|(figure, _)| *figure == claim.figure) {
            let experiment = Experiment::load(claim.experiment(&study.folder))?;
            experiments.push((claim.figure.clone(), experiment));
        }
    }
    let flag = interrupt::flag();
    let mut ending = Ending::Done;
    for (figure, experiment) in &experiments {
        let reports =
            experiment::run(experiment, None, &folder.join(figure), args.resume, &flag, talk)?;
        experiment::tell(&experiment.spec.title, &reports, talk)?;
        if experiment::ending(&reports) == Ending::No {
            ending = Ending::No;
        }
    }
    talk.line(&format!("the run folder: {}", folder.display()));
    Ok(ending)
}

/// Checks what a study claims.
pub(crate) fn check(args: &StudyCheck, talk: Talk) -> Result<Ending, Failure> {
    let bar = Bar::new(talk);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let options = CheckOptions {
        quick: args.quick,
        folder: args.run.clone(),
        threads: Some(rayon::current_num_threads()),
        interrupt: Some(interrupt::flag()),
    };
    let told = |event: Event<'_>| {
        if let Event::Trial { figure, report, of } = event {
            let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            bar.count(&format!("{figure} {}", report.name), count + 1, of);
        }
    };
    let verdicts = study::check(&args.place.studies, &args.name, &options, &told)
        .map_err(|e| from_where(e.into()))?;
    drop(bar);
    if args.json {
        output::json(&json!({
            "study": args.name,
            "claims": verdicts.iter().map(verdict).collect::<Vec<_>>(),
        }))?;
    } else {
        output::stdout(verdicts.iter().map(line).collect::<String>().as_bytes())?;
    }
    let count = |name: &str| verdicts.iter().filter(|v| word(v) == name).count();
    talk.line(&format!(
        "{} passed, {} failed, {} skipped",
        count("passed"),
        count("failed"),
        count("skipped")
    ));
    Ok(if count("failed") > 0 { Ending::No } else { Ending::Done })
}

/// Trials of a claim that are told one by one.
const FEW: usize = 12;

fn word(verdict: &Verdict) -> &'static str {
    match verdict.judgement {
        Judgement::Passed => "passed",
        Judgement::Failed => "failed",
        Judgement::Skipped(_) => "skipped",
    }
}

fn line(verdict: &Verdict) -> String {
    let mut text =
        format!("{:<8}{} (must be {})\n", word(verdict), verdict.claim.says, verdict.bound);
    if let Judgement::Skipped(reason) = &verdict.judgement {
        text += &format!("        {reason}\n");
    }
    // Of many trials the range is enough, and those that fail.
    let told = |what: &str, value: f64| format!("        {} {what}\n", number(value));
    if verdict.measured.len() <= FEW {
        return verdict.measured.iter().fold(text, |text, (what, x)| text + &told(what, *x));
    }
    let values = || verdict.measured.iter().map(|(_, value)| *value);
    let (low, high) = (values().fold(f64::NAN, f64::min), values().fold(f64::NAN, f64::max));
    let count = verdict.measured.len();
    text += &format!("        {} to {} in {count} trials\n", number(low), number(high));
    let failed = verdict.measured.iter().filter(|(_, value)| !verdict.bound.holds(*value));
    failed.fold(text, |text, (what, x)| text + &told(what, *x))
}

fn verdict(verdict: &Verdict) -> Value {
    let reason = match &verdict.judgement {
        Judgement::Skipped(reason) => Some(reason),
        _ => None,
    };
    let measured =
        verdict.measured.iter().map(|(what, value)| json!({ "trial": what, "value": value }));
    json!({
        "id": verdict.claim.id,
        "says": verdict.claim.says,
        "source": verdict.claim.source,
        "origin": verdict.claim.origin,
        "bound": verdict.bound.to_string(),
        "measured": measured.collect::<Vec<_>>(),
        "judgement": word(verdict),
        "reason": reason,
    })
}

/// Studies are in the repository, and so must be the program, or be told where they are.
fn from_where(failure: Failure) -> Failure {
    failure.or_hint_if_io("--studies DIR names the folder of the studies")
}
