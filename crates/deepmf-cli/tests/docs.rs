//! The `console` blocks of the README and the guide: every command runs, and says what the page shows.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::path::{Path, PathBuf};

fn pages(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            into.push(path);
        }
    }
}

#[test]
fn commands_of_the_pages_do_what_the_pages_show() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut all = vec![root.join("README.md")];
    pages(&root.join("docs"), &mut all);
    all.sort();
    for page in all {
        let text = std::fs::read_to_string(&page).unwrap();
        if !text.contains("```console") {
            continue;
        }
        // Commands of a page follow each other in a folder of its own, so that what they write stays there.
        let folder = tempfile::tempdir().unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        trycmd::TestCases::new()
            .register_bin("deepmf", Path::new(env!("CARGO_BIN_EXE_deepmf")))
            .case(&page)
            .run();
    }
    std::env::set_current_dir(root).unwrap();
}
