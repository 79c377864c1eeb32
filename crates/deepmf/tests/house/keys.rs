//! The page of keys against the structs of the spec: every key, its default where it has one, and every probe.

use std::collections::{BTreeMap, BTreeSet};

use super::{code, library, root, text};

/// Files of the spec that are not part of an experiment file, or have no keys.
const NOT_HERE: [&str; 4] = ["completion.rs", "read.rs", "probe.rs", "vary.rs"];
/// Files of other stages with tables of an experiment file.
const ELSEWHERE: [&str; 2] = ["data/scene/sensor.rs", "model/decoder/penalty.rs"];

/// What a key may be left out for.
#[derive(Clone, Debug, PartialEq)]
enum Absence {
    Forbidden,
    Allowed,
    /// For this value, as the source writes it.
    Means(String),
}

/// One field of a struct, or one variant of an enum: its key, its type, and what its absence means.
type Field = (String, String, Absence);

/// The types of an experiment file by name.
fn types() -> BTreeMap<String, Vec<Field>> {
    let folder = library().join("spec");
    let mut types = BTreeMap::new();
    let elsewhere = ELSEWHERE.map(|name| library().join(name));
    for path in super::files(&folder, ".rs").into_iter().chain(elsewhere) {
        if !NOT_HERE.iter().any(|name| path.ends_with(name)) {
            types.extend(types_of(&code(&path)));
        }
    }
    types
}

/// The types of one source; those that are read through a struct `Keys` have its fields.
fn types_of(source: &str) -> BTreeMap<String, Vec<Field>> {
    let mut types: BTreeMap<String, Vec<Field>> = BTreeMap::new();
    let (mut name, mut inner, mut absence) = (None, None, Absence::Forbidden);
    let (mut through_keys, mut next) = (None, false);
    // Of a struct that has a default as a whole, every key may be left out.
    let (mut has_default, mut of_default) = (false, false);
    for line in source.lines() {
        let item = line.trim_start_matches("pub ").trim();
        if line.starts_with("#[serde(") && line.ends_with(", default)]") {
            has_default = true;
        }
        if line.starts_with("#[serde(try_from = \"Keys\"") {
            next = true;
        } else if !line.starts_with(' ')
            && (item.starts_with("struct ") || item.starts_with("enum "))
        {
            let found = item.split([' ', '{']).nth(1).unwrap().to_string();
            of_default = std::mem::take(&mut has_default);
            if std::mem::take(&mut next) {
                through_keys = Some(found);
                name = None;
            } else {
                types.entry(found.clone()).or_default();
                name = (!item.ends_with('}')).then_some(found);
            }
        } else if line == "}" {
            name = None;
        }
        let Some(name) = &name else { continue };
        let item = line.trim().trim_start_matches("pub ").trim_end_matches(',');
        if let Some(rest) = item.strip_prefix("#[serde(default") {
            let function = rest.strip_prefix(" = \"").and_then(|rest| rest.split('"').next());
            absence = function.map_or(Absence::Allowed, |it| Absence::Means(body(source, it)));
        } else if line.starts_with("    ") && item == "}" {
            inner = None;
        } else if let Some((key, kind)) = item.split_once(": ") {
            let optional = kind.starts_with("Option<");
            let absence = std::mem::replace(&mut absence, Absence::Forbidden);
            let absence = if optional || of_default { Absence::Allowed } else { absence };
            let kind = kind.trim_start_matches("Option<").trim_end_matches('>').to_string();
            let owner = inner.clone().unwrap_or_else(|| name.clone());
            types.entry(owner).or_default().push((key.replace('_', "-"), kind, absence));
        } else if line.starts_with("    ") && item.ends_with(" {") {
            let variant = item.trim_end_matches(" {");
            let own = format!("{name}::{variant}");
            types.get_mut(name).unwrap().push((kebab(variant), own.clone(), Absence::Allowed));
            inner = Some(own);
        } else if let Some((variant, kind)) = item.split_once('(')
            && variant.chars().all(char::is_alphanumeric)
        {
            let kind = kind.trim_end_matches(')').to_string();
            types.get_mut(name).unwrap().push((kebab(variant), kind, Absence::Allowed));
        }
    }
    if let Some(owner) = through_keys {
        let keys = types.remove("Keys").unwrap();
        types.insert(owner, keys);
    }
    types
}

/// What a function of the source gives, in one line.
fn body(source: &str, function: &str) -> String {
    let after = source.split(&format!("fn {function}() -> ")).nth(1).unwrap();
    after.lines().nth(1).unwrap().trim().to_string()
}

