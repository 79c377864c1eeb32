//! `recommend`: ratings in, a file, then errors, predictions and lists out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Desk, stderr};

/// A rating from 1 to 5 of 30 users and 20 films.
fn stars(user: usize, film: usize) -> usize {
    let taste = (user as f64 * 0.8).sin() * (film as f64 * 1.3).cos();
    (3.2 + 2.0 * taste + 0.4 * (film as f64).sin()).round().clamp(1.0, 5.0) as usize
}

/// Some of these ratings, one a line, with a delimiter.
fn lines(delimiter: &str, is_in: impl Fn(usize) -> bool) -> String {
    let mut text = String::new();
    for user in 0..30 {
        for film in 0..20 {
            let place = (user * 7 + film * 3) % 10;
            if is_in(place) {
                let stars = stars(user, film);
                let line = [format!("u{user}"), format!("f{film}"), stars.to_string()];
                writeln!(text, "{}", line.join(delimiter)).unwrap();
            }
        }
    }
    text
}

/// A folder with ratings to fit, ratings to test, and a fitted recommender.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("train.csv", &format!("user,film,stars\n{}", lines(",", |place| place < 6)));
    desk.write("test.csv", &format!("user,film,stars\n{}", lines(",", |place| place == 6)));
    desk.done("recommend fit train.csv -o m -q");
    desk
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_recommender_is_fitted_judged_and_asked() {
    let desk = desk();
    let fit = desk.json("recommend fit train.csv --model als --rank 3 -o m --json");
    assert_eq!((&fit["rows"], &fit["cols"], &fit["levels"]), (&30.into(), &20.into(), &5.into()));
    let found = desk.json("recommend evaluate m test.csv --json");
    assert_eq!(found["ratings"], 60);
    desk.done("recommend evaluate m test.csv --report page.html -q");
    let page = desk.text("page.html");
    assert!(page.contains("Reliability") && page.contains("share seen"), "{page}");
    let baseline = desk.done("recommend fit train.csv --rank 0 -o offsets --json");
    assert!(baseline.contains("\"parameters\": 51"), "{baseline}");
    let offsets = desk.json("recommend evaluate offsets test.csv --json");
    assert!(found["rmse"].as_f64().unwrap() < offsets["rmse"].as_f64().unwrap());
    assert_eq!(found["rmse_blocks"]["seen_seen"], found["rmse"]);
    assert!(found["log_loss"].as_f64().unwrap() > 0.0);

    desk.write("pairs.csv", "user,film\nu3,f4\nnobody,f4\nu3,none\nnobody,none\n");
    desk.done("recommend predict m pairs.csv --triplets user,film -o out.csv -q");
    let text = desk.text("out.csv");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["user", "film", "value", "known"]);
    let known: Vec<&str> = lines[1..].iter().map(|line| line[3]).collect();
    assert_eq!(known, ["both", "column", "row", "neither"]);
    assert_eq!(lines[2][..2], ["nobody", "f4"]);
    let told = stderr(&desk.run("recommend predict m pairs.csv --triplets user,film -o out.csv"));
    assert!(
        told.starts_with("warning: of 4 pairs 3 have a row or column without a rating"),
        "{told}"
    );

    let top = desk.json("recommend top m --row u3 -n 4 --json");
    let items = top["items"].as_array().unwrap();
    assert_eq!((items.len(), &top["known"]), (4, &Value::Bool(true)));
    let train = desk.text("train.csv");
    for item in items {
        assert!(!train.contains(&format!("u3,{},", item["column"].as_str().unwrap())));
    }
    let unknown = desk.run("recommend top m --row nobody -n 2");
    assert!(stderr(&unknown).contains("\"nobody\" has no rating in the fit"));
    assert_eq!(String::from_utf8(unknown.stdout).unwrap().lines().count(), 3);
}

