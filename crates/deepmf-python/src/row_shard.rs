//! Rows in shards: a shard of a table that is completed, and the sums that it asks others for.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deepmf::apps::{self, RowShardSettings, RowTotals};
use deepmf::data::Entries;
use deepmf::train::{LocalReduce, Reduce, Run};
use deepmf::{Error, Result};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use serde_json::json;

use crate::failure::raised;
use crate::numbers::array;
use crate::work::{detached, stoppable};

/// A shard of the rows of a table.
#[pyclass(frozen, module = "deepmf._deepmf")]
struct RowShard(Mutex<apps::RowShard>);

/// The rows of W_N, the product of the other layers, the mean.
type Factors<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>, f64);

impl RowShard {
    fn lock(&self) -> MutexGuard<'_, apps::RowShard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl RowShard {
    /// Shard `shard[0]` of `shard[1]`, of entries by their places in it.
    #[new]
    #[allow(clippy::too_many_arguments, reason = "each is a setting")]
    fn new(
        py: Python<'_>,
        shape: (usize, usize),
        rows: PyReadonlyArray1<'_, u32>,
        cols: PyReadonlyArray1<'_, u32>,
        values: PyReadonlyArray1<'_, f64>,
        shard: (usize, usize),
        sizes: (usize, usize, u64),
        numbers: (f64, f64, f64),
        seed: u64,
    ) -> PyResult<Self> {
        let (depth, width, patience) = sizes;
        let (init_scale, rate, validation) = numbers;
        let settings =
            RowShardSettings { depth, width, init_scale, rate, validation, patience, seed };
        let lists = (rows.as_slice()?.to_vec(), cols.as_slice()?.to_vec());
        let values = values.as_slice()?.to_vec();
        let made = detached(py, || {
            let entries = Entries::new(shape, lists.0, lists.1, values)?;
            apps::RowShard::new(settings, &entries, shard)
        })?;
        Ok(Self(Mutex::new(made)))
    }

    /// Entries that are fitted, entries that are held out, the sum of the former.
    fn totals(&self, py: Python<'_>) -> (f64, f64, f64) {
        // A loop that holds the shard may wait for the interpreter.
        let totals = py.detach(|| self.lock().totals());
        (totals.fitted, totals.held, totals.sum)
    }

    /// Makes problem and model, by the totals of all shards.
    fn begin(&self, py: Python<'_>, totals: (f64, f64, f64), rows: usize) -> PyResult<()> {
        let totals = RowTotals { fitted: totals.0, held: totals.1, sum: totals.2 };
        detached(py, || self.lock().begin(totals, rows))
    }

    /// Trains until so many steps are made; `sum` gives the sums of its numbers over all shards. What came of it, as JSON.
    fn advance(
        &self,
        py: Python<'_>,
        steps: u64,
        folder: PathBuf,
        sum: Py<PyAny>,
    ) -> PyResult<String> {
        let raised = Arc::new(Mutex::new(None));
        let hook = Hook { sum, raised: raised.clone() };
        let run = detached(py, || self.lock().advance(steps, &folder, hook, None));
        let cause = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        match cause {
            Some(cause) => Err(cause),
            None => Ok(told(&run?)),
        }
    }

    /// The rows of W_N, the product of the other layers, the mean.
    fn factors<'py>(&self, py: Python<'py>) -> PyResult<Factors<'py>> {
        let (rows, cols, mean) = detached(py, || self.lock().factors())?;
        Ok((array(py, &rows)?, array(py, &cols)?, mean))
    }

    /// How many numbers a sum over the shards has.
    fn shared(&self, py: Python<'_>) -> usize {
        py.detach(|| self.lock().shared())
    }
}

fn told(run: &Run) -> String {
    json!({
        "stop_reason": run.reason.name(),
        "stop_words": run.reason.to_string(),
        "steps": run.steps,
        "loss": run.loss,
        "best_step": run.best.map(|best| best.0),
        "validation": run.best.map(|best| best.1),
    })
    .to_string()
}

/// Sums that Python makes.
struct Hook {
    sum: Py<PyAny>,
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Reduce for Hook {
    fn sum(&mut self, numbers: &mut [f64]) -> Result<()> {
        Python::attach(|py| {
            let given = PyArray1::from_slice(py, numbers);
            let answer = self.sum.bind(py).call1((given,)).and_then(|answer| {
                let answer: PyReadonlyArray1<'_, f64> = answer.extract()?;
                let sums = answer.as_slice()?;
                if sums.len() != numbers.len() {
                    let error = Error::shape("the sum over the shards", numbers.len(), sums.len());
                    return Err(raised(&error));
                }
                numbers.copy_from_slice(sums);
                Ok(())
            });
            answer.map_err(|error| {
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Error::parameter("the sum over the shards", "made", "not")
            })
        })
    }
}

/// Trains all shards in this process, a thread each; what came of it as JSON, and whether Ctrl-C stopped it.
#[pyfunction]
fn advance_together(
    py: Python<'_>,
    shards: Vec<Py<RowShard>>,
    steps: u64,
    folders: Vec<PathBuf>,
) -> PyResult<(String, bool)> {
    let all: Vec<&RowShard> = shards.iter().map(Py::get).collect();
    let (run, stopped) = stoppable(py, None, |desk| {
        let handles = LocalReduce::new(all.len());
        let runs = std::thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter()
                .zip(handles)
                .zip(&folders)
                .map(|((shard, handle), folder)| {
                    let flag = desk.flag();
                    scope.spawn(move || shard.lock().advance(steps, folder, handle, Some(flag)))
                })
                .collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        let mut first = None;
        for run in runs {
            let run = run.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            first.get_or_insert(run);
        }
        first.ok_or_else(|| Error::parameter("the number of shards", "1 or more", 0))
    })?;
    Ok((told(&run), stopped))
}

/// The sum of lists of the same length, in their order.
#[pyfunction]
fn sum_parts<'py>(
    py: Python<'py>,
    parts: Vec<PyReadonlyArray1<'py, f64>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let parts =
        parts.iter().map(|part| part.as_slice()).collect::<std::result::Result<Vec<_>, _>>()?;
    let mut total = Vec::new();
    deepmf::train::sum_parts(&parts, &mut total).map_err(|error| raised(&error))?;
    Ok(PyArray1::from_vec(py, total))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RowShard>()?;
    module.add_function(wrap_pyfunction!(advance_together, module)?)?;
    module.add_function(wrap_pyfunction!(sum_parts, module)?)
}
