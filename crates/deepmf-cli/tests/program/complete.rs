//! `complete`: forms in, forms out.

use std::process::Stdio;

use crate::support::{Desk, SHORT, stderr, table, triplets};

/// Fields of a CSV text, line after line.
fn fields(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}

#[test]
fn known_cells_labels_and_order_come_back_and_holes_are_filled() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let out = desk.done(&format!("complete t.csv {SHORT}"));
    let before = table();
    let (before, after) = (fields(&before), fields(&out));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        for (before, after) in before.iter().zip(after) {
            if before.is_empty() {
                assert!(after.parse::<f64>().unwrap().is_finite());
            } else {
                assert_eq!(before, after);
            }
        }
    }
    assert_eq!(desk.names(), ["t.csv"]);
}

#[test]
fn denoise_replaces_known_cells_within_bounds_by_whole_numbers() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let out = desk.done(&format!("complete t.csv --denoise --bounds 4,20 --integer {SHORT}"));
    assert_ne!(out, table());
    for line in fields(&out).iter().skip(1) {
        for field in &line[1..] {
            let value: f64 = field.parse().unwrap();
            assert!((4.0..=20.0).contains(&value) && value.fract() == 0.0, "{value}");
        }
    }
}

#[test]
fn stdin_gz_and_file_give_the_same_table() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let from_file = desk.done(&format!("complete t.csv {SHORT}"));
    let piped = desk.with_stdin(&format!("complete - {SHORT}"), table().as_bytes());
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), from_file);
    // Hiding nothing worth naming: the writer packs by the extension, and the reader looks through it.
    desk.done("data mask t.csv --fraction 0.2 -o m.csv.gz");
    desk.done("data mask t.csv --fraction 0.2 -o m.csv");
    let packed = desk.done(&format!("complete m.csv.gz {SHORT}"));
    assert_eq!(packed, desk.done(&format!("complete m.csv {SHORT}")));
    assert_ne!(packed, from_file);
}

#[test]
fn triplets_with_labels_come_back_as_triplets_of_every_cell() {
    let desk = Desk::new();
    desk.write("t.csv", &triplets());
    let out = desk.done(&format!("complete t.csv --triplets town,month,degrees {SHORT}"));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "town,month,degrees");
    assert_eq!(lines.len(), 1 + 12 * 7);
    assert!(triplets().lines().skip(1).all(|line| lines.contains(&line)));
}

#[test]
fn the_truth_is_matched_by_labels_whatever_its_form_and_order() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    desk.write("long.csv", &triplets());
    let text = table();
    let full = text.lines().enumerate().map(|(place, line)| match place {
        0 => format!("{line}\n"),
        _ => format!(
            "{}\n",
            line.replace(",,", ",7,").trim_end_matches(',').to_owned()
                + if line.ends_with(',') { ",7" } else { "" }
        ),
    });
    let full: Vec<String> = full.collect();
    desk.write("full.csv", &full.concat());
    let mut turned = full.clone();
    turned[1..].reverse();
    desk.write("turned.csv", &turned.concat());
    let errors = |truth: &str, table: &str| {
        let value = desk.json(&format!("complete {table} --truth {truth} --json {SHORT}"));
        (value["truth_rmse"].as_f64(), value["truth_mse"].as_f64().unwrap())
    };
    let wide = errors("full.csv", "t.csv");
    assert!(wide.0.unwrap() > 0.0 && wide.1 > 0.0);
    let other = errors("turned.csv", "t.csv");
    assert!((wide.0.unwrap() - other.0.unwrap()).abs() < 1e-9);
    // Triplets of the known cells alone: nothing that is missing is known to the truth.
    let known = errors("long.csv", "t.csv");
    assert!(known.0.is_none() && known.1 > 0.0);
}

