//! Bad input ends with exit code 2 and one message, and nothing is written.

use crate::support::{Desk, SHORT, bad, stderr, table};

/// How a bad file has to be read to be found bad.
fn flags(name: &str) -> &'static str {
    match name {
        "duplicate-triplets.csv" | "text-in-triplets.csv" | "ragged-triplets.tsv" => {
            "--triplets user,item,rating"
        }
        "infinity-triplets.data" | "nameless.csv" => "--triplets 1,2,3",
        "negative-weight.csv" => "--triplets 1,2,3,4",
        _ => "",
    }
}

#[test]
fn every_bad_file_is_refused_with_its_message_and_nothing_is_written() {
    let mut names: Vec<String> = std::fs::read_dir(bad())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 40);
    let mut messages = String::new();
    for name in names {
        let desk = Desk::new();
        let path = bad().join(&name);
        let line = format!("{} -o o.csv --report p.html --run r", flags(&name));
        let output =
            desk.command("complete").arg(&path).args(line.split_whitespace()).output().unwrap();
        let told = stderr(&output).replace(&format!("{}/", bad().display()), "");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{name}: {told}");
        assert!(told.starts_with("error: "), "{told}");
        assert!(desk.names().is_empty(), "{name}: {:?}", desk.names());
        messages += &told;
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn wrong_usage_ends_with_exit_code_2() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    desk.write("u.csv", "a,b\n1,2\n3,4\n");
    for (line, words) in [
        ("complete", "<TABLE>"),
        ("complete t.csv --depth 0", "must be a whole number from 1"),
        ("complete t.csv --init-scale -1", "must be a number above 0"),
        ("complete t.csv --bounds 3,2", "must be LOW,HIGH with LOW below HIGH"),
        ("complete t.csv --holdout 1", "must be from 0 to 0.9"),
        ("complete t.csv --resume", "--run <DIR>"),
        ("complete t.csv --example", "cannot be used with"),
        ("complete t.csv -o t.csv", "must be other than the input"),
        ("complete t.csv -o nowhere/o.csv", "the folder of the file to write must be there"),
        ("complete t.csv -o o.mat", "the file to write must be named as text"),
        ("complete t.csv -o .", "must be a file"),
        ("complete t.csv --report t.csv", "must be other than the input"),
        ("complete t.csv --truth u.csv", "the truth must have shape"),
        ("complete t.csv --model nowhere", "cannot read"),
        ("complete t.csv --mask m.png", "a mask image must be given with a PNG"),
        ("run t.csv", "t.csv:1:"),
        ("report nowhere -o p.html", "cannot read"),
        ("analyse t.csv", "t.csv"),
        ("study check nothing --studies .", "a study must be one of"),
        ("data mask t.csv --fraction 1", "must be above 0 and below 1"),
        (
            "data make low-rank --shape 5x5 --rank 6 --observe 3 -o d",
            "the rank must be from 1 to 5",
        ),
        ("data make scene --bits 17 -o d", "17 is not in 1..=16"),
        ("data make scene --hidden 0x4 -o d", "must be ROWSxCOLS"),
        ("data make scene --exposure 0 -o d", "must be a number above 0"),
        (
            "data make scene --observed 4096x4096 -o d",
            "the transport must be of at most 268435456 numbers, but it is 4294967296",
        ),
        ("nonsense", "unrecognized subcommand"),
    ] {
        let output = desk.run(line);
        let told = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{line}: {told}");
        assert!(told.starts_with("error: ") && told.contains(words), "{line}: {told}");
        assert_eq!(desk.names(), ["t.csv", "u.csv"], "{line}");
    }
    assert_eq!(desk.text("t.csv"), table());
}

#[test]
fn a_bad_spec_is_told_with_its_place() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    desk.write("job.toml", "[data.file]\npath = \"t.csv\"\n[complete]\ndepht = [2]\n");
    let output = desk.run("run job.toml");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with("error: job.toml:4:1: unknown field `depht`"),
        "{}",
        stderr(&output)
    );
    desk.write("sweep.toml", "data.low-rank = { shape = [9, 9], rank = 2 }\nproblem.mask.count = 40\nmodel.deep-linear = { depht = 3, init.gaussian.scale = 1e-3 }\ntrain.gradient-descent.rate = 0.5\n");
    let output = desk.run("run sweep.toml --run r");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with("error: sweep.toml:3:") && stderr(&output).contains("depth"),
        "{}",
        stderr(&output)
    );
    desk.write("zero.toml", "[data.file]\npath = \"t.csv\"\n[complete]\ndepths = [0]\n");
    let output = desk.run("run zero.toml --run r");
    assert_eq!(stderr(&output), "error: depth must be 1 or more, but it is 0\n");
    assert_eq!(desk.names(), ["job.toml", "sweep.toml", "t.csv", "zero.toml"]);
}

#[test]
fn missing_words_and_duplicates_are_told_apart_by_flags() {
    let desk = Desk::new();
    desk.write("t.csv", &table().replace(",,", ",-999,"));
    let facts = desk.json("data describe t.csv --missing -999 --json");
    let plain = desk.json("data describe t.csv --json");
    assert!(facts["missing"].as_u64() > plain["missing"].as_u64());
    desk.write("d.csv", "u,i,r\na,x,1\na,x,3\na,y,2\nb,x,2\n");
    let output = desk.run(&format!("complete d.csv --triplets u,i,r {SHORT}"));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("hint: --duplicates"));
    let mean = |rule: &str| {
        desk.json(&format!("data describe d.csv --triplets u,i,r --duplicates {rule} --json"))["mean"]
            .as_f64()
            .unwrap()
    };
    assert_eq!((mean("mean"), mean("last")), (2.0, 7.0 / 3.0));
}