#[test]
fn the_json_keys_are_those_of_the_page_and_of_the_help() {
    let desk = desk();
    let page = include_str!("../../../../docs/interface.md");
    for (command, line, nested) in [
        ("fit", "fit train.csv -o m --json", &[][..]),
        (
            "evaluate",
            "evaluate m test.csv --top 5 --json",
            &["rmse_blocks", "reliability", "ranking"],
        ),
        ("explain", "explain m --row u3 --column f4 --json", &["ratings"]),
        ("compare", "compare train.csv --models als --folds 2 --json", &["models"]),
        ("top", "top m --row u3 --json", &["items"]),
    ] {
        let begin = page.find(&format!("`recommend {command}`: ")).unwrap();
        let paragraph = page[begin..].split("\n\n").next().unwrap();
        let mut on_page: BTreeSet<String> =
            paragraph.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        on_page.remove(&format!("recommend {command}"));
        let value = desk.json(&format!("recommend {line}"));
        let mut found = keys(&value);
        for name in nested {
            let inner = value[name].get(0).unwrap_or(&value[name]);
            found.extend(keys(inner));
        }
        assert_eq!(found, on_page, "{command}");
        let help = desk.done(&format!("recommend {command} --help"));
        assert!(found.iter().all(|key| help.contains(key)), "{help}");
    }
}

#[test]
fn forms_of_one_set_of_ratings_give_one_recommender() {
    let desk = desk();
    desk.write("u.data", &lines("\t", |place| place < 6));
    desk.write("ratings.dat", &lines("::", |place| place < 6));
    let mut first = None;
    for file in ["train.csv", "u.data", "ratings.dat"] {
        desk.done(&format!("recommend fit {file} -o m -q"));
        let mut found = desk.json("recommend evaluate m test.csv --json");
        found["seconds"] = Value::Null;
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{file}");
    }
}

#[test]
fn masks_choose_what_is_fitted_and_what_is_judged() {
    let desk = desk();
    desk.write("all.csv", &lines(",", |place| place < 7));
    let pairs = |is_in: fn(usize) -> bool| lines(",", is_in);
    desk.write("in.csv", &pairs(|place| place < 6));
    desk.write("out.csv", &pairs(|place| place == 6));
    desk.done("recommend fit all.csv --train-mask in.csv -o masked -q");
    let masked = desk.json("recommend evaluate masked all.csv --test-mask out.csv --json");
    let plain = desk.json("recommend evaluate m test.csv --json");
    assert_eq!(masked["ratings"], plain["ratings"]);
    let rmse = |value: &Value| value["rmse"].as_f64().unwrap();
    assert!((rmse(&masked) - rmse(&plain)).abs() < 0.1, "{masked} {plain}");
}

