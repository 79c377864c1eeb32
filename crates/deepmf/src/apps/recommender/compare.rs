//! Models side by side: each is fitted to all folds but one and judged by that one, in turn.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Recommender;
use crate::data::{Table, k_fold};
use crate::model::Discretizer;
use crate::spec::RecommenderSettings;
use crate::train::try_trials;
use crate::{Error, Result};

/// The errors of one model, means over the folds.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The settings.
    pub settings: RecommenderSettings,
    /// Root mean squared error.
    pub rmse: f64,
    /// Its standard error over the folds.
    pub rmse_error: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// The share of ratings that are the median level.
    pub exact_rate: Option<f64>,
    /// The mean of −ln P(rating).
    pub log_loss: Option<f64>,
    /// The time of a fit beside the others, on its share of the threads, in seconds.
    pub seconds: f64,
}

/// Cross-validates `models` on the ratings of a table, all on the same `folds`, and gives them in their order; once `interrupt` is set no further fit is
/// begun and models without all folds are left out.
///
/// # Errors
/// As [`k_fold`], [`Recommender::fit`] and [`Recommends::evaluate`](super::Recommends::evaluate); [`Error::Parameter`] if there are no models.
pub fn compare_recommenders(
    models: &[RecommenderSettings],
    table: &Table,
    folds: usize,
    seed: u64,
    interrupt: Option<&Arc<AtomicBool>>,
) -> Result<Vec<Compared>> {
    if models.is_empty() {
        return Err(Error::parameter("the number of models", "1 or more", 0));
    }
    // A fold may lack a level that another one has.
    let scale = Discretizer::of_ratings(table.entries.values())?;
    let parts = k_fold(&table.entries, folds, seed)?;
    let items: Vec<_> = models.iter().flat_map(|m| parts.iter().map(move |p| (m, p))).collect();
    let flag = interrupt.map(AsRef::as_ref);
    let answers = try_trials(&items, None, flag, |_, (settings, (rest, held))| {
        let part =
            |entries: &crate::data::Entries| Table { entries: entries.clone(), ..table.clone() };
        let recommender = Recommender::new((*settings).clone(), seed).scale(scale.clone());
        let recommender = match interrupt {
            Some(flag) => recommender.interrupt(flag.clone()),
            None => recommender,
        };
        let fitted = recommender.fit(&part(rest))?;
        Ok((fitted.evaluate(&part(held))?, fitted.seconds))
    })?;
    let of_model = |(settings, answers): (&RecommenderSettings, &[Option<_>])| {
        let all: Vec<&(super::Evaluation, f64)> = answers.iter().flatten().collect();
        (all.len() == folds).then(|| summary(settings, &all))
    };
    Ok(models.iter().zip(answers.chunks(folds)).filter_map(of_model).collect())
}

fn summary(settings: &RecommenderSettings, all: &[&(super::Evaluation, f64)]) -> Compared {
    let count = all.len() as f64;
    let mean = |of: &dyn Fn(&super::Evaluation) -> Option<f64>| {
        let numbers = all.iter().map(|judged| of(&judged.0)).collect::<Option<Vec<f64>>>();
        numbers.map(|numbers| numbers.iter().sum::<f64>() / count)
    };
    let rmse = all.iter().map(|judged| judged.0.rmse).sum::<f64>() / count;
    let squares: f64 = all.iter().map(|judged| (judged.0.rmse - rmse).powi(2)).sum();
    Compared {
        settings: settings.clone(),
        rmse,
        rmse_error: (squares / (count - 1.0) / count).sqrt(),
        mae: all.iter().map(|judged| judged.0.mae).sum::<f64>() / count,
        exact_rate: mean(&|judged| judged.exact_rate),
        log_loss: mean(&|judged| judged.log_loss),
        seconds: all.iter().map(|judged| judged.1).sum::<f64>() / count,
    }
}
