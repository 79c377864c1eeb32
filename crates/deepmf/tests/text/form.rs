//! What is found out about a text that says nothing about itself.

use std::io::Write;

use deepmf::data::{Duplicates, Form, ReadOptions, Table, read, text, write};

use super::parsed;

/// The table of `text`: row labels, column labels, and the numbers row after row, `_` for a hole.
fn seen(text: &str) -> String {
    shown(&parsed(text, &ReadOptions::default()).unwrap())
}

fn shown(table: &Table) -> String {
    let labels = |labels: &Option<Vec<String>>| labels.as_ref().map_or("-".into(), |l| l.join(" "));
    let dense = table.entries.to_dense();
    let row = |i| {
        let cells = (0..dense.cols()).map(|j| dense[(i, j)]);
        cells.map(|x| if x.is_nan() { "_".into() } else { x.to_string() }).collect::<Vec<_>>()
    };
    let rows: Vec<String> = (0..dense.rows()).map(|i| row(i).join(" ")).collect();
    format!("{} | {} | {}", labels(&table.row_labels), labels(&table.col_labels), rows.join("; "))
}

#[test]
fn every_delimiter_is_found() {
    for text in [
        "1,2,3\n4,5,6\n",
        "1\t2\t3\n4\t5\t6",
        "1;2;3\r\n4;5;6\r\n",
        "1::2::3\n4::5::6\n",
        "  1  2 \t3\n4 5 6  \n",
        "1, 2, 3\n4, 5, 6\n\n   \n",
        "\u{feff}# made by hand, today\n\n# again\n1,2,3\n4,5,6\n",
    ] {
        assert_eq!(seen(text), "- | - | 1 2 3; 4 5 6", "{text:?}");
    }
    assert_eq!(seen("1\n2\n3\n"), "- | - | 1; 2; 3");
    assert_eq!(seen("Apollo 13\t5\nGemini 4\t6\n"), "Apollo 13 Gemini 4 | - | 5; 6");
    assert_eq!(seen("a;b,1\nc;d,2\n"), "a;b c;d | - | 1; 2");
}

#[test]
fn a_header_and_names_of_rows_are_found() {
    let cases = [
        ("a,b\n1,2\n3,4\n", "- | a b | 1 2; 3 4"),
        ("name,a,b\nx,1,2\ny,3,4\n", "x y | a b | 1 2; 3 4"),
        ("x,1,2\ny,3,4\n", "x y | - | 1 2; 3 4"),
        (",2001,2002\nx,1,7\ny,3,4\n", "x y | 2001 2002 | 1 7; 3 4"),
        ("land,2001,2002\nx,1,7\ny,3,4\n", "x y | 2001 2002 | 1 7; 3 4"),
        ("land,0,1,2\nx,1,7,5\ny,3,4,4\n", "x y | 0 1 2 | 1 7 5; 3 4 4"),
        (",0,1\n0,5,6\n1,7,8\n", "0 1 | 0 1 | 5 6; 7 8"),
        ("id,2001,2002\n8,1,2\n9,3,4\n", "- | id 2001 2002 | 8 1 2; 9 3 4"),
        (",a\n8,1\n9,2\n", "8 9 | a | 1; 2"),
        ("a b\nx 1 2\ny 3 4\n", "x y | a b | 1 2; 3 4"),
        ("1,2\n3,4\n", "- | - | 1 2; 3 4"),
        ("NA,2\n3,4\n", "- | - | _ 2; 3 4"),
        ("a,b\n,2\n3,\n", "- | a b | _ 2; 3 _"),
        ("day,score\nmon,0\nmon,1\n", "- | score | 0; 1"),
    ];
    for (text, expected) in cases {
        assert_eq!(seen(text), expected, "{text:?}");
    }
}

#[test]
fn options_overrule_what_is_found() {
    let with = |text: &str, options: ReadOptions| shown(&parsed(text, &options).unwrap());
    let plain = ReadOptions::default;
    let rows = ReadOptions { row_names: Some(true), ..plain() };
    assert_eq!(with("8,1\n9,2\n", rows), "8 9 | - | 1; 2");
    let header = ReadOptions { header: Some(true), ..plain() };
    assert_eq!(with("8,1\n9,2\n", header), "- | 8 1 | 9 2");
    let bare = ReadOptions { header: Some(false), row_names: Some(false), ..plain() };
    assert_eq!(with("x,1\ny,2\n", bare), "- | - | 1; 2");
    let bars = ReadOptions { delimiter: Some(b'|'), ..plain() };
    assert_eq!(with("1|2\n3|4\n", bars), "- | - | 1 2; 3 4");
    let missing = ReadOptions { missing: vec!["-999".into()], ..plain() };
    assert_eq!(with("1,-999.0\n-999,0\n", missing), "- | - | 1 _; _ 0");
}