#[test]
fn excluded_entries_are_not_known() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    desk.write("out.csv", "town,month,degrees\ntown1,feb,0\ntown2,mar,0\n");
    let value = desk.json(&format!("complete t.csv --exclude out.csv --json {SHORT}"));
    let all = desk.json(&format!("complete t.csv --json {SHORT}"));
    assert_eq!(value["observed"].as_u64().unwrap() + 2, all["observed"].as_u64().unwrap());
    desk.write("wrong.csv", "town,month,degrees\nnowhere,feb,0\n");
    let output = desk.run(&format!("complete t.csv --exclude wrong.csv --json {SHORT}"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_saved_completion_fills_new_rows_whatever_the_order_of_columns() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    desk.done(&format!("complete t.csv -q --run fit -o filled.csv {SHORT}"));
    desk.write("new.csv", "town,jan,feb,mar,apr,may,jun,jul\nnorth,,11,,15,17,,21\n");
    desk.write("turned.csv", "town,jul,jun,may,apr,mar,feb,jan\nnorth,21,,17,15,,11,\n");
    let filled = desk.done("complete new.csv --model fit");
    assert_eq!(filled, desk.done("complete turned.csv --model fit"));
    let row: Vec<&str> = filled.lines().nth(1).unwrap().split(',').collect();
    assert_eq!((row[0], row[2], row[7]), ("north", "11", "21"));
    assert!(row[1..].iter().all(|field| field.parse::<f64>().unwrap().is_finite()));
    let output = desk.with_stdin("complete - --model fit", b"town,jan,snow\nnorth,1,2\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output)
            .contains(r#"a column of the table must be one of the table, but it is "snow""#)
            || stderr(&output).contains("snow")
    );
}

#[test]
fn the_same_seed_gives_the_same_bits_from_process_to_process_and_at_one_and_two_threads() {
    let desk = Desk::new();
    desk.done("data make low-rank --shape 40x30 --rank 2 --observe 700 -o lr");
    let run = |threads: usize, seed: usize| {
        desk.done(&format!(
            "complete lr/observed.npy --steps 200 --threads {threads} --seed {seed} --format csv"
        ))
    };
    let first = run(1, 3);
    assert_eq!(first, run(1, 3));
    assert_eq!(first, run(2, 3));
    assert_ne!(first, run(2, 4));
}

#[test]
fn the_run_folder_repeats_itself() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let first = desk.done(&format!("complete t.csv --run fit {SHORT}"));
    let mut names: Vec<String> = std::fs::read_dir(desk.path("fit"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "checkpoint.safetensors",
        "completion.json",
        "model.safetensors",
        "report.html",
        "result.json",
        "spec.toml",
        "trajectory.csv",
    ];
    assert_eq!(names, expected);
    assert_eq!(desk.done("run fit/spec.toml"), first);
    let again = desk.run(&format!("complete t.csv --run fit {SHORT}"));
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("hint: --resume"));
    desk.done("report fit -o page.html");
    let page = desk.text("page.html");
    assert!(
        page.contains("<svg")
            && page.contains("holdout rmse")
            && !page.contains("http-equiv=\"refresh")
    );
}

#[test]
fn json_is_alone_on_stdout_and_the_table_goes_where_it_is_sent() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let output = desk.run(&format!("complete t.csv --json -q -o o.npy --report p.html {SHORT}"));
    assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
    assert_eq!(stderr(&output), "");
    assert_eq!(desk.names(), ["o.npy", "p.html", "t.csv"]);
    let facts = desk.json("data describe o.npy --json");
    assert_eq!((facts["missing"].as_u64(), facts["form"].as_str()), (Some(0), Some("matrix")));
}

#[test]
fn the_example_needs_no_file_and_writes_none() {
    let desk = Desk::new();
    let output = desk.run("complete --example --depth 2 --init-scale 0.1");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let told = stderr(&output);
    assert!(told.contains("48 x 104: 3245 known, 1747 missing"), "{told}");
    assert!(told.contains("row and column offsets"), "{told}");
    assert!(desk.names().is_empty());
    let value = desk.json("complete --example --json -q");
    let (error, offsets) = (&value["holdout_rmse"], &value["baseline_rmse"]["offsets"]);
    assert!(error.as_f64().unwrap() < 0.5 * offsets.as_f64().unwrap(), "{value}");
}

#[test]
fn an_empty_row_is_a_warning_and_no_error() {
    let desk = Desk::new();
    desk.write("t.csv", &format!("{}lonely,,,,,,,\n", table()));
    let output = desk.run(&format!("complete t.csv {SHORT}"));
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("warning:"), "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().contains("\nlonely,"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new();
    desk.done("data make low-rank --shape 200x200 --rank 1 --observe 4000 -o lr");
    let mut child = desk
        .command("complete lr/observed.npy --raw --depth 1 --steps 1 -q --format csv")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}
