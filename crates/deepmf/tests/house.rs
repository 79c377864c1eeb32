//! Rules of the house that no compiler holds: layering, lengths, headers, words.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

#[path = "house/keys.rs"]
mod keys;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Lines of a file without its tests: more is the end; more than the first is worth a look.
const LENGTHS: (usize, usize) = (300, 500);

/// Public types that the glossary need not name, and why.
const NOT_IN_THE_GLOSSARY: [(&str, &str); 34] = [
    ("Error", "every crate has one"),
    ("Result", "every crate has one"),
    ("Mat", "mathematics"),
    ("MatRef", "mathematics"),
    ("MatMut", "mathematics"),
    ("Real", "f32 or f64"),
    ("Pattern", "mathematics: where a sparse matrix has entries"),
    ("Operator", "mathematics: a linear map by its action; see also operator"),
    ("Accumulate", "how a product is stored"),
    ("Svd", "mathematics"),
    ("Eigen", "mathematics"),
    ("Shape", "rows and columns"),
    ("Array", "numbers with axes, as NumPy has them"),
    ("Format", "a file format"),
    ("ReadOptions", "settings of `read`"),
    ("Reading", "a section of a spec"),
    ("Model", "a stage"),
    ("Problem", "a stage"),
    ("Data", "a stage, as a section of a spec"),
    ("Train", "a stage, as a section of a spec"),
    ("Report", "a stage, as a section of a spec"),
    ("DeepLinear", "a member of its stage"),
    ("Adam", "a member of its stage"),
    ("LowRank", "a section of a spec"),
    ("File", "a section of a spec"),
    ("EntriesOrder", "a section of a spec"),
    ("Observe", "a section of a spec"),
    ("Settled", "a section of a spec"),
    ("Record", "a section of a spec"),
    ("Callback", "a function that is told something"),
    ("Event", "what a study tells while it is checked"),
    ("Column", "of a table on a page"),
    ("Cell", "of a table on a page"),
    ("Align", "of a table on a page"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Files under `folder` whose names end in `ending`, in a fixed order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

fn library() -> PathBuf {
    root().join("crates/deepmf/src")
}

/// A file of the library without its tests, with comments.
fn without_tests(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap_or(path);
    if path.ends_with("tests.rs") || inside.components().any(|part| part.as_os_str() == "tests") {
        return String::new();
    }
    let text = text(path);
    text.split("#[cfg(test)]").next().unwrap_or_default().to_string()
}

/// The same without comments.
fn code(path: &Path) -> String {
    let lines = without_tests(path);
    let lines = lines.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The name of a file within the project.
fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The modules of the crate in the order of `lib.rs`.
fn order() -> Vec<String> {
    let text = text(&library().join("lib.rs"));
    let modules = text.lines().filter_map(|line| {
        line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';').map(String::from)
    });
    modules.filter(|module| module != "guide").collect()
}

/// What stands directly after `crate::`, alone or in braces.
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut item = String::new();
        for letter in group.chars() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && letter == ',') {
                found.insert(word(item.trim()));
                item.clear();
            } else {
                item.push(letter);
            }
            if depth == 0 {
                break;
            }
        }
    }
    found.remove("");
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn groups_and_single_uses_are_found() {
    let code = "use crate::data::{Shape, self};\nuse crate::{Error, linalg::{Mat, svd}, spec};\ncrate::train::x()";
    let found: Vec<String> = uses(code).into_iter().collect();
    assert_eq!(found, ["Error", "data", "linalg", "spec", "train"]);
}