#[test]
fn other_columns_pass_through_untouched() {
    let text_before =
        "id,when,a,note,b\nx,mon ,1,\"so, so\",\ny,mon ,,NA,4.50\nz,tue,0,\"a \"\"b\"\"\",5\n";
    let table = parsed(text_before, &ReadOptions::default()).unwrap();
    assert_eq!(shown(&table), "x y z | a b | 1 _; _ 4.5; 0 5");
    let Form::Wide { passthrough, .. } = &table.form else { panic!("wide") };
    assert_eq!((passthrough[0].place, passthrough[1].place), (1, 3));
    let expected = text_before.replace("4.50", "4.5").replace("mon ,", "\"mon \",");
    assert_eq!(String::from_utf8(text(&table)).unwrap(), expected);
}

#[test]
fn triplets_are_numbered_by_appearance_or_by_number() {
    let options = |words: &str| ReadOptions {
        triplets: Some(words.parse().unwrap()),
        ..ReadOptions::default()
    };
    let table = parsed("10::b::1\n9::a::2\n10::a::3\n", &options("1,2,3")).unwrap();
    assert_eq!(shown(&table), "9 10 | b a | _ 2; 1 3");
    assert_eq!(String::from_utf8(text(&table)).unwrap(), "10::b::1\n9::a::2\n10::a::3\n");
    let table = parsed("w,v,i,u\n2,5,tea,x\n.5,,milk,y\n", &options("u,i,v,w")).unwrap();
    assert_eq!(shown(&table), "x y | tea milk | 5 _; _ _");
    assert_eq!(table.entries.weights(), Some(&[2.0][..]));
    assert_eq!(String::from_utf8(text(&table)).unwrap(), "u,i,v,weight\nx,tea,5,2\n");
}

#[test]
fn pairs_without_values_count_one_and_words_over_numbers_are_their_header() {
    let options = |words: &str, header| ReadOptions {
        triplets: Some(words.parse().unwrap()),
        header,
        ..ReadOptions::default()
    };
    let table = parsed("user,item\n7,b\n3,a\n7,b\n", &options("1,2", None)).unwrap();
    assert_eq!(shown(&table), "3 7 | b a | _ 1; 1 _");
    let table = parsed("7\tb\t5\n3\ta\t1\n", &options("1,2", None)).unwrap();
    assert_eq!(shown(&table), "3 7 | b a | _ 1; 1 _");
    let table = parsed("u,i\nx,b\n", &options("1,2", None)).unwrap();
    assert_eq!(table.entries.len(), 2);
    let table = parsed("u,i\nx,b\n", &options("1,2", Some(true))).unwrap();
    assert_eq!(shown(&table), "x | b | 1");
    assert_eq!(parsed("u,i\nx,b\n", &options("u,i", None)).unwrap(), table);
}

#[test]
fn a_cell_given_twice_counts_as_the_options_say() {
    let lines = "u,i,v,time\na,b,1,30\nc,d,2,5\na,b,4,20\n";
    let values = |duplicates, words: &str| {
        let triplets = Some(words.parse().unwrap());
        let options = ReadOptions { triplets, duplicates, ..ReadOptions::default() };
        parsed(lines, &options).unwrap().entries.values().to_vec()
    };
    assert_eq!(values(Duplicates::Last, "u,i,v"), [4.0, 2.0]);
    assert_eq!(values(Duplicates::Last, "u,i,v,time"), [1.0, 2.0]);
    assert_eq!(values(Duplicates::Mean, "u,i,v"), [2.5, 2.0]);
}

#[test]
fn the_name_of_the_file_chooses_delimiter_and_compression() {
    let folder = tempfile::tempdir().unwrap();
    let table = parsed("a\tb\n1\t\n3\t4\n", &ReadOptions::default()).unwrap();
    let written = |name: &str| {
        let path = folder.path().join(name);
        write(&path, &table).unwrap();
        assert_eq!(read(&path).unwrap().entries, table.entries, "{name}");
        std::fs::read(path).unwrap()
    };
    assert_eq!(written("a.csv"), b"a,b\n1,\n3,4\n");
    assert_eq!(written("a.txt"), b"a\tb\n1\t\n3\t4\n");
    assert_eq!(written("a.csv.gz")[..2], [0x1f, 0x8b]);
    let error = write(folder.path().join("a.mat"), &table).unwrap_err().to_string();
    assert!(error.starts_with("the file to write must be named as text"), "{error}");
}

#[test]
fn a_compressed_text_is_known_by_its_content() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"a,b\n1,2\n").unwrap();
    let table = parsed(packed.finish().unwrap(), &ReadOptions::default()).unwrap();
    assert_eq!(shown(&table), "- | a b | 1 2");
}
