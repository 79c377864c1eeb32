//! `data fetch`: downloads a data set from its publisher into the user's cache.

use std::fs;

use deepmf::Error;
use serde_json::json;

use super::Ending;
use crate::args::Fetch;
use crate::failure::Failure;
use crate::fetch;
use crate::output::{self, Talk};

/// Runs what was typed.
pub(crate) fn run(args: &Fetch, talk: Talk) -> Result<Ending, Failure> {
    let found = fetch::fetch(args.set, &args.from, talk)?;
    let cannot = |error| Error::io(&found.terms, "read", error);
    let terms = fs::read(&found.terms).map_err(cannot)?;
    if found.was_there {
        talk.line("in the cache already");
    } else {
        talk.line(String::from_utf8_lossy(&terms).trim_end());
        if !found.has_sum {
            talk.line("the publisher gives no sum: the counts were checked");
        }
    }
    let (rows, cols) = found.shape;
    talk.line(&format!("the publisher's terms: {}", found.terms.display()));
    talk.line(&format!("{rows} x {cols}: {} ratings", found.ratings));
    if args.json {
        output::json(&json!({
            "path": found.path.display().to_string(),
            "ratings": found.ratings,
            "rows": rows,
            "cols": cols,
            "bytes": found.bytes,
            "resumed": found.resumed,
        }))?;
    } else {
        output::stdout(format!("{}\n", found.path.display()).as_bytes())?;
    }
    Ok(Ending::Done)
}