#[test]
fn a_module_uses_only_those_before_it() {
    let order = order();
    let flow = [
        "error",
        "random",
        "linalg",
        "data",
        "product",
        "problem",
        "model",
        "analysis",
        "spec",
        "train",
        "apps",
        "report",
        "experiment",
    ];
    assert_eq!(order, flow);
    let place = |module: &str| order.iter().position(|m| m == module);
    let mut wrong = Vec::new();
    for path in files(&library(), ".rs") {
        let inside = path.strip_prefix(library()).unwrap();
        let stage = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let Some(own) = place(stage.trim_end_matches(".rs")) else { continue };
        for used in uses(&code(&path)) {
            let module = if used.starts_with(char::is_uppercase) { "error" } else { &used };
            match place(module) {
                Some(other) if other <= own => {}
                _ => wrong.push(format!("{} uses {used}", name(&path))),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_too_long() {
    let mut too_long = Vec::new();
    for path in files(&root().join("crates"), ".rs") {
        let lines = without_tests(&path).lines().count();
        if lines > LENGTHS.1 {
            too_long.push(format!("{}: {lines}", name(&path)));
        } else if lines > LENGTHS.0 {
            println!("worth a look: {} has {lines} lines", name(&path));
        }
    }
    assert!(too_long.is_empty(), "{too_long:#?}");
}

#[test]
fn every_module_says_what_it_is() {
    let files = files(&root().join("crates"), ".rs");
    assert!(files.len() > 100);
    let silent: Vec<String> = files
        .iter()
        .filter(|path| !text(path).starts_with("//! "))
        .map(|path| name(path))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn every_public_type_is_in_the_glossary() {
    let glossary = text(&root().join("docs/glossary.md"));
    let mut types = BTreeSet::new();
    for path in files(&library(), ".rs") {
        for line in code(&path).lines() {
            let item = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
            types.extend(item.iter().filter_map(|item| line.strip_prefix(item)).map(word));
        }
    }
    assert!(types.len() > 80);
    let excepted = |name: &String| NOT_IN_THE_GLOSSARY.iter().any(|(except, _)| except == name);
    let unnamed: Vec<&String> = types
        .iter()
        .filter(|name| !glossary.contains(&format!("`{name}`")) && !excepted(name))
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:#?}");
    let unneeded: Vec<_> =
        NOT_IN_THE_GLOSSARY.iter().filter(|(name, _)| !types.contains(*name)).collect();
    assert!(unneeded.is_empty(), "no longer there: {unneeded:#?}");
}

#[test]
fn the_backend_is_named_in_linalg_alone() {
    let crates = root().join("crates");
    let named: Vec<String> = files(&crates, ".rs")
        .iter()
        .filter(|path| !path.starts_with(library().join("linalg")))
        .filter(|path| !path.ends_with("tests/house.rs"))
        .filter(|path| ["faer", "pulp"].iter().any(|backend| text(path).contains(backend)))
        .map(|path| name(path))
        .collect();
    assert!(named.is_empty(), "{named:#?}");
}

#[test]
fn the_library_never_prints_nor_exits() {
    let macros = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!", "process::exit"];
    let loud: Vec<String> = files(&library(), ".rs")
        .iter()
        .filter(|path| macros.iter().any(|loud| code(path).contains(loud)))
        .map(|path| name(path))
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn no_text_names_a_machine_or_a_registry() {
    let root = root();
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|path| path.is_file() && !path.ends_with("Cargo.lock") && !path.ends_with(".git"));
    for folder in ["crates", "docs", "studies", "bench", "fuzz/fuzz_targets", ".ci", ".githooks"] {
        all.extend(files(&root.join(folder), ""));
    }
    // In halves, so that this file may be looked through too.
    let words: Vec<String> = [
        ["/wo", "rk/"],
        ["/tm", "p/"],
        ["/roo", "t/"],
        ["/hom", "e/"],
        ["crates", ".io"],
        ["pypi", ".org"],
        ["pythonhosted", ".org"],
        ["npmjs", ".org"],
        ["npmjs", ".com"],
    ]
    .iter()
    .map(|halves| halves.concat())
    .collect();
    let mut wrong = Vec::new();
    for path in all {
        let own = ["/.venv/", "/target/", "/__pycache__/"];
        if own.iter().any(|folder| path.to_string_lossy().contains(folder)) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (place, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}", name(&path), place + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