fn kebab(name: &str) -> String {
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

/// Every dotted key below a type, with what its absence means.
fn keys(types: &BTreeMap<String, Vec<Field>>, kind: &str, before: &str) -> Vec<(String, Absence)> {
    let Some(fields) = types.get(kind) else { return vec![] };
    let below = |(key, kind, absence): &Field| {
        let path = format!("{before}{key}");
        let mut all = keys(types, kind, &format!("{path}."));
        all.push((path, absence.clone()));
        all
    };
    fields.iter().flat_map(below).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The rows of the page: the full key and the cell of its default; and the names of the probes.
fn page() -> (Vec<(String, String)>, BTreeSet<String>) {
    let (mut rows, mut probes) = (Vec::new(), BTreeSet::new());
    let (mut tables, mut of_probes): (Vec<String>, bool) = (vec![], false);
    for line in text(&root().join("docs/experiment-keys.md")).lines() {
        if line.starts_with("At the top") {
            tables = vec![String::new()];
        } else if line.starts_with("In `") {
            let named = line.split(':').next().unwrap();
            tables = quoted(named).iter().map(|table| format!("{table}.")).collect();
        } else if line.starts_with('#') {
            (tables, of_probes) = (vec![], line == "### Probes");
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let cells: Vec<&str> = row.split(" | ").collect();
        let key = cells[0].trim_end_matches('`');
        if of_probes {
            probes.insert(key.to_string());
        }
        rows.extend(
            tables
                .iter()
                .filter(|_| !of_probes)
                .map(|table| (format!("{table}{key}"), cells[2].to_string())),
        );
    }
    (rows, probes)
}

#[test]
fn the_page_of_keys_has_every_key_and_no_other() {
    let types = types();
    let known: BTreeMap<String, Absence> = keys(&types, "Written", "").into_iter().collect();
    assert!(known.len() > 150, "{}", known.len());
    let (rows, _) = page();
    let told: BTreeSet<&String> = rows.iter().map(|(key, _)| key).collect();
    assert_eq!(told.len(), rows.len(), "a key stands twice");
    let unknown: Vec<_> = told.iter().filter(|key| !known.contains_key(**key)).collect();
    assert!(unknown.is_empty(), "no keys: {unknown:#?}");
    // A table is told by the keys in it, or by itself if it has none.
    let inner = |key: &str| known.keys().any(|other| other.starts_with(&format!("{key}.")));
    let unnamed: Vec<_> = known.keys().filter(|key| !inner(key) && !told.contains(key)).collect();
    assert!(unnamed.is_empty(), "not on the page: {unnamed:#?}");
}

#[test]
fn the_page_of_keys_has_the_defaults_of_the_source() {
    let known: BTreeMap<String, Absence> = keys(&types(), "Written", "").into_iter().collect();
    let number = |text: &str| text.replace('_', "").parse::<f64>().ok();
    let mut wrong = Vec::new();
    for (key, told) in page().0 {
        let Some(absence) = known.get(&key) else { continue };
        let holds = match absence {
            Absence::Forbidden => told == "required",
            Absence::Allowed => told != "required" && !told.is_empty(),
            Absence::Means(value) => match (quoted(&told).first(), number(value)) {
                (Some(told), Some(value)) => number(told) == Some(value),
                (found, _) => found.is_some(),
            },
        };
        if !holds {
            wrong.push(format!("{key}: {told:?}, but {absence:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_page_of_keys_has_every_name_that_is_a_value() {
    let page = text(&root().join("docs/experiment-keys.md"));
    let sources = ["model.rs", "optimizer.rs", "problem.rs", "schedule.rs"];
    let mut sources: Vec<_> = sources.map(|name| library().join("spec").join(name)).into();
    sources.extend([library().join("problem/loss.rs"), library().join("data/entries.rs")]);
    let mut names = BTreeSet::new();
    for source in sources {
        let code = code(&source);
        let variants = code.lines().filter_map(|line| line.strip_prefix("    ")?.strip_suffix(','));
        let variants = variants.filter(|variant| variant.chars().all(char::is_alphanumeric));
        names.extend(variants.filter(|word| word.starts_with(char::is_uppercase)).map(kebab));
    }
    // The one observation without keys is a table.
    names.remove("full");
    assert!(names.len() > 12, "{names:?}");
    let unnamed: Vec<_> =
        names.iter().filter(|name| !page.contains(&format!("`\"{name}\"`"))).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[test]
fn the_page_of_keys_has_every_probe_and_no_other() {
    let source = code(&library().join("spec/probe.rs"));
    let named =
        source.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next());
    let named: BTreeSet<String> = named.map(String::from).collect();
    assert!(named.len() > 10);
    assert_eq!(page().1, named);
}
