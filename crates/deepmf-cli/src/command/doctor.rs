//! `doctor`: versions, threads, processor features, and what is missing.

use std::thread::available_parallelism;

use serde_json::{Value, json};

use super::Ending;
use crate::args::Doctor;
use crate::failure::Failure;
use crate::output;

/// Runs what was typed.
pub(crate) fn run(args: &Doctor) -> Result<Ending, Failure> {
    let facts = facts();
    if args.json {
        output::json(&facts)?;
        return Ok(Ending::Done);
    }
    let words = |value: &Value| match value {
        Value::Array(list) if list.is_empty() => "nothing".into(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut text = String::new();
    for (key, value) in facts.as_object().into_iter().flatten() {
        text += &format!("{:<14}{}\n", key.replace('_', " "), words(value));
    }
    output::stdout(text.as_bytes())?;
    Ok(Ending::Done)
}

fn facts() -> Value {
    let built = [("parquet", cfg!(feature = "parquet")), ("hdf5", cfg!(feature = "hdf5"))];
    let named = |with: bool| -> Vec<&str> {
        built.iter().filter(|(_, has)| *has == with).map(|(name, _)| *name).collect()
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "threads": rayon::current_num_threads(),
        "processors": available_parallelism().map_or(1, usize::from),
        "cpu_features": cpu_features(),
        "features": named(true),
        "missing": named(false),
    })
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let found = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    found.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}
