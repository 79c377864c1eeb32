//! `docs/interface.md` and the program name the same commands, flags, keys and stop reasons.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{Desk, SHORT, table};

const COMMANDS: [&str; 25] = [
    "complete",
    "sense",
    "recommend fit",
    "recommend evaluate",
    "recommend predict",
    "recommend top",
    "recommend explain",
    "recommend fold-in",
    "recommend compare",
    "cluster",
    "transport matrix",
    "transport video",
    "run",
    "report",
    "analyse",
    "data describe",
    "data make low-rank",
    "data make scene",
    "data mask",
    "data split",
    "data fetch",
    "study list",
    "study run",
    "study check",
    "doctor",
];

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/interface.md");
    std::fs::read_to_string(path).unwrap()
}

/// The section of the page under a heading.
fn section(heading: &str) -> String {
    let page = page();
    let begin = page.find(&format!("## {heading}\n")).unwrap();
    let rest = &page[begin + 3..];
    rest[..rest.find("\n## ").unwrap_or(rest.len())].to_owned()
}

/// Words such as `--flag` in a text.
fn flags(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let is_flag = |word: &&str| {
        word.strip_prefix("--")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    words.filter(is_flag).map(str::to_owned).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The flags that a command's help explains, one a paragraph that begins with it.
fn helped(command: &str) -> BTreeSet<String> {
    let help = Desk::new().done(&format!("{command} --help"));
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    lines.flat_map(|line| flags(line.split("  ").next().unwrap())).collect()
}

#[test]
fn every_command_of_the_program_is_on_the_page_and_the_other_way_round() {
    let on_page: BTreeSet<String> = quoted(&section("Commands"))
        .into_iter()
        .filter_map(|words| words.strip_prefix("deepmf ").map(str::to_owned))
        .collect();
    assert_eq!(on_page, COMMANDS.map(str::to_owned).into());
    let mut in_help = BTreeSet::new();
    let subcommands = |words: &str| -> Vec<String> {
        let help = Desk::new().done(&format!("{words} --help"));
        let Some(list) = help.split("Commands:\n").nth(1) else { return vec![] };
        let lines = list.lines().take_while(|line| !line.is_empty());
        let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        names
            .filter(|name| *name != "help")
            .map(|name| format!("{words} {name}").trim().into())
            .collect()
    };
    let mut open = subcommands("");
    while let Some(command) = open.pop() {
        let below = subcommands(&command);
        if below.is_empty() {
            in_help.insert(command);
        }
        open.extend(below);
    }
    assert_eq!(in_help, on_page);
}

#[test]
fn every_flag_of_the_program_is_on_the_page_and_the_other_way_round() {
    let of_program: BTreeSet<String> =
        COMMANDS.iter().flat_map(|command| helped(command)).collect();
    assert_eq!(of_program, flags(&section("Flags")));
    assert!(of_program.len() > 40, "{of_program:?}");
}

#[test]
fn every_flag_that_the_page_gives_to_commands_is_theirs() {
    let flags_section = section("Flags");
    for line in flags_section.lines().filter(|line| line.starts_with("| `-")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let takers: Vec<String> =
            quoted(cells[1]).into_iter().filter(|word| COMMANDS.contains(&word.as_str())).collect();
        for (command, flag) in
            takers.iter().flat_map(|c| flags(cells[0]).into_iter().map(move |f| (c, f)))
        {
            assert!(helped(command).contains(&flag), "{command} {flag}");
        }
    }
}

#[test]
fn every_command_has_an_example_in_its_help() {
    for command in COMMANDS {
        let help = Desk::new().done(&format!("{command} --help"));
        assert!(help.contains(&format!("Example:\n  deepmf {command}")), "{command}: {help}");
    }
}

#[test]
fn the_keys_of_a_completion_are_those_of_the_page_and_of_the_help() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let value = desk.json(&format!("complete t.csv --truth t.csv --json {SHORT}"));
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    let expected = [
        "rows",
        "cols",
        "observed",
        "missing",
        "method",
        "start",
        "depth",
        "width",
        "init_scale",
        "steps",
        "evaluations",
        "gap",
        "stop_reason",
        "train_rmse",
        "holdout_rmse",
        "baseline_rmse",
        "interval_coverage",
        "interval_width",
        "effective_rank",
        "seconds",
        "seed",
        "truth_rmse",
        "truth_mse",
        "truth_coverage",
    ];
    assert_eq!(keys, expected);
    let baselines: Vec<&String> = value["baseline_rmse"].as_object().unwrap().keys().collect();
    assert_eq!(baselines, ["mean", "row_mean", "offsets"]);
    let section = section("JSON keys");
    let table = section.split("`sense`:").next().unwrap();
    let first_cells = table.lines().filter(|line| line.starts_with("| `"));
    let on_page: BTreeSet<String> =
        first_cells.flat_map(|line| quoted(line.split(" | ").next().unwrap())).collect();
    assert_eq!(on_page, expected.map(str::to_owned).into());
    let help = desk.done("complete --help");
    assert!(expected.iter().all(|key| help.contains(key)));
}

#[test]
fn the_keys_of_other_commands_are_those_of_the_page() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    desk.done(&format!("complete t.csv -q --run r -o o.csv {SHORT}"));
    let section = section("JSON keys");
    for (command, line) in [
        ("analyse", "analyse r --json"),
        ("data describe", "data describe t.csv --json"),
        ("doctor", "doctor --json"),
    ] {
        let begin = section.find(&format!("`{command}`:")).unwrap();
        let paragraph = section[begin..].split("\n\n").next().unwrap();
        let text = paragraph.replace("`form` (`wide`, `triplets`, `matrix`)", "`form`");
        let mut on_page = quoted(&text);
        on_page.remove(command);
        let keys = desk.json(line).as_object().unwrap().keys().cloned().collect();
        assert_eq!(on_page, keys, "{command}");
    }
}

#[test]
fn the_stop_reasons_of_the_page_are_those_of_the_library() {
    use deepmf::train::StopReason::{
        Diverged, Event, GapClosed, GradientVanished, Interrupted, LossReached, ObjectiveSettled,
        Plateau, StepsDone, TimeUp, ValidationWorse,
    };
    let all = [
        LossReached,
        GradientVanished,
        ObjectiveSettled,
        GapClosed,
        ValidationWorse,
        Plateau,
        Event,
        StepsDone,
        TimeUp,
        Interrupted,
        Diverged,
    ];
    let mut on_page = quoted(&section("Stop reasons"));
    on_page.remove("stop_reason");
    assert_eq!(on_page, all.map(|reason| reason.name().to_owned()).into());
}