#[test]
fn bad_ratings_and_files_are_refused_and_nothing_is_written() {
    let desk = desk();
    let model = std::fs::read(desk.path("m")).unwrap();
    std::fs::write(desk.path("half"), &model[..model.len() / 2]).unwrap();
    let version = br#"{\"version\":2"#;
    let place = model.windows(version.len()).position(|w| w == version).unwrap();
    let mut later = model.clone();
    later[place + version.len() - 1] = b'3';
    std::fs::write(desk.path("later"), &later).unwrap();
    desk.write("one.csv", "a,x,4\nb,x,4\nb,y,4\n");
    desk.write("twice.csv", "a,x,4\nb,x,3\na,x,5\n");
    desk.write("inf.csv", "a,x,4\nb,x,inf\n");
    desk.write("words.csv", "a,x,4\nb,x,good\n");
    desk.write("nan.csv", "a,x,NaN\nb,x,NaN\n");
    desk.write("off.csv", "u1,f1,4.5\n");
    desk.write("none.csv", "u1,f1,\n");
    desk.write("elsewhere.csv", "u0,f1,1\n");
    let before = desk.names();
    for (line, words) in [
        ("fit one.csv -o n", "the number of levels must be 2 or more, but it is 1"),
        ("fit twice.csv -o n", "must be given once, but it is 4 on line 1 and 5 on line 3"),
        ("fit inf.csv -o n", "inf.csv:2:3: a value must be finite"),
        ("fit words.csv -o n", "words.csv:2:3: a value must be a number"),
        ("fit nan.csv -o n", "must have an observed entry"),
        ("fit train.csv -o train.csv", "must be other than the input"),
        ("fit train.csv --validation 1 -o n", "must be from 0 to 0.9"),
        (
            "fit train.csv --levels 1,2,3 -o n",
            "every rating must be one of the levels 1, 2, 3, but",
        ),
        ("fit train.csv --levels 3,1 -o n", "levels must be ascending, but it is 3 before 1"),
        ("evaluate m test.csv --report m", "must be other than the input"),
        ("fit train.csv --ridge 0 -o n", "must be a number above 0"),
        ("fit train.csv --model deep -o n", "possible values: als, linear"),
        ("fit test.csv --train-mask elsewhere.csv -o n", "must leave a rating"),
        (
            "evaluate m off.csv",
            "every rating must be one of the levels 1, 2, 3, 4, 5, but it is 4.5",
        ),
        ("evaluate m none.csv", "must have an observed entry"),
        ("evaluate half test.csv", "half: must be a safetensors file, but it is not"),
        ("evaluate later test.csv", "later: must have version 2, but it has 3"),
        ("evaluate train.csv test.csv", "train.csv: must be a safetensors file"),
        ("predict half test.csv", "half: must be a safetensors file, but it is not"),
        ("predict m nowhere.csv", "nowhere.csv: cannot read"),
        ("predict m test.csv -o m", "must be other than the input"),
        ("evaluate m test.csv --negatives 5", "--top <N>"),
        ("evaluate m test.csv --top 5 --relevant 9", "must be 1 or more, but it is 0"),
        ("predict m test.csv --interval 1", "must be above 0 and below 1"),
        (
            "explain m --row nobody --column f1",
            "--row must be one with a rating in the fit, but it is \"nobody\"",
        ),
        ("explain m --row u1 --column nothing", "--column must be one with a rating in the fit"),
        ("compare train.csv --models als --folds 1", "the number of folds must be from 2 to"),
        ("compare train.csv --models deep", "possible values: als, linear, autorec, latent"),
        ("top later --row u1", "later: must have version 2, but it has 3"),
        ("top m --row u1 -n 0", "must be a whole number from 1"),
    ] {
        let output = desk.run(&format!("recommend {line}"));
        let told = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{line}: {told}");
        assert!(told.starts_with("error: ") && told.contains(words), "{line}: {told}");
        assert_eq!(desk.names(), before, "{line}");
    }
}

#[test]
fn intervals_shares_and_comparisons_are_written() {
    let desk = desk();
    desk.write("pairs.csv", "user,film\nu1,f2\nnobody,f4\n");
    desk.done("recommend predict m pairs.csv --triplets user,film --interval 0.5 -o out.csv -q");
    let text = desk.text("out.csv");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["user", "film", "value", "known", "lower", "upper"]);
    let [value, lower, upper] = [2, 4, 5].map(|place| lines[1][place].parse::<f64>().unwrap());
    assert!(lower <= value && value <= upper && upper <= 5.0, "{text}");
    assert_eq!(lines[2][3..], ["column", "", ""]);
    let few = stderr(
        &desk.run("recommend predict m pairs.csv --triplets user,film --interval 0.999 -o out.csv"),
    );
    assert!(few.contains("too few ratings were held out"), "{few}");

    let list = desk.done("recommend explain m --row u3 --column f4 -n 3");
    assert_eq!(list.lines().next(), Some("column,rating,share"));
    assert_eq!(list.lines().count(), 4);
    let all = desk.json("recommend explain m --row u3 --column f4 -n 99 --json");
    let shares = all["ratings"].as_array().unwrap().iter().map(|r| r["share"].as_f64().unwrap());
    let sum = all["base"].as_f64().unwrap() + shares.sum::<f64>();
    assert!((sum - all["solved"].as_f64().unwrap()).abs() < 1e-9, "{all}");

    let told = stderr(&desk.run("recommend compare train.csv --models als --folds 3"));
    assert!(told.contains("RMSE") && told.contains("als"), "{told}");
}
