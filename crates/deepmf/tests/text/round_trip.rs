//! What is written reads back the same.

use deepmf::data::{Entries, Form, Passthrough, ReadOptions, Table, text};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::parsed;

/// A name with whatever is awkward in texts.
fn name() -> impl Strategy<Value = String> {
    vec(
        prop::sample::select(vec![
            "a", "ü", " ", ",", ";", ":", "\t", "\"", "#", "\n", "\r", "1", "\u{feff}",
        ]),
        0..5,
    )
    .prop_map(|parts| parts.concat())
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        (-1000_i32..1000).prop_map(|k| f64::from(k) / 8.0),
        prop::sample::select(vec![
            0.0,
            -0.0,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            f64::MIN,
            0.1 + 0.2
        ]),
    ]
}

prop_compose! {
    fn wide()(rows in 1..6_usize, cols in 1..5_usize)(
        cells in vec(option::of(value()), rows * cols),
        sure in value(),
        row_labels in option::of(vec(name(), rows)),
        corner in name(),
        col_labels in option::of(vec(name(), cols)),
        passed in vec((name(), vec(name().prop_map(|word| word + "x"), rows), 0..8_usize), 0..3),
        delimiter in prop::sample::select(b",;\t :|".to_vec()),
        rows in Just(rows), cols in Just(cols),
    ) -> Table {
        let mut known: Vec<(usize, f64)> =
            cells.iter().enumerate().filter_map(|(k, cell)| Some((k, (*cell)?))).collect();
        if known.is_empty() {
            known.push((0, sure));
        }
        let ids = |id: fn(usize, usize) -> usize| known.iter().map(|k| id(k.0, cols) as u32).collect();
        let values = known.iter().map(|k| k.1).collect();
        let entries = Entries::new((rows, cols), ids(|k, n| k / n), ids(|k, n| k % n), values).unwrap();
        let header = col_labels.is_some();
        let first = usize::from(row_labels.is_some());
        let all = first + cols + passed.len();
        let mut places: Vec<usize> = passed.iter().map(|p| (p.2 + first).min(all - 1)).collect();
        places.sort_unstable();
        places.dedup();
        let total = first + cols + places.len();
        let passthrough = places
            .into_iter()
            .filter(|&place| place < total)
            .zip(passed)
            .map(|(place, (name, fields, _))| Passthrough { name: header.then_some(name), place, fields })
            .collect();
        let row_names = row_labels.is_some().then(|| if header { corner } else { String::new() });
        Table { entries, row_labels, col_labels, form: Form::Wide { delimiter, row_names, passthrough } }
    }
}

/// How the text of `table` must be read where nothing may be guessed.
fn options(table: &Table, delimiter: u8) -> ReadOptions {
    ReadOptions {
        header: Some(table.col_labels.is_some()),
        row_names: Some(table.row_labels.is_some()),
        delimiter: Some(delimiter),
        ..ReadOptions::default()
    }
}

fn bits(table: &Table) -> Vec<u64> {
    table.entries.values().iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_wide_table_comes_back(table in wide()) {
        let Form::Wide { delimiter, .. } = table.form else { panic!("wide") };
        let same = |delimiter: u8| {
            let mut expected = table.clone();
            if let Form::Wide { delimiter: expected, .. } = &mut expected.form {
                *expected = delimiter;
            }
            parsed(text(&table), &options(&table, delimiter))
                .is_ok_and(|back| bits(&back) == bits(&table) && back == expected)
        };
        // Words that cannot stand between double colons stand between commas.
        prop_assert!(same(delimiter) || (delimiter == b':' && same(b',')));
    }

    #[test]
    fn triplets_come_back(
        lines in vec((name(), name(), value()), 1..20),
        delimiter in prop::sample::select(b",;\t ".to_vec()),
        header in any::<bool>(),
    ) {
        let options = ReadOptions {
            triplets: Some("1,2,3".parse().unwrap()),
            header: Some(header),
            delimiter: Some(delimiter),
            duplicates: deepmf::data::Duplicates::Last,
            ..ReadOptions::default()
        };
        let label = |word: &str| format!("{}x", word.trim());
        let labels = |pick: fn(&(String, String, f64)) -> &str| lines.iter().map(|l| label(pick(l))).collect();
        let ids: Vec<u32> = (0..lines.len() as u32).collect();
        let made = Table {
            entries: Entries::new((ids.len(), ids.len()), ids.clone(), ids, lines.iter().map(|l| l.2).collect()).unwrap(),
            row_labels: Some(labels(|l| &l.0)),
            col_labels: Some(labels(|l| &l.1)),
            form: Form::Triplets { delimiter, names: header.then(|| ["u", "i", "r"].map(String::from)) },
        };
        let once = parsed(text(&made), &options).unwrap();
        prop_assert_eq!(once.entries.values().last().map(|x| x.to_bits()).is_some(), true);
        for (i, j, value) in once.entries.iter() {
            let (row, col) = (&once.row_labels.as_ref().unwrap()[i], &once.col_labels.as_ref().unwrap()[j]);
            let given = lines.iter().rfind(|l| label(&l.0) == *row && label(&l.1) == *col).unwrap();
            prop_assert_eq!(value.to_bits(), given.2.to_bits());
        }
        let twice = parsed(text(&once), &options).unwrap();
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn no_text_makes_the_reader_panic(bytes in vec(any::<u8>(), 0..60), words in vec(prop::sample::select(vec!["1", ",", "\n", "\"", "a", "::", " ", "\t", "#", "\r", "\u{feff}", "ü", ";"]), 0..40)) {
        for text in [bytes.as_slice(), words.concat().as_bytes()] {
            let _ = parsed(text, &ReadOptions::default());
            let triplets = ReadOptions { triplets: Some("1,2,3".parse().unwrap()), ..ReadOptions::default() };
            let _ = parsed(text, &triplets);
        }
    }
}
